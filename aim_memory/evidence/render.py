"""The lines of a context: one per memory, oldest first, with day, speaker and a mark on what no longer holds.

The day stands where it changes, its year where that changes: a line without one is of the same day, and a day without
one of the same year, as the line before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from aim_memory.evidence.pieces import Span
from aim_memory.evidence.plain import plain
from aim_memory.types import StoredMemory

GAP = " … "
"""Stands for what was left out between two stretches of a text."""


def day(memory: StoredMemory) -> date:
    return memory.timestamp.date()


def render(lines: Sequence[tuple[date, str]]) -> str:
    """(day, line) pairs as text."""
    shown = [None, *(own for own, _ in lines)]
    return "\n".join(
        line if own == before and shares_day(line) else f"{_stamp(own, before, line)} {line}"
        for before, (own, line) in zip(shown, lines, strict=False)
    )


def _stamp(own: date, before: date | None, line: str) -> str:
    """A day, with its year where that changes and before a line that could feign another one."""
    known = before is not None and before.year == own.year and shares_day(line)
    return own.isoformat()[5:] if known else own.isoformat()


def shares_day(line: str) -> bool:
    """Whether a line may go without its day; one that does not begin with a letter could feign another day."""
    return line[:1].isalpha()


def head(memory: StoredMemory, current: bool) -> str:
    """What a line begins with: who said it, and a mark on what no longer holds."""
    who = _plain(memory.speaker or memory.role or "")
    mark = _mark(memory, current)
    return f"{who or '-'}{mark}{':' if who or mark else ''} "


def line(memory: StoredMemory, current: bool, spans: Sequence[Span]) -> str:
    """``Ada: ...``; stretches that touch are joined, others have a gap between them."""
    stretches = [_plain(memory.text[start:end]) for start, end in joined(memory.text, spans)]
    return head(memory, current) + GAP.join(stretches)


_plain = lru_cache(maxsize=4096)(plain)


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
