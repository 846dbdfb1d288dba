"""Cutting evidence into what can be quoted: short turns whole, longer ones by one or two sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aim_memory.text import sentences
from aim_memory.types import EvidenceBlock

SENTENCES = 3
"""Most sentences of one quote."""
CHARACTERS = 240
"""A turn up to this long, and of so few sentences, is quoted whole; a CJK character counts three."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """``blocks[block].text[start:end]``: whole sentences on one line."""

    block: int
    start: int
    end: int
    text: str


def stretches(blocks: Sequence[EvidenceBlock]) -> list[Stretch]:
    """In the order of the blocks, then of their text."""
    return [
        Stretch(place, start, end, block.text[start:end])
        for place, block in enumerate(blocks)
        for start, end in _spans(block.text)
    ]


def _spans(text: str) -> Iterator[tuple[int, int]]:
    found = [span for span in sentences(text) if any(map(str.isalnum, text[slice(*span)]))]
    if not found:
        return
    whole = (found[0][0], found[-1][1])
    if len(found) <= SENTENCES and fits(text, whole):
        yield whole
        return
    for place, (start, end) in enumerate(found):
        following = found[place + 1][1] if place + 1 < len(found) else end
        yield (start, following) if fits(text, (start, following)) else (start, end)


def fits(text: str, span: tuple[int, int]) -> bool:
    """Short enough to be one quote, and without a line break in it."""
    stretch = text[slice(*span)]
    wide = sum(char > "\u2fff" for char in stretch)
    return "\n" not in stretch and len(stretch) + 2 * wide <= CHARACTERS


def overlap(one: Stretch, other: Stretch) -> bool:
    """Whether two stretches share text, or say the same."""
    shared = one.block == other.block and one.start < other.end and other.start < one.end
    return shared or one.text == other.text
