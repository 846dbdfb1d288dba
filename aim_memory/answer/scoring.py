"""Which sentence of the evidence answers a question best: named parts, one weighted sum."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aim_memory.answer.asked import HELD, Asked, asked
from aim_memory.text import analyse, fold, is_question, sentences
from aim_memory.types import EvidenceBlock

WEIGHTS: Mapping[str, float] = {
    "rank": 1.0,
    "overlap": 1.0,
    "around": 0.6,
    "kind": 0.35,
    "unit": 0.25,
    "question": -0.8,
    "stale": -0.6,
    "assistant": -0.25,
    "recency": 0.15,
    "thin": -0.4,
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence, ``blocks[block].text[start:end]``, with its score parts."""

    block: int
    start: int
    end: int
    text: str
    parts: Mapping[str, float]

    @property
    def score(self) -> float:
        return sum(WEIGHTS[name] * value for name, value in self.parts.items())

    @property
    def relevance(self) -> float:
        """How much of the question the sentence and what stands around it hold, in [0, 1]."""
        return max(self.parts["overlap"], self.parts["around"])


def candidates(question: str, blocks: Sequence[EvidenceBlock]) -> list[Candidate]:
    """All sentences of the blocks with their parts, best first; ties keep the order of the blocks."""
    spans = [_lines(block.text) for block in blocks]
    bags = [
        [frozenset(analyse(block.text[start:end])) for start, end in cuts]
        for block, cuts in zip(blocks, spans, strict=True)
    ]
    wanted = _Wanted(question, asked(question), _weights(question, blocks, bags))
    around = [_around(place, blocks, bags) for place in range(len(blocks))]
    ages = _recency(blocks)
    found = [
        Candidate(place, start, end, blocks[place].text[start:end], parts)
        for place, block in enumerate(blocks)
        for (start, end), bag in zip(spans[place], bags[place], strict=True)
        for parts in [wanted.parts(block, block.text[start:end], bag, around[place], place, ages[place])]
    ]
    return sorted(found, key=lambda candidate: -candidate.score)


@dataclass(frozen=True, slots=True)
class _Wanted:
    question: str
    asked: Asked
    weights: Mapping[str, float]

    def parts(
        self, block: EvidenceBlock, text: str, bag: frozenset[str], around: frozenset[str], place: int, age: float
    ) -> dict[str, float]:
        sign = {"present": 1.0, "past": -1.0, "any": 0.3}[self.asked.tense]
        stale = (not block.current) if self.asked.tense != "past" else -1.0 * (not block.current)
        return {
            "rank": 1 / (1 + 0.3 * place),
            "overlap": share(self.weights, bag),
            "around": share(self.weights, around | bag),
            "kind": self._kind(text),
            "unit": float(any(unit.search(fold(text)) for unit in self.asked.units)),
            "question": float(is_question(text)),
            "stale": float(stale),
            "assistant": float((block.role == "assistant") != self.asked.assistant),
            "recency": sign * age,
            "thin": float(len(bag) < 3),
        }

    def _kind(self, text: str) -> float:
        """Whether the sentence holds a value of a kind asked for that the question itself does not give."""
        own = fold(self.question)
        for kind in self.asked.kinds:
            shown = HELD[kind].findall(text if kind in ("person", "place") else fold(text))
            if any(value and fold(value) not in own for value in shown):
                return 1.0
        return 0.0


def share(weights: Mapping[str, float], bag: frozenset[str]) -> float:
    """How much of the weight of the question's terms is in the bag, in [0, 1]."""
    total = sum(weights.values())
    return sum(weight for term, weight in weights.items() if term in bag) / total if total > 0 else 0.0


def _weights(
    question: str, blocks: Sequence[EvidenceBlock], bags: Sequence[Sequence[frozenset[str]]]
) -> dict[str, float]:
    """Question terms by rarity over the sentences, ln((n + 1) / (df + 0.5)). Who speaks is known from the block."""
    speakers = {term for block in blocks if block.speaker for term in analyse(block.speaker)}
    lines = [bag for group in bags for bag in group]
    held = Counter(term for bag in lines for term in bag)
    return {
        term: max(0.05, math.log((len(lines) + 1) / (held[term] + 0.5)))
        for term in analyse(question)
        if term not in speakers
    }


def _around(place: int, blocks: Sequence[EvidenceBlock], bags: Sequence[Sequence[frozenset[str]]]) -> frozenset[str]:
    """Terms of the whole block, and of the turn before it when that is among the blocks: a reply rests on its question."""
    block = blocks[place]
    near = [
        other
        for other, before in enumerate(blocks)
        if before.memory_id == block.memory_id
        or (
            before.session_id == block.session_id is not None
            and before.ordinal is not None
            and block.ordinal is not None
            and 0 < block.ordinal - before.ordinal <= 1
        )
    ]
    return frozenset().union(*(bag for other in near for bag in bags[other]))


def _recency(blocks: Sequence[EvidenceBlock]) -> list[float]:
    """Place of each block in time, 0 the oldest, 1 the newest."""
    times = sorted({block.timestamp for block in blocks})
    last = max(1, len(times) - 1)
    return [times.index(block.timestamp) / last for block in blocks]


def _lines(text: str) -> list[tuple[int, int]]:
    return [span for span in sentences(text) if any(map(str.isalnum, text[slice(*span)]))]
