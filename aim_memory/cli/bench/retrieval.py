"""How well each question's evidence is found, how large the context is, and how long it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from time import perf_counter
from typing import Any

from aim_memory.cli.bench.metrics import MEASURES, Outcome, summary
from aim_memory.cli.bench.outcomes import counted, judged
from aim_memory.cli.bench.running import Tell
from aim_memory.cli.bench.sets import EvaluationSet, Question
from aim_memory.cli.bench.stage import Stage, Written, staged
from aim_memory.cli.bench.study import Report, Study, table
from aim_memory.settings import Settings

COLUMNS = {
    "n": "n",
    **{name: name.replace("context", "ctx") for name in MEASURES},
    "context tokens": "ctx tokens",
    "full-text tokens": "full tokens",
    "scanned": "scanned",
    "ms": "ms",
}
"""Figure → heading."""


@dataclass(frozen=True)
class Asked:
    """A set was written, and all its questions asked."""

    written: Written
    outcomes: Sequence[Outcome]


def measure(settings: Settings, chosen: EvaluationSet, tell: Tell) -> Asked:
    writing = partial(tell, f"{chosen.name}: writing", len(chosen.memories))
    with staged(settings, chosen, writing, shared=False) as stage:
        outcomes = []
        for question in chosen.questions:
            outcomes.append(_asked(stage, question))
            tell(f"{chosen.name}: asking", len(chosen.questions), 1)
        return Asked(stage.written, outcomes)


def _asked(stage: Stage, question: Question) -> Outcome:
    stage.course(question.namespace, question.history)
    began = perf_counter()
    reply = stage.ask(question)
    return judged(stage.chosen, question, stage.names, reply, perf_counter() - began)


def report(asked: Mapping[str, Asked]) -> dict[str, Any]:
    sets = {name: _of_set(name, one) for name, one in asked.items()}
    measured = [one["all"] for one in sets.values()]
    mean = {name: round(sum(one[name] for one in measured) / len(measured), 1) for name in MEASURES}
    return {"sets": sets, "mean": mean}


def _of_set(name: str, asked: Asked) -> dict[str, Any]:
    by_category = sorted(asked.outcomes, key=lambda outcome: outcome.category)
    return {
        "all": summary([outcome for outcome in asked.outcomes if counted(name, outcome)]),
        "categories": {
            category: summary(list(outcomes))
            for category, outcomes in groupby(by_category, key=lambda outcome: outcome.category)
        },
        "written": dict(asked.written.statuses),
        "write_s": round(asked.written.seconds, 1),
    }


def section(report: Report) -> str:
    rows = []
    for name, of in report["sets"].items():
        rows.append([f"**{name}**", *_cells(of["all"])])
        if len(of["categories"]) > 1:
            rows += [[f"· {category}", *_cells(values)] for category, values in of["categories"].items()]
    blank = [""] * (len(COLUMNS) - 1 - len(MEASURES))
    rows.append(["**mean of sets**", "", *(f"{value:.1f}" for value in report["mean"].values()), *blank])
    return "Shares in %, tokens and milliseconds per question.\n\n" + table(["set", *COLUMNS.values()], rows)


def _cells(values: Mapping[str, Any]) -> list[str]:
    return [f"{values[name]:g}" for name in COLUMNS]


STUDY = Study(
    "retrieval",
    "Ask every question and measure where its evidence comes back, what stands in the context, and the time.",
    measure,
    report,
    section,
)
