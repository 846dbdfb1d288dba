"""The lines of a context: one per memory, oldest first, with date, speaker and a mark on what no longer holds."""

from __future__ import annotations

from collections.abc import Sequence

from aim_memory.evidence.pieces import Span
from aim_memory.evidence.plain import plain
from aim_memory.types import StoredMemory

GAP = " … "
"""Stands for what was left out between two stretches of a text."""


def line(memory: StoredMemory, current: bool, spans: Sequence[Span]) -> str:
    """``2025-02-03 Ada: ...``; stretches that touch are joined, others have a gap between them."""
    who = memory.speaker or memory.role
    head = f"{memory.timestamp:%Y-%m-%d}{f' {plain(who)}' if who else ''}{_mark(memory, current)}: "
    return head + GAP.join(plain(memory.text[start:end]) for start, end in joined(memory.text, spans))


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
