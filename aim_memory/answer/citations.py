"""Which stretch of which memory each sentence of an answer rests on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from aim_memory.anchors import compare, extract
from aim_memory.answer.dated import is_date_line
from aim_memory.text import analyse, sentences
from aim_memory.types import Anchor, EvidenceBlock

SUPPORT = 0.5
"""A sentence of free text cites the evidence sentence that holds at least this share of its terms."""

CITATION_MARK = re.compile(r"\[(\d{1,3})\]")
"""How a language model names a memory: its number in the prompt."""
_VALUES = frozenset({"number", "date", "identifier"})


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
    best, among the blocks it names by number ("[2]") or else among all; a sentence nothing supports cites nothing, and
    nor does the resolved date of a quote.
    """
    found: dict[Quote, None] = {}
    for line in answer.split("\n"):
        if is_date_line(line):
            continue
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
        named = [blocks[int(mark) - 1] for mark in CITATION_MARK.findall(claim) if 0 < int(mark) <= len(blocks)]
        best = _best(CITATION_MARK.sub("", claim), named or blocks, 0.0 if named else SUPPORT)
        if best:
            yield best


def _best(claim: str, blocks: Sequence[EvidenceBlock], least: float) -> Quote | None:
    best, best_score = None, least
    for block in blocks:
        wanted = _Claim.of(claim, block.timestamp)
        for start, end in sentences(block.text):
            held = block.text[start:end]
            score = wanted.support(held, block.timestamp)
            if score > best_score:
                best, best_score = Quote(block.memory_id, held, block.start + start, block.start + end), score
    return best


@dataclass(frozen=True, slots=True)
class _Claim:
    """A sentence of an answer, read at the time of the evidence it is compared with."""

    terms: frozenset[str]
    values: tuple[Anchor, ...]

    @classmethod
    def of(cls, claim: str, reference: datetime) -> _Claim:
        anchors = extract(claim, reference=reference)
        return cls(frozenset(analyse(claim)), tuple(replace(a, slot=None) for a in anchors if a.kind in _VALUES))

    def support(self, held: str, reference: datetime) -> float:
        """Share of the claim's terms in the evidence sentence, plus half the share of its values."""
        shared = len(self.terms & analyse(held).keys()) / max(1, len(self.terms))
        if not self.values or not shared:
            return shared
        agreed = compare(self.values, extract(held, reference=reference)).matched
        return shared + 0.5 * len(agreed) / len(self.values)
