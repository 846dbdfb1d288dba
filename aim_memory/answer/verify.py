"""Checking an answer against its evidence: every number, date, name and identifier must be held by it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aim_memory.anchors import compare, extract
from aim_memory.answer.citations import CITATION_MARK
from aim_memory.text import fold
from aim_memory.types import Anchor, EvidenceBlock

_CHECKED = frozenset({"number", "date", "name", "identifier"})


@dataclass(frozen=True, slots=True)
class Verified:
    """Anchors of an answer, in text order; offsets are into the answer."""

    supported: tuple[Anchor, ...]
    unsupported: tuple[Anchor, ...]


def verify(answer: str, blocks: Sequence[EvidenceBlock], *, reference: datetime) -> Verified:
    """Splits the checkable anchors of ``answer`` into those the blocks hold and those they do not.

    Numbers agree by value and unit ("ten million" with 10M), dates when one interval holds the other. Relative dates of
    a block count from the block's own time, those of the answer from ``reference`` or, where it repeats a block's
    wording ("yesterday", "18 April"), from that block's time. Who said a block, and the day it was said, belong to what
    it holds. A line that lies literally in a block is supported by it. Citation marks ("[2]") are not checked.
    """
    held = [_held(block) for block in blocks]
    worded = " ".join(fold(f"{block.speaker or ''} {block.text}") for block in blocks)
    supported: list[Anchor] = []
    unsupported: list[Anchor] = []
    for offset, line in _lines(answer):
        literal = any(line.strip() in block.text for block in blocks)
        claim = CITATION_MARK.sub(lambda mark: " " * len(mark.group()), line)
        for anchor in extract(claim, reference=reference):
            if anchor.kind in _CHECKED:
                fits = literal or _supported(anchor, claim, blocks, held) or _spelled(anchor, worded)
                placed = replace(anchor, start=anchor.start + offset, end=anchor.end + offset)
                (supported if fits else unsupported).append(placed)
    return Verified(tuple(supported), tuple(unsupported))


def _spelled(anchor: Anchor, worded: str) -> bool:
    """Whether a name or identifier stands in the evidence word for word, whatever the evidence takes it for."""
    if anchor.kind not in ("name", "identifier"):
        return False
    edge = r"\b" if anchor.text.isascii() else ""
    return bool(re.search(f"{edge}{re.escape(fold(anchor.text))}{edge}", worded))


def _lines(answer: str) -> Iterator[tuple[int, str]]:
    offset = 0
    for line in answer.split("\n"):
        yield offset, line
        offset += len(line) + 1


def _held(block: EvidenceBlock) -> tuple[Anchor, ...]:
    said = extract(block.text, reference=block.timestamp)
    named = extract(block.speaker, reference=block.timestamp) if block.speaker else ()
    midnight = block.timestamp.replace(hour=0, minute=0, second=0, microsecond=0)
    day = f"{midnight:%Y-%m-%d}"
    return (*said, *named, Anchor("date", day, day, 0, len(day), since=midnight, until=midnight + timedelta(days=1)))


def _supported(anchor: Anchor, line: str, blocks: Sequence[EvidenceBlock], held: Sequence[tuple[Anchor, ...]]) -> bool:
    if any(_agrees(anchor, own) for own in held):
        return True
    if anchor.kind != "date":
        return False
    return any(_repeats(anchor, line, block, own) for block, own in zip(blocks, held, strict=True))


def _repeats(anchor: Anchor, line: str, block: EvidenceBlock, held: Sequence[Anchor]) -> bool:
    """Whether the same words, read at the time of the block, name a date that the block holds."""
    again = [other for other in extract(line, reference=block.timestamp) if other.start == anchor.start]
    return any(_agrees(other, held) for other in again)


def _agrees(wanted: Anchor, held: Sequence[Anchor]) -> bool:
    # What a number is the value of is worded differently in an answer and in its evidence: only the value is compared.
    bare = [replace(anchor, slot=None) for anchor in held if anchor.kind == wanted.kind]
    return bool(compare((replace(wanted, slot=None),), bare).matched)
