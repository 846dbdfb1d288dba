"""Which stretch of which memory each sentence of an answer rests on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from aim_memory.anchors import compare
from aim_memory.answer.dated import is_date_line
from aim_memory.answer.reading import Evidence, HeldBlock, HeldSentence, Reading
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


def cite(answer: str, blocks: Sequence[EvidenceBlock] | Evidence) -> tuple[Quote, ...]:
    """Citations in the order of the answer, none twice.

    A line that lies literally in a block cites exactly that. Any other sentence cites the sentence that supports it
    best, among the blocks it names by number ("[2]") or else among all; a sentence nothing supports cites nothing, and
    nor does the resolved date of a quote.
    """
    evidence = blocks if isinstance(blocks, Evidence) else Evidence(blocks)
    found: dict[Quote, None] = {}
    for line in answer.split("\n"):
        if is_date_line(line):
            continue
        literal = _literal(line.strip(), evidence)
        for quote in [literal] if literal else _supports(line, evidence):
            found.setdefault(quote)
    return tuple(found)


def _literal(line: str, evidence: Evidence) -> Quote | None:
    for held in evidence.blocks:
        block = held.block
        at = block.text.find(line) if line else -1
        if at >= 0:
            return Quote(block.memory_id, line, block.start + at, block.start + at + len(line))
    return None


def _supports(line: str, evidence: Evidence) -> Iterator[Quote]:
    blocks = evidence.blocks
    # A mark may stand after the full stop: it belongs to the sentence before it.
    settled = re.sub(r"([.!?。！？]+)((?:\s*\[\d{1,3}\])+)", r"\2\1", line)
    for start, end in sentences(settled):
        claim = settled[start:end]
        named = [blocks[int(mark) - 1] for mark in CITATION_MARK.findall(claim) if 0 < int(mark) <= len(blocks)]
        best = _best(_Claim(CITATION_MARK.sub("", claim)), named or blocks, 0.0 if named else SUPPORT)
        if best:
            yield best


def _best(claim: _Claim, blocks: Sequence[HeldBlock], least: float) -> Quote | None:
    best, best_score = None, least
    for held in (sentence for block in blocks for sentence in block.sentences):
        score = claim.support(held)
        if score > best_score:
            block = held.block
            best = Quote(block.memory_id, held.text, block.start + held.start, block.start + held.end)
            best_score = score
    return best


class _Claim:
    """A sentence of an answer, read at the time of the evidence it is compared with."""

    def __init__(self, text: str) -> None:
        self._reading = Reading(text)
        self._terms = frozenset(analyse(text))

    def support(self, held: HeldSentence) -> float:
        """Share of the claim's terms in the evidence sentence, plus half the share of its values."""
        shared = len(self._terms & held.terms) / max(1, len(self._terms))
        if not shared or not (values := self._values_at(held.block.timestamp)):
            return shared
        agreed = compare(values, held.anchors).matched
        return shared + 0.5 * len(agreed) / len(values)

    def _values_at(self, moment: datetime) -> tuple[Anchor, ...]:
        return tuple(anchor for anchor in self._reading.at(moment) if anchor.kind in _VALUES)
