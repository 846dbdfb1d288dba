"""How good the rankings are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from aim_memory.cli.bench.metrics import Outcome, percentage, recall
from aim_memory.cli.bench.outcomes import ASIDE
from aim_memory.cli.bench.sets import EvaluationSet

DEPTHS = (1, 5, 10, 20)


def score(chosen: EvaluationSet, gold: Sequence[frozenset[str]], outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Recall in percent: of the counted questions, by category, and with the turns before the question known.

    The last covers all counted questions of a set that has earlier turns; those without any are as they were.
    """
    alone = _outcomes(chosen, gold, outcome["ranked"])
    by_category = sorted(alone, key=lambda one: one.category)
    scores = {
        "recall": _recalls(_counted(chosen.name, alone)),
        "categories": {
            category: _recalls(list(own)) for category, own in groupby(by_category, key=lambda one: one.category)
        },
    }
    if outcome["ranked_after"]:
        after = _outcomes(chosen, gold, outcome["ranked"] | outcome["ranked_after"])
        scores["recall_after"] = _recalls(_counted(chosen.name, after))
    return scores


def _outcomes(
    chosen: EvaluationSet, gold: Sequence[frozenset[str]], ranked: Mapping[str, Sequence[str]]
) -> list[Outcome]:
    return [
        Outcome(question.category, tuple(id in wanted for id in ranked[f"q{number}"]), len(question.gold))
        for number, (question, wanted) in enumerate(zip(chosen.questions, gold, strict=True))
    ]


def _counted(name: str, outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [outcome for outcome in outcomes if (name, outcome.category) not in ASIDE]


def _recalls(outcomes: Sequence[Outcome]) -> dict[str, float]:
    figures = {f"R@{depth}": percentage([recall(one, depth) for one in outcomes]) for depth in DEPTHS}
    return {"n": len(outcomes), **figures}
