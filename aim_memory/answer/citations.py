"""Which stretch of which memory each sentence of an answer rests on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from aim_memory.text import analyse, sentences
from aim_memory.types import EvidenceBlock

SUPPORT = 0.5
"""A sentence of free text cites the evidence sentence that holds at least this share of its terms."""

_MARK = re.compile(r"\[(\d{1,3})\]")
_VALUE = re.compile(r"\d[\d.,:]*\d|\d")


@dataclass(frozen=True, slots=True)
class Quote:
    """``quote`` is ``text[start:end]`` of the memory named."""

    memory_id: str
    quote: str
    start: int
    end: int


def cite(answer: str, blocks: Sequence[EvidenceBlock]) -> tuple[Quote, ...]:
    """Citations in the order of the answer, none twice.

    A line that lies literally in a block cites exactly that. Any other sentence cites the sentence that supports it
    best, among the blocks it names by number ("[2]") or else among all; a sentence nothing supports cites nothing.
    """
    found: dict[Quote, None] = {}
    for line in answer.splitlines():
        literal = _literal(line.strip(), blocks)
        for quote in [literal] if literal else _supports(line, blocks):
            found.setdefault(quote)
    return tuple(found)


def _literal(line: str, blocks: Sequence[EvidenceBlock]) -> Quote | None:
    for block in blocks:
        at = block.text.find(line) if line else -1
        if at >= 0:
            return Quote(block.memory_id, line, block.start + at, block.start + at + len(line))
    return None


def _supports(line: str, blocks: Sequence[EvidenceBlock]) -> Iterator[Quote]:
    # A mark may stand after the full stop: it belongs to the sentence before it.
    settled = re.sub(r"([.!?。！？]+)((?:\s*\[\d{1,3}\])+)", r"\2\1", line)
    for start, end in sentences(settled):
        claim = settled[start:end]
        named = [blocks[int(mark) - 1] for mark in _MARK.findall(claim) if 0 < int(mark) <= len(blocks)]
        best = _best(_MARK.sub("", claim), named or blocks, 0.0 if named else SUPPORT)
        if best:
            yield best


def _best(claim: str, blocks: Sequence[EvidenceBlock], least: float) -> Quote | None:
    wanted, values = set(analyse(claim)), set(_VALUE.findall(claim))
    best, best_score = None, least
    for block in blocks:
        for start, end in sentences(block.text):
            held = block.text[start:end]
            score = _support(wanted, values, held)
            if wanted and score > best_score:
                best, best_score = Quote(block.memory_id, held, block.start + start, block.start + end), score
    return best


def _support(wanted: set[str], values: set[str], held: str) -> float:
    """Share of the claim's terms in the evidence sentence; a shared number counts as half of a full match."""
    shared = len(wanted & set(analyse(held))) / max(1, len(wanted))
    return shared + 0.5 * bool(values & set(_VALUE.findall(held)))
