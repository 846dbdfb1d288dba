"""What a study is: something measured of every set, made into a report, and shown as a section of a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from aim_memory.cli.bench.intervals import Interval
from aim_memory.cli.bench.running import Tell
from aim_memory.cli.bench.sets import EvaluationSet
from aim_memory.settings import Settings

Report: TypeAlias = Mapping[str, Any]
"""Plain values, ready for JSON."""


@dataclass(frozen=True)
class Study:
    name: str
    """Of its command and of its section."""
    help: str
    measure: Callable[[Settings, EvaluationSet, Tell], Any]
    """What one set gives. Runs in a process of its own, so it is a function of a module and gives picklable values."""
    report: Callable[[Mapping[str, Any]], dict[str, Any]]
    """From what each set gave, by name."""
    section: Callable[[Report], str]
    """A report as Markdown."""
    suits: Callable[[EvaluationSet], bool] = lambda chosen: True
    """Whether the study has something to ask of a set."""


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table whose columns line up; all but the first are aligned to the right."""
    lines = [list(headings), *(list(row) for row in rows)]
    widths = [max(3, *(len(line[place]) for line in lines)) for place in range(len(headings))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(_line(line, widths) for line in [lines[0], rule, *lines[1:]])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    return "| " + " | ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]) + " |"


def change(one: Mapping[str, float]) -> str:
    """A difference in points with its interval."""
    return f"{one['mean']:+.1f} [{one['low']:+.1f}, {one['high']:+.1f}]"


def share(one: Mapping[str, float]) -> str:
    """A figure in percent with its interval."""
    return f"{one['mean']:.1f} [{one['low']:.1f}, {one['high']:.1f}]"


def rounded(intervals: Mapping[str, Interval]) -> dict[str, dict[str, float]]:
    return {name: interval.rounded() for name, interval in intervals.items()}
