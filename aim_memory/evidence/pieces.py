"""Cutting ranked memories into pieces a context can be filled with, each with what it is worth for the question."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

from aim_memory.evidence.plain import plainly
from aim_memory.evidence.summary import SUMMARY_WORDS, courtesy, summary_spans, words
from aim_memory.evidence.tokens import weighed
from aim_memory.text import analyse, is_question, sentences
from aim_memory.types import StoredMemory

Span = tuple[int, int]
WHOLE_WORDS = 80
"""A text of up to so many words comes whole where it fits."""
REPLY = 0.5
"""What the turn after a hit that asks is worth, as its likely answer, against the hit."""
BESIDE = 0.1
"""The same for other neighbours."""
UNASKED = 0.3
"""What a sentence is worth that holds nothing of the question: answers often do not repeat it."""
EMPTY = 0.1
"""The same for questions, courtesies and fragments."""
RankedMemory = tuple[StoredMemory, float, bool]
"""A memory, its score, and whether what it says still holds."""


class Stretch(NamedTuple):
    """``text[start:end]``: a sentence, or the whole of a short text; the same in every question."""

    start: int
    end: int
    tokens: float
    """What it costs alone, without date and speaker."""
    words: float


class Said(NamedTuple):
    """What a stretch says; the same in every question."""

    terms: frozenset[str]
    empty: bool
    """Says hardly anything: a question, a courtesy, a fragment."""


class Worths:
    """What sentences are worth for a question. Most texts come whole, so nothing is read before one has to be cut."""

    def __init__(self, question: str, texts: Sequence[str]) -> None:
        """``texts``: of all sources. Rare terms weigh more; rarity is counted over their stretches."""
        self._question = question
        self._texts = texts

    def of(self, text: str) -> list[float]:
        """Of each stretch: the share of the question that it holds, and something for what it says beside."""
        return [self._held(said) + (EMPTY if said.empty else UNASKED) for said in _said(text)]

    def _held(self, said: Said) -> float:
        return sum(weight for term, weight in self._weights.items() if term in said.terms)

    @cached_property
    def _weights(self) -> Mapping[str, float]:
        return rarity(self._question, [said.terms for text in self._texts for said in _said(text)])


class Piece(NamedTuple):
    """What is taken of a memory at once: one sentence of a long text, all of one that is not long."""

    place: int
    """Of its memory among the sources, 0 is best."""
    stretches: tuple[Stretch, ...]
    value: float
    """How much of what is looked for it is expected to hold."""

    @property
    def tokens(self) -> float:
        return sum(stretch.tokens for stretch in self.stretches)

    @property
    def words(self) -> float:
        return sum(stretch.words for stretch in self.stretches)


class Source(NamedTuple):
    """A ranked memory with its stretches in text order."""

    place: int
    memory: StoredMemory
    score: float
    current: bool
    prior: float
    """What the memory is worth by its rank."""
    stretches: tuple[Stretch, ...]
    worths: Worths

    @property
    def pieces(self) -> list[Piece]:
        """The whole of a text that is not long, else its sentences, which share the memory's prior by their worth."""
        if sum(stretch.words for stretch in self.stretches) <= WHOLE_WORDS:
            return [Piece(self.place, self.stretches, self.prior)] if self.stretches else []
        return self.sentences

    @property
    def sentences(self) -> list[Piece]:
        """Each stretch by itself."""
        worths = self.worths.of(self.memory.text)
        total = sum(worths)
        return [
            Piece(self.place, (stretch,), self.prior * worth / total)
            for stretch, worth in zip(self.stretches, worths, strict=True)
        ]

    @property
    def summary(self) -> Piece:
        """The stretches that its summary is made of."""
        chosen = set(_summary(self.memory.text))
        kept = tuple(one for one in self.stretches if (one.start, one.end) in chosen)
        return Piece(self.place, kept, self.prior)


def order(
    hits: Sequence[RankedMemory], neighbours: Mapping[str, Sequence[StoredMemory]]
) -> list[tuple[RankedMemory, float]]:
    """The hits with their neighbours among them, no memory twice, each with its prior: 1 / rank for a hit.

    The turn after a hit that asks follows it at once, as its likely answer; other neighbours come last.
    """
    ranked: dict[str, tuple[RankedMemory, float]] = {}
    late: list[tuple[RankedMemory, float]] = []
    taken = {memory.id for memory, _, _ in hits}
    for rank, hit in enumerate(hits, start=1):
        memory, score, _ = hit
        ranked[memory.id] = (hit, 1 / rank)
        for beside in neighbours.get(memory.id, ()):
            entry = (beside, score, beside.superseded_by is None)
            if beside.id in taken:
                continue
            if beside.ordinal > memory.ordinal and is_question(memory.text):
                ranked[beside.id] = (entry, REPLY / rank)
                taken.add(beside.id)
            else:
                late.append((entry, BESIDE / rank))
    for entry, prior in late:
        ranked.setdefault(entry[0].id, (entry, prior))
    return list(ranked.values())


def cut(question: str, ranked: Sequence[tuple[RankedMemory, float]]) -> list[Source]:
    """One source per memory, in the same order."""
    worths = Worths(question, [memory.text for (memory, _, _), _ in ranked])
    return [
        Source(place, memory, score, current, prior, _stretches(memory.text), worths)
        for place, ((memory, score, current), prior) in enumerate(ranked)
    ]


def rarity(question: str, bags: Sequence[frozenset[str]]) -> dict[str, float]:
    """Question terms with their share of the weight ln((n + 1) / (df + 0.5)), over ``bags``."""
    asked = frozenset(analyse(question))
    held = Counter(term for bag in bags for term in bag & asked)
    weights = {term: math.log((len(bags) + 1) / (held[term] + 0.5)) for term in sorted(asked)}
    total = sum(weights.values())
    return {term: weight / total for term, weight in weights.items()} if total > 0 else {}


@lru_cache(maxsize=4096)
def _stretches(text: str) -> tuple[Stretch, ...]:
    return tuple([_stretch(text, start, end) for start, end in _spans(text)])


def _stretch(text: str, start: int, end: int) -> Stretch:
    bare = plainly(text[start:end])
    return Stretch(start, end, weighed(bare), words(bare))


@lru_cache(maxsize=4096)
def _said(text: str) -> tuple[Said, ...]:
    """What each of a text's stretches says."""
    return tuple([_read(text[one.start : one.end], one.words) for one in _stretches(text)])


def _read(own: str, length: float) -> Said:
    return Said(frozenset(analyse(own)), length < 3 or is_question(own) or courtesy(plainly(own)))


_summary = lru_cache(maxsize=4096)(summary_spans)


def _spans(text: str) -> list[Span]:
    if len(text) < 2 * SUMMARY_WORDS or words(text) <= SUMMARY_WORDS:  # no word is shorter than a sign and a blank
        start, end = len(text) - len(text.lstrip()), len(text.rstrip())
        return [(start, end)] if start < end else []
    return sentences(text)
