"""What a session's direction is worth on follow-ups, and what it costs right after a change of topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from aim_memory.cli.bench.intervals import Pairs, difference
from aim_memory.cli.bench.metrics import percentage, recall
from aim_memory.cli.bench.outcomes import judged
from aim_memory.cli.bench.running import Tell
from aim_memory.cli.bench.sets import EvaluationSet, Question
from aim_memory.cli.bench.stage import Stage, staged
from aim_memory.cli.bench.study import Report, Study, change, rounded, table
from aim_memory.settings import Settings

_SEED = 3


@dataclass(frozen=True)
class Switched:
    """R@10 of every question that has turns before it, in three ways."""

    alone: Sequence[float]
    """Asked without a session."""
    following: Sequence[float]
    """After its own turns."""
    switched: Sequence[float]
    """After the turns of another conversation, its question included."""
    namespaces: Sequence[str]


def suits(chosen: EvaluationSet) -> bool:
    return any(question.history for question in chosen.questions)


def measure(settings: Settings, chosen: EvaluationSet, tell: Tell) -> Switched:
    asked = [question for question in chosen.questions if question.history]
    detours = others(asked)
    with staged(settings, chosen, partial(tell, f"{chosen.name}: writing", len(chosen.memories))) as stage:
        values = []
        for question, detour in zip(asked, detours, strict=True):
            ways: tuple[tuple[str, ...], ...] = ((), question.history, (*detour.history, detour.text))
            values.append([_recall(stage, question, turns) for turns in ways])
            tell(f"{chosen.name}: asking", len(asked), 1)
    alone, following, switched = zip(*values, strict=True)
    return Switched(alone, following, switched, [question.namespace for question in asked])


def others(asked: Sequence[Question]) -> list[Question]:
    """For each question one of another conversation about the same namespace (any, where there is none), by seed."""
    generator = np.random.default_rng(_SEED)
    chosen = []
    for question in asked:
        near = [one for one in asked if one.namespace == question.namespace and not _together(one, question)]
        among = near or asked
        chosen.append(among[int(generator.integers(len(among)))])
    return chosen


def _together(one: Question, other: Question) -> bool:
    """Whether two questions are of one conversation: one was asked before the other, or they share earlier turns."""
    turns, more = {one.text, *one.history}, {other.text, *other.history}
    return bool(turns & more)


def _recall(stage: Stage, question: Question, turns: Sequence[str]) -> float:
    reply = stage.ask(question, history=turns)
    return recall(judged(stage.chosen, question, stage.names, reply), 10)


def report(switched: Mapping[str, Switched]) -> dict[str, Any]:
    return {"sets": {name: _of_set(one) for name, one in switched.items()}}


def _of_set(one: Switched) -> dict[str, Any]:
    gains = {
        "followed": difference([Pairs(one.alone, one.following, one.namespaces)]),
        "switched": difference([Pairs(one.alone, one.switched, one.namespaces)]),
    }
    return {"n": len(one.alone), "alone": percentage(one.alone), **rounded(gains)}


def section(report: Report) -> str:
    rows = [
        [name, str(of["n"]), f"{of['alone']:.1f}", change(of["followed"]), change(of["switched"])]
        for name, of in report["sets"].items()
    ]
    return (
        "Questions with turns before them, R@10: without a session, and what a session adds when it holds their own "
        "turns (follow-ups) or those of another conversation (a forced change of topic), with paired 95 % intervals."
        "\n\n" + table(["set", "n", "no session", "follow-ups", "forced switch"], rows)
    )


STUDY = Study(
    "switch",
    "Ask follow-ups after their own turns and after those of another conversation, and measure what inertia adds.",
    measure,
    report,
    section,
    suits,
)
