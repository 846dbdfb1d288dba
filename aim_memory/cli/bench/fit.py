"""Fits the ranking's weights to sets with known evidence, and tells what such a fit gives on a set it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from aim_memory.bodies import Hit
from aim_memory.cli.bench.metrics import MEASURES, Outcome
from aim_memory.cli.bench.running import Tell
from aim_memory.cli.bench.sets import EvaluationSet, Question
from aim_memory.cli.bench.stage import Stage, staged
from aim_memory.cli.bench.study import Report, Study, table
from aim_memory.routing.candidates import POOL
from aim_memory.routing.fitting import Example, Weights, fit
from aim_memory.routing.weighing import PARTS, PLAIN
from aim_memory.settings import Settings

RIDGES = (0.01, 0.03, 0.1, 0.3, 1.0)
"""How strongly a fit may be held to the plain weights. That which does best on the sets left out is taken, by the mean
of what is ``SHOWN``."""
SHOWN = ("R@1", "R@5", "R@10", "R@20")
BARE = tuple((name, 1.0) for name in PARTS)
"""Weights under which every part shows as it is."""
_PLAIN = np.array([PLAIN[name] for name in PARTS])


@dataclass(frozen=True)
class Asked:
    """The candidates of one question, and how many memories are its evidence."""

    example: Example
    gold: int


def measure(settings: Settings, chosen: EvaluationSet, tell: Tell) -> list[Asked]:
    bare = settings.memory.model_copy(update={"fusion": BARE})
    settings = settings.model_copy(update={"memory": bare})
    with staged(settings, chosen, partial(tell, f"{chosen.name}: writing", len(chosen.memories))) as stage:
        asked = []
        for question in chosen.questions:
            asked.append(_asked(stage, question))
            tell(f"{chosen.name}: asking", len(chosen.questions), 1)
        return asked


def _asked(stage: Stage, question: Question) -> Asked:
    reply = stage.ask(question, top_k=POOL, mode="fast", explain=True)
    hits = [hit for hit in reply.results if hit.scores and "unread" not in hit.scores]
    parts = np.array([_parts(hit) for hit in hits], np.float32).reshape(len(hits), len(PARTS))
    evidence = np.array([stage.names[hit.id] in question.gold for hit in hits], np.bool_)
    return Asked(Example(parts, evidence), len(question.gold))


def _parts(hit: Hit) -> list[float]:
    return [(hit.scores or {}).get(name, 0.0) for name in PARTS]


def report(asked: Mapping[str, Sequence[Asked]]) -> dict[str, Any]:
    """The weights, and for every set what the plain weights and a fit to all the others give there."""
    held_out = {ridge: {name: _left_out(asked, name, ridge) for name in asked} for ridge in RIDGES}
    by_ridge = {ridge: _mean(scores) for ridge, scores in held_out.items()}
    ridge = max(RIDGES, key=lambda one: sum(by_ridge[one].values()))
    weights = _scaled(asked, fit(_examples(asked), _PLAIN, ridge))
    return {
        "weights": {name: round(float(weight), 4) for name, weight in zip(PARTS, weights, strict=True)},
        "fitted on": {name: len(questions) for name, questions in asked.items()},
        "ridge": ridge,
        "by ridge": {str(one): scores for one, scores in by_ridge.items()},
        "plain": {name: _scores(questions, _PLAIN) for name, questions in asked.items()},
        "held out": held_out[ridge],
    }


def _left_out(asked: Mapping[str, Sequence[Asked]], name: str, ridge: float) -> dict[str, float]:
    others = {other: questions for other, questions in asked.items() if other != name}
    return _scores(asked[name], fit(_examples(others), _PLAIN, ridge) if others else _PLAIN)


def _examples(asked: Mapping[str, Sequence[Asked]]) -> list[list[Example]]:
    return [[one.example for one in questions] for questions in asked.values()]


def _scores(questions: Sequence[Asked], weights: Weights) -> dict[str, float]:
    outcomes = [_ranked(one, weights) for one in questions]
    return {name: round(100 * float(np.mean([MEASURES[name](one) for one in outcomes])), 1) for name in SHOWN}


def _ranked(asked: Asked, weights: Weights) -> Outcome:
    order = np.argsort(-(asked.example.parts @ weights), kind="stable")
    return Outcome("", tuple(asked.example.evidence[order].tolist()), asked.gold)


def _mean(scores: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    return {name: round(float(np.mean([one[name] for one in scores.values()])), 2) for name in SHOWN}


def _scaled(asked: Mapping[str, Sequence[Asked]], weights: Weights) -> Weights:
    """The same weights, at which scores spread as under the plain ones: other mechanisms add to them."""
    parts = [one.example.parts for questions in asked.values() for one in questions if len(one.example.parts)]
    plain, fitted = (float(np.mean([(own @ by).std() for own in parts])) for by in (_PLAIN, weights))
    return weights * plain / fitted


def section(report: Report) -> str:
    sets = [
        [name, str(report["fitted on"][name]), *(_before_after(plain, report["held out"][name]))]
        for name, plain in report["plain"].items()
    ]
    means = _before_after(_mean(report["plain"]), _mean(report["held out"]))
    weights = [[name, f"{PLAIN[name]:g}", f"{weight:.2f}"] for name, weight in report["weights"].items()]
    introduction = (
        "Plain weights → weights fitted to all the *other* sets, so that no set judges a fit to itself. "
        f"Ridge {report['ridge']}, the best of {', '.join(report['by ridge'])} on the sets left out."
    )
    return "\n\n".join(
        [
            introduction,
            table(["set", "n", *SHOWN], [*sets, ["mean", "", *means]]),
            "The weights, fitted to all of them:",
            table(["part", "plain", "fitted"], weights),
        ]
    )


def _before_after(plain: Mapping[str, float], fitted: Mapping[str, float]) -> list[str]:
    return [f"{plain[name]:.1f} → {fitted[name]:.1f}" for name in SHOWN]


STUDY = Study(
    "fit",
    "Fit the weights of the ranking; --json writes them. Example: [bold]aimem fit --data sets/ --json fit.json[/bold]",
    measure,
    report,
    section,
)
