"""Facts that changed: does the version that holds now come first, and are all of them found?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import sqrt
from typing import Any

from aim_memory.cli.bench.intervals import Interval
from aim_memory.cli.bench.running import Tell
from aim_memory.cli.bench.sets import EvaluationSet, Question
from aim_memory.cli.bench.stage import staged
from aim_memory.cli.bench.study import Report, Study, rounded, share, table
from aim_memory.settings import Settings

DEPTH = 10
"""Results among which all versions have to be."""
_Z = 1.96
_NAMES = ("update", "changed")
"""What the category of a question about a changed fact is called, or ends in."""


@dataclass(frozen=True)
class Updated:
    """The questions whose evidence is several versions of a fact."""

    current_first: Sequence[bool]
    """Is the latest version before all others?"""
    recency_off: Sequence[bool]
    """The same where no version is preferred for its time."""
    all_found: Sequence[bool]


def suits(chosen: EvaluationSet) -> bool:
    return any(map(changed, chosen.questions))


def changed(question: Question) -> bool:
    return len(question.gold) > 1 and question.category.lower().endswith(_NAMES)


def measure(settings: Settings, chosen: EvaluationSet, tell: Tell) -> Updated:
    place = {(turn.namespace, turn.id): number for number, turn in enumerate(chosen.memories)}
    asked = [question for question in chosen.questions if changed(question)]
    blind = settings.memory.model_copy(update={"supersession": False})
    rows = []
    with staged(settings, chosen, partial(tell, f"{chosen.name}: writing", len(chosen.memories))) as stage:
        for question in asked:
            versions = sorted(place[question.namespace, gold] for gold in question.gold)
            replies = [stage.ask(question, config) for config in (settings.memory, blind)]
            ranks = [ranked([stage.names[hit.id] for hit in one.results], chosen, versions) for one in replies]
            rows.append((*(first(own) for own in ranks), max(ranks[0]) <= DEPTH))
            tell(f"{chosen.name}: asking", len(asked), 1)
    return Updated(*zip(*rows, strict=True))


def ranked(found: Sequence[str], chosen: EvaluationSet, versions: Sequence[int]) -> list[int]:
    """The rank of each version, counted from 1; one past the results for what is not among them."""
    ids = [chosen.memories[number].id for number in versions]
    return [found.index(one) + 1 if one in found else len(found) + 1 for one in ids]


def first(ranks: Sequence[int]) -> bool:
    """Was the last of the versions found, and before all others?"""
    return ranks[-1] < min(ranks[:-1])


def proportion(values: Sequence[bool]) -> Interval:
    """A share in percent with its 95 % score interval (Wilson 1927), which holds for few questions too."""
    count, mean = len(values), sum(values) / len(values)
    middle = (mean + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z * sqrt(mean * (1 - mean) / count + _Z**2 / (4 * count**2)) / (1 + _Z**2 / count)
    return Interval(100 * mean, 100 * (middle - half), 100 * (middle + half))


def report(measured: Mapping[str, Updated]) -> dict[str, Any]:
    return {"sets": {name: _of_set(one) for name, one in measured.items()}}


def _of_set(one: Updated) -> dict[str, Any]:
    figures = {"current first": one.current_first, "without versions": one.recency_off, "all found": one.all_found}
    return {"n": len(one.all_found), **rounded({name: proportion(values) for name, values in figures.items()})}


def section(report: Report) -> str:
    rows = [
        [name, str(of["n"]), *(share(of[figure]) for figure in ("current first", "without versions", "all found"))]
        for name, of in report["sets"].items()
    ]
    return (
        "Questions whose evidence is several versions of a fact, in % with 95 % intervals: the latest version before "
        "the others, the same with supersession and versions off, and all of them among the first ten.\n\n"
        + table(["set", "n", "current first", "versions off", "all in 10"], rows)
    )


STUDY = Study(
    "updates",
    "Ask for facts that changed, and measure how often the current version comes first and all of them are found.",
    measure,
    report,
    section,
    suits,
)
