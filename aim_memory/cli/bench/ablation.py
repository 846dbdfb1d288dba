"""What each mechanism adds: every question asked with all of them, and with each one switched off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from aim_memory.cli.bench.intervals import Pairs, difference
from aim_memory.cli.bench.metrics import MEASURES, Outcome
from aim_memory.cli.bench.outcomes import counted, judged
from aim_memory.cli.bench.running import Tell
from aim_memory.cli.bench.sets import EvaluationSet
from aim_memory.cli.bench.stage import staged
from aim_memory.cli.bench.study import Report, Study, change, rounded, table
from aim_memory.config import AIMConfig
from aim_memory.routing.weighing import fitted
from aim_memory.settings import Settings


def _unweighed(*parts: str) -> Mapping[str, Any]:
    """The fitted weights, but none for some parts of the score."""
    return {"fusion": tuple((name, 0.0 if name in parts else weight) for name, weight in fitted().items())}


SWITCHES: Mapping[str, Mapping[str, Any]] = {
    "fitted weights": {"fusion": "plain"},
    "coverage": _unweighed("covered", "beside", "notions"),
    "talk": _unweighed("chatter", "session", "told"),
    "late interaction": {"late_weight": 0.0},
    "notions": {"notion_weight": 0.0},
    "neighbours": {"neighbour_weight": 0.0, "reply_share": 0.0},
    "speakers": {"speaker_bonus": 0.0, "assistant_penalty": 0.0},
    "questions": {"question_penalty": 0.0},
    "each question": {"each_question": False},
    "times": {"time_weight": 0.0},
    "inertia": {"inertia_strength": 0.0, "lexical_inertia": 0.0},
    "anchors": {"anchor_boost": 0.0},
    "decay": {"decay_strength": 0.0},
    "supersession": {"supersession": False},
    "versions": {"version_lift": 0.0},
    "refill": {"refill": False},
}
"""Mechanism → the settings that switch it off."""
AT_WRITE = frozenset({"supersession"})
"""Mechanisms that act when a memory is written: without them everything is written anew."""
WHOLE = ""
"""Name of the run with every mechanism on."""
MEASURED = {
    "R@10": "Whether the evidence is among the first ten.",
    "R@1": "Whether it comes first.",
    "gold in context": "Whether it stands in the context, whole: what refill is for.",
}
MOST_LOST = 1.0
"""Points that a mechanism may cost on a set; one that costs more, or surely costs something, is marked."""


@dataclass(frozen=True)
class Ablated:
    """The outcomes of a set by what was switched off."""

    outcomes: Mapping[str, Sequence[Outcome]]
    namespaces: Sequence[str]
    """Of the questions."""


def measure(settings: Settings, chosen: EvaluationSet, tell: Tell) -> Ablated:
    configs = {name: without(settings.memory, name) for name in (WHOLE, *SWITCHES)}
    at_write = {name: config for name, config in configs.items() if name in AT_WRITE}
    outcomes = _asked(settings, chosen, {n: c for n, c in configs.items() if n not in at_write}, tell)
    for name, config in at_write.items():
        outcomes |= _asked(settings.model_copy(update={"memory": config}), chosen, {name: config}, tell)
    return Ablated(outcomes, [question.namespace for question in chosen.questions])


def without(config: AIMConfig, mechanism: str) -> AIMConfig:
    return AIMConfig.model_validate(config.model_dump() | dict(SWITCHES.get(mechanism, {})))


def _asked(
    settings: Settings, chosen: EvaluationSet, configs: Mapping[str, AIMConfig], tell: Tell
) -> dict[str, list[Outcome]]:
    title = chosen.name + "".join(f", no {name}" for name in configs if len(configs) == 1)
    outcomes: dict[str, list[Outcome]] = {name: [] for name in configs}
    with staged(settings, chosen, partial(tell, f"{title}: writing", len(chosen.memories))) as stage:
        for question in chosen.questions:
            for name, config in configs.items():
                reply = stage.ask(question, config)
                outcomes[name].append(judged(chosen, question, stage.names, reply))
            tell(f"{title}: asking", len(chosen.questions), 1)
    return outcomes


def report(ablated: Mapping[str, Ablated]) -> dict[str, Any]:
    """Measure → mechanism → set ("mean" for all) → what the mechanism adds: with it minus without it."""
    return {
        "n": {name: len(_pairs(name, one, "R@10", WHOLE).after) for name, one in ablated.items()},
        "added": {measure: {name: _added(ablated, measure, name) for name in SWITCHES} for measure in MEASURED},
    }


def _added(ablated: Mapping[str, Ablated], measure: str, mechanism: str) -> dict[str, dict[str, float]]:
    pairs = {name: _pairs(name, one, measure, mechanism) for name, one in ablated.items()}
    return rounded({name: difference([one]) for name, one in pairs.items()} | {"mean": difference([*pairs.values()])})


def _pairs(name: str, ablated: Ablated, measure: str, mechanism: str) -> Pairs:
    value = MEASURES[measure]
    kept = [place for place, one in enumerate(ablated.outcomes[WHOLE]) if counted(name, one)]
    before, after = ([value(ablated.outcomes[key][place]) for place in kept] for key in (mechanism, WHOLE))
    return Pairs(before, after, [ablated.namespaces[place] for place in kept])


def section(report: Report) -> str:
    sets = [*report["n"], "mean"]
    introduction = (
        "What each mechanism adds, in points: with all of them minus all but this one, with a paired 95 % bootstrap "
        f"interval. ▼ marks an interval below 0, or a loss of more than {MOST_LOST:g} point."
    )
    parts = [introduction]
    for measure, by_mechanism in report["added"].items():
        rows = [[name, *(_cell(of[one]) for one in sets)] for name, of in by_mechanism.items()]
        parts.append(f"**{measure}.** {MEASURED[measure]}\n\n{table(['mechanism', *sets], rows)}")
    return "\n\n".join(parts)


def _cell(one: Mapping[str, float]) -> str:
    if one["mean"] == one["low"] == one["high"] == 0:
        return "0"
    return change(one) + (" ▼" if one["high"] < 0 or one["mean"] < -MOST_LOST else "")


STUDY = Study(
    "ablation",
    "Ask every question with each mechanism switched off, and measure what that mechanism adds.",
    measure,
    report,
    section,
)
