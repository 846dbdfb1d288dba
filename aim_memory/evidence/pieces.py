"""Cutting ranked memories into stretches a context can be filled with, each with what it is worth for the question."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from aim_memory.evidence.plain import plain
from aim_memory.evidence.summary import SUMMARY_WORDS, summary_spans, words
from aim_memory.evidence.tokens import count_tokens
from aim_memory.text import analyse, is_question, sentences
from aim_memory.types import StoredMemory

Span = tuple[int, int]
WHOLE_WORDS = 80
"""A text of up to so many words comes whole where it fits."""
RankedMemory = tuple[StoredMemory, float, bool]
"""A memory, its score, and whether what it says still holds."""


@dataclass(frozen=True, slots=True)
class Piece:
    """``memory.text[start:end]``: a whole short text, or one sentence of a long one."""

    place: int
    """Of its memory among the ranked ones, 0 is best."""
    start: int
    end: int
    worth: float
    """Share of the question's weighted terms that the piece holds, in [0, 1]."""
    tokens: int = 0
    """What it costs alone, without date and speaker."""


@dataclass(frozen=True, slots=True)
class Source:
    """A ranked memory with its pieces, in text order."""

    memory: StoredMemory
    score: float
    current: bool
    pieces: tuple[Piece, ...]

    @property
    def lead(self) -> Sequence[Span]:
        """What it is represented by: all of a text that is not long, else its most relevant piece."""
        if words(self.memory.text) <= WHOLE_WORDS:
            return [(piece.start, piece.end) for piece in self.pieces]
        return self.best

    @property
    def best(self) -> Sequence[Span]:
        """Its most relevant piece; none of an empty text."""
        return [(piece.start, piece.end) for piece in sorted(self.pieces, key=lambda piece: -piece.worth)[:1]]

    @property
    def summary(self) -> tuple[Span, ...]:
        """The stretches that its summary is made of."""
        return _summary(self.memory.text)


def order(hits: Sequence[RankedMemory], neighbours: Mapping[str, Sequence[StoredMemory]]) -> list[RankedMemory]:
    """The hits with their neighbours among them, no memory twice.

    The turn after a hit that asks follows it at once, as its likely answer; other neighbours come last.
    """
    ranked: dict[str, RankedMemory] = {}
    late: list[RankedMemory] = []
    taken = {memory.id for memory, _, _ in hits}
    for memory, score, current in hits:
        ranked[memory.id] = (memory, score, current)
        for beside in neighbours.get(memory.id, ()):
            entry = (beside, score, beside.superseded_by is None)
            answers = is_question(memory.text) and beside.ordinal > memory.ordinal
            if beside.id in taken:
                continue
            if answers:
                ranked[beside.id] = entry
                taken.add(beside.id)
            else:
                late.append(entry)
    for entry in late:
        ranked.setdefault(entry[0].id, entry)
    return list(ranked.values())


def cut(question: str, ranked: Sequence[RankedMemory]) -> list[Source]:
    """One source per memory, in the same order. Rare terms weigh more; rarity is counted over the pieces themselves."""
    stretches = [_stretches(memory.text) for memory, _, _ in ranked]
    weights = rarity(question, [one.terms for group in stretches for one in group])
    return [
        Source(
            memory,
            score,
            current,
            tuple(Piece(place, one.start, one.end, share(weights, one.terms), one.tokens) for one in stretches[place]),
        )
        for place, (memory, score, current) in enumerate(ranked)
    ]


def rarity(question: str, bags: Sequence[frozenset[str]]) -> dict[str, float]:
    """Question terms with their share of the weight ln((n + 1) / (df + 0.5)), over ``bags``."""
    asked = frozenset(analyse(question))
    held = Counter(term for bag in bags for term in bag & asked)
    weights = {term: math.log((len(bags) + 1) / (held[term] + 0.5)) for term in sorted(asked)}
    total = sum(weights.values())
    return {term: weight / total for term, weight in weights.items()} if total > 0 else {}


def share(weights: Mapping[str, float], bag: frozenset[str]) -> float:
    """How much of the weight of all terms is in the bag, in [0, 1]."""
    return sum(weight for term, weight in weights.items() if term in bag)


@dataclass(frozen=True, slots=True)
class _Stretch:
    start: int
    end: int
    terms: frozenset[str]
    tokens: int


@lru_cache(maxsize=4096)
def _stretches(text: str) -> tuple[_Stretch, ...]:
    """What is the same in every question about a text: its pieces, their terms and their cost."""
    return tuple(
        _Stretch(start, end, frozenset(analyse(text[start:end])), count_tokens(plain(text[start:end])))
        for start, end in _spans(text)
    )


_summary = lru_cache(maxsize=4096)(summary_spans)


def _spans(text: str) -> list[Span]:
    if words(text) <= SUMMARY_WORDS:
        start, end = len(text) - len(text.lstrip()), len(text.rstrip())
        return [(start, end)] if start < end else []
    return sentences(text)
