"""The lines of a context: one per memory, oldest first, with day, speaker and a mark on what no longer holds.

The day stands where it changes, its year where that changes: a line without one is of the same day, and a day without
one of the same year, as the line before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from aim_memory.evidence.pieces import Span
from aim_memory.evidence.plain import plainly
from aim_memory.evidence.tokens import weighed
from aim_memory.types import StoredMemory

GAP = " … "
"""Stands for what was left out between two stretches of a text."""


class Line(NamedTuple):
    """A line of a context, or all of it."""

    text: str
    weight: float
    """``weigh`` of it, added up over what it is made of."""


def day(memory: StoredMemory) -> date:
    return memory.timestamp.date()


def render(lines: Sequence[tuple[date, Line]]) -> Line:
    """The lines with their days as one text."""
    stamps: list[str] = []
    before: date | None = None
    for own, (text, _) in lines:
        stamps.append(_stamp(own, before, text))
        before = own
    whole = "\n".join([stamp + text for stamp, (_, (text, _)) in zip(stamps, lines, strict=True)])
    breaks = weighed("\n") * max(len(lines) - 1, 0)
    return Line(whole, sum(map(weighed, stamps)) + sum([weight for _, (_, weight) in lines]) + breaks)


def _stamp(own: date, before: date | None, line: str) -> str:
    """A day, with its year where that changes and before a line that could feign another one."""
    if own == before and shares_day(line):
        return ""
    known = before is not None and before.year == own.year and shares_day(line)
    return f"{own.isoformat()[5:] if known else own.isoformat()} "


def shares_day(line: str) -> bool:
    """Whether a line may go without its day; one that does not begin with a letter could feign another day."""
    return line[:1].isalpha()


def head(memory: StoredMemory, current: bool) -> str:
    """What a line begins with: who said it, and a mark on what no longer holds."""
    who = plainly(memory.speaker or memory.role or "")
    mark = _mark(memory, current)
    return f"{who or '-'}{mark}{':' if who or mark else ''} "


def line(memory: StoredMemory, current: bool, spans: Sequence[Span]) -> Line:
    """``Ada: ...``; stretches that touch are joined, others have a gap between them."""
    plain = (plainly(memory.text[start:end]) for start, end in joined(memory.text, spans))
    begin, stretches = head(memory, current), [stretch for stretch in plain if stretch]
    gaps = weighed(GAP) * max(len(stretches) - 1, 0)
    return Line(begin + GAP.join(stretches), weighed(begin) + sum(map(weighed, stretches)) + gaps)


def joined(text: str, spans: Sequence[Span]) -> list[Span]:
    """Spans in text order; those with nothing but white space between them become one."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and not text[merged[-1][1] : start].strip():
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _mark(memory: StoredMemory, current: bool) -> str:
    if current:
        return ""
    return f" [superseded on {memory.valid_until:%Y-%m-%d}]" if memory.valid_until else " [superseded]"
