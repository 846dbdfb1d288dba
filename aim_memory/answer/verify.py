"""Checking an answer against its evidence: every number, date, name and identifier must be held by it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from aim_memory.anchors import compare
from aim_memory.answer.citations import CITATION_MARK
from aim_memory.answer.reading import Evidence, HeldBlock, Reading
from aim_memory.text import fold
from aim_memory.types import Anchor, EvidenceBlock

_CHECKED = frozenset({"number", "date", "name", "identifier"})


@dataclass(frozen=True, slots=True)
class Verified:
    """Anchors of an answer, in text order; offsets are into the answer."""

    supported: tuple[Anchor, ...]
    unsupported: tuple[Anchor, ...]


def verify(answer: str, blocks: Sequence[EvidenceBlock] | Evidence, *, reference: datetime) -> Verified:
    """Splits the checkable anchors of ``answer`` into those the blocks hold and those they do not.

    Numbers agree by value and unit ("ten million" with 10M), dates when one interval holds the other. Relative dates of
    a block count from the block's own time, those of the answer from ``reference`` or, where it repeats a block's
    wording ("yesterday", "18 April"), from that block's time. Who said a block, and the day it was said, belong to what
    it holds. A line that lies literally in a block is supported by it. Citation marks ("[2]") are not checked.
    """
    evidence = blocks if isinstance(blocks, Evidence) else Evidence(blocks)
    supported: list[Anchor] = []
    unsupported: list[Anchor] = []
    for offset, line in _lines(answer):
        literal = evidence.holds(line.strip())
        claim = CITATION_MARK.sub(lambda mark: " " * len(mark.group()), line)
        reading = Reading(claim)
        for anchor in reading.at(reference):
            if anchor.kind in _CHECKED:
                fits = literal or _supported(anchor, reading, evidence) or _spelled(anchor, evidence)
                placed = replace(anchor, start=anchor.start + offset, end=anchor.end + offset)
                (supported if fits else unsupported).append(placed)
    return Verified(tuple(supported), tuple(unsupported))


def _spelled(anchor: Anchor, evidence: Evidence) -> bool:
    """Whether a name or identifier stands in the evidence word for word, whatever the evidence takes it for."""
    if anchor.kind not in ("name", "identifier"):
        return False
    edge = r"\b" if anchor.text.isascii() else ""
    return bool(re.search(f"{edge}{re.escape(fold(anchor.text))}{edge}", evidence.worded))


def _lines(answer: str) -> Iterator[tuple[int, str]]:
    offset = 0
    for line in answer.split("\n"):
        yield offset, line
        offset += len(line) + 1


def _supported(anchor: Anchor, line: Reading, evidence: Evidence) -> bool:
    if any(_agrees(anchor, held) for held in evidence.blocks):
        return True
    return anchor.kind == "date" and any(_repeats(anchor, line, held) for held in evidence.blocks)


def _repeats(anchor: Anchor, line: Reading, held: HeldBlock) -> bool:
    """Whether the same words, read at the time of the block, name a date that the block holds."""
    again = [other for other in line.at(held.block.timestamp) if other.start == anchor.start]
    return any(_agrees(other, held) for other in again)


def _agrees(wanted: Anchor, held: HeldBlock) -> bool:
    same = [anchor for anchor in held.anchors if anchor.kind == wanted.kind]
    return bool(same) and bool(compare((wanted,), same).matched)
