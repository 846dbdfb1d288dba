"""Does confidence tell questions that memory can answer from those that it cannot?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from aim_memory.cli.bench.intervals import area
from aim_memory.cli.bench.running import Tell
from aim_memory.cli.bench.sets import EvaluationSet
from aim_memory.cli.bench.stage import staged
from aim_memory.cli.bench.study import Report, Study, rounded, share, table
from aim_memory.settings import Settings

FEWEST = 5
"""Questions without an answer that a figure needs."""
_SEED = 5


@dataclass(frozen=True)
class Confidences:
    """Of each question, by what was asked of whom."""

    own: Sequence[float]
    """Questions of their own conversation, which holds the evidence."""
    foreign: Sequence[float]
    """The same questions, of another conversation of the set; none where there is but one."""
    unanswerable: Sequence[float]
    """Questions of their own conversation, which holds no answer."""


def suits(chosen: EvaluationSet) -> bool:
    return len(chosen.namespaces) > 1 or len(chosen.unanswerable) >= FEWEST


def measure(settings: Settings, chosen: EvaluationSet, tell: Tell) -> Confidences:
    elsewhere = foreign(chosen)
    with staged(settings, chosen, partial(tell, f"{chosen.name}: writing", len(chosen.memories))) as stage:

        def confidence(asked: int, place: str | None) -> float:
            tell(f"{chosen.name}: asking", len(questions) + len(elsewhere), 1)
            return stage.ask(questions[asked], namespace=place).confidence

        questions = [*chosen.questions, *chosen.unanswerable]
        known = [confidence(number, None) for number in range(len(questions))]
        unknown = [confidence(number, place) for number, place in enumerate(elsewhere)]
    count = len(chosen.questions)
    return Confidences(known[:count], unknown, known[count:])


def foreign(chosen: EvaluationSet) -> list[str]:
    """For each question another namespace of the set, by seed; none where there is but one."""
    generator, names = np.random.default_rng(_SEED), chosen.namespaces
    if len(names) < 2:
        return []
    others = [[name for name in names if name != question.namespace] for question in chosen.questions]
    return [among[int(generator.integers(len(among)))] for among in others]


def report(measured: Mapping[str, Confidences]) -> dict[str, Any]:
    return {"sets": {name: _of_set(one) for name, one in measured.items()}}


def _of_set(one: Confidences) -> dict[str, Any]:
    against = {"foreign": one.foreign, "unanswerable": one.unanswerable}
    against = {name: values for name, values in against.items() if len(values) >= FEWEST}
    return {
        "n": {"own": len(one.own), **{name: len(values) for name, values in against.items()}},
        "mean": {name: round(float(np.mean(values)), 2) for name, values in {"own": one.own, **against}.items()},
        "auroc": rounded({name: area(one.own, values) for name, values in against.items()}),
    }


def section(report: Report) -> str:
    rows = [[name, *(_cell(of, kind) for kind in ("foreign", "unanswerable"))] for name, of in report["sets"].items()]
    return (
        "AUROC of `confidence` in %, with 95 % intervals (50 is chance): answerable questions against the same ones "
        "asked of another conversation of the set, and against questions to which their own conversation has no answer."
        "\n\n" + table(["set", "another conversation", "no answer"], rows)
    )


def _cell(of: Mapping[str, Any], kind: str) -> str:
    return f"{share(of['auroc'][kind])}, n {of['n'][kind]}" if kind in of["auroc"] else ""


STUDY = Study(
    "abstention",
    "Ask questions that memory cannot answer, and measure how well confidence tells them from the others.",
    measure,
    report,
    section,
    suits,
)
