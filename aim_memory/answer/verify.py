"""Checking an answer against its evidence: every number, date, name and identifier must be held by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aim_memory.anchors import compare, extract
from aim_memory.types import Anchor, EvidenceBlock

_CHECKED = ("number", "date", "name", "identifier")


@dataclass(frozen=True, slots=True)
class Verified:
    """Anchors of an answer, in text order; offsets are into the answer."""

    supported: tuple[Anchor, ...]
    unsupported: tuple[Anchor, ...]


def verify(answer: str, blocks: Sequence[EvidenceBlock], *, reference: datetime) -> Verified:
    """Splits the checkable anchors of ``answer`` into those the blocks hold and those they do not.

    Numbers agree by value and unit ("ten million" with 10M), dates when one interval holds the other. Relative dates of
    a block count from the block's own time, those of the answer from ``reference``. Who said a block, and the day it
    was said, belong to what it holds.
    """
    held = [anchor for block in blocks for anchor in _held(block)]
    wanted = [anchor for anchor in extract(answer, reference=reference) if anchor.kind in _CHECKED]
    supported = tuple(anchor for anchor in wanted if _agrees(anchor, held))
    return Verified(supported, tuple(anchor for anchor in wanted if anchor not in supported))


def _held(block: EvidenceBlock) -> list[Anchor]:
    said = extract(block.text, reference=block.timestamp)
    named = extract(block.speaker, reference=block.timestamp) if block.speaker else ()
    midnight = block.timestamp.replace(hour=0, minute=0, second=0, microsecond=0)
    day = f"{midnight:%Y-%m-%d}"
    return [*said, *named, Anchor("date", day, day, 0, len(day), since=midnight, until=midnight + timedelta(days=1))]


def _agrees(wanted: Anchor, held: Sequence[Anchor]) -> bool:
    # What a number is the value of is worded differently in an answer and its evidence; the value itself is checked.
    bare = replace(wanted, slot=None)
    return bool(compare((bare,), [replace(anchor, slot=None) for anchor in held if anchor.kind == wanted.kind]).matched)
