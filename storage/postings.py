"""Postings: which segments hold a term, and how often."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from aim_memory.storage.columns import Column

K1 = 1.2
B = 0.75

_Segments = NDArray[np.int32]


class Postings:
    """Term → (segments, counts). Segments are numbered as they come."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._segments: list[array[int]] = []
        self._counts: list[array[int]] = []
        self._lengths = Column(np.int32)
        self._words, self._ends = Column(np.int32), Column(np.int64)  # each segment's terms, one after the other
        self._live = self._total = 0  # segments that are not dead, and the terms in them

    def extend(self, segments: Sequence[Mapping[str, int]]) -> None:
        """Adds the next segments, sorted by term all at once."""
        first, numbers = len(self._lengths.view), self._numbers
        sizes = [len(terms) for terms in segments]
        terms = np.fromiter(
            (numbers.setdefault(t, len(numbers)) for own in segments for t in own), np.int64, sum(sizes)
        )
        counts = np.fromiter((count for own in segments for count in own.values()), np.int32, sum(sizes))
        lengths = np.array([sum(own.values()) for own in segments], np.int32)
        self._lengths.extend(lengths)
        self._words.extend(terms.astype(np.int32))
        self._ends.extend(len(self._words.view) - len(terms) + np.cumsum(sizes, dtype=np.int64))
        self._live += len(lengths)
        self._total += int(lengths.sum())
        for _ in range(len(self._segments), len(numbers)):
            self._segments.append(array("i"))
            self._counts.append(array("i"))
        order = np.argsort(terms, kind="stable")
        owners = np.repeat(np.arange(first, first + len(sizes), dtype=np.int32), sizes)[order]
        self._append(terms[order], owners, counts[order])

    def _append(self, terms: NDArray[np.int64], owners: _Segments, counts: NDArray[np.int32]) -> None:
        """Appends postings that are sorted by term."""
        starts = np.flatnonzero(np.diff(terms, prepend=-1))
        ends = np.append(starts[1:], len(terms))[: len(starts)]
        for term, start, end in zip(terms[starts].tolist(), starts.tolist(), ends.tolist(), strict=True):
            self._segments[term].frombytes(owners[start:end].tobytes())
            self._counts[term].frombytes(counts[start:end].tobytes())

    def keep(self, alive: NDArray[np.bool_]) -> None:
        """Drops all segments but the live ones and numbers those anew; terms that nobody uses go too."""
        renumbered = (np.cumsum(alive) - 1).astype(np.int32)
        former = self._numbers
        held = {
            term: (np.array(self._segments[n], np.int32), np.array(self._counts[n], np.int32))
            for term, n in self._numbers.items()
        }
        self._numbers, self._segments, self._counts = {}, [], []
        for term, (segments, counts) in held.items():
            kept = alive[segments]
            if kept.any():
                self._numbers[term] = len(self._numbers)
                self._segments.append(array("i", renumbered[segments[kept]].tobytes()))
                self._counts.append(array("i", counts[kept].tobytes()))
        self._lengths.keep(alive)
        self._keep_words(alive, former)

    def _keep_words(self, alive: NDArray[np.bool_], former: Mapping[str, int]) -> None:
        """Drops the terms of dead segments and gives the others their new numbers."""
        sizes = np.diff(self._ends.view, prepend=0)
        number = np.full(len(former), -1, np.int32)
        number[[former[term] for term in self._numbers]] = np.arange(len(self._numbers))
        self._words.keep(np.repeat(alive, sizes))
        self._words.view[:] = number[self._words.view]
        self._ends.keep(alive)
        self._ends.view[:] = np.cumsum(sizes[alive])

    def overlap(self, memories: Sequence[range], alive: NDArray[np.bool_] | None) -> NDArray[np.float32]:
        """(n, n): the idf of the terms that two memories share, over that of all their terms."""
        held = [np.unique(self._words.view[slice(*self._span(segments))]) for segments in memories]
        numbers, codes = np.unique(np.concatenate(held), return_inverse=True)
        has = np.zeros((len(held), len(numbers)), np.float64)
        has[np.repeat(np.arange(len(held)), [len(own) for own in held]), codes] = 1
        rarity = self._rarity(np.array([self._count(int(number), alive) for number in numbers], np.float64))
        shared = (has * rarity) @ has.T
        either = shared.diagonal()[:, None] + shared.diagonal() - shared
        return np.divide(shared, either, out=np.zeros_like(shared), where=either > 0).astype(np.float32)

    def _span(self, segments: range) -> tuple[int, int]:
        """Where the terms of neighbouring segments lie."""
        if not segments:
            return 0, 0
        return int(self._ends[segments[0] - 1]) if segments[0] else 0, int(self._ends[segments[-1]])

    def withdraw(self, segments: range) -> None:
        """Says that neighbouring segments are dead: they no longer count in the mean length."""
        self._total -= int(self._lengths.view[segments.start : segments.stop].sum())
        self._live -= len(segments)

    def holds(self, term: str, segments: NDArray[np.int64]) -> NDArray[np.bool_]:
        """For each of these segments, whether it has the term: (segments,)."""
        number = self._numbers.get(term)
        if number is None:
            return np.zeros(len(segments), np.bool_)
        held = np.array(self._segments[number], np.int32)
        places = np.minimum(np.searchsorted(held, segments), len(held) - 1)
        return np.asarray(held[places] == segments)

    def idf(self, terms: Sequence[str], alive: NDArray[np.bool_] | None) -> NDArray[np.float32]:
        return self._rarity(np.array([self._holders(term, alive) for term in terms], np.float64)).astype(np.float32)

    def bm25(self, terms: Mapping[str, float], alive: NDArray[np.bool_] | None) -> NDArray[np.float32]:
        """Score of every segment, (segments,), dead ones included; ``terms`` carry weights."""
        numbers = [(self._numbers[term], weight) for term, weight in terms.items() if term in self._numbers]
        if not numbers:
            return np.zeros(len(self._lengths.view), np.float32)
        segments = np.concatenate([np.array(self._segments[number], np.int32) for number, _ in numbers])
        counts = np.concatenate([np.array(self._counts[number], np.float32) for number, _ in numbers])
        sizes = np.array([len(self._segments[number]) for number, _ in numbers])
        live = sizes if alive is None else np.add.reduceat(alive[segments], np.cumsum(sizes) - sizes, dtype=np.int64)
        gains = self._rarity(live.astype(np.float64)) * np.array([weight for _, weight in numbers]) * (K1 + 1)
        damping = self._lengths.view[segments] * np.float32(K1 * B / self._mean) + np.float32(K1 * (1 - B))
        weights = np.repeat(gains, sizes) * (counts / (counts + damping))
        return np.bincount(segments, weights, minlength=len(self._lengths.view)).astype(np.float32)

    @property
    def _mean(self) -> float:
        return self._total / self._live if self._total else 1.0

    def _holders(self, term: str, alive: NDArray[np.bool_] | None) -> int:
        number = self._numbers.get(term)
        return 0 if number is None else self._count(number, alive)

    def _count(self, number: int, alive: NDArray[np.bool_] | None) -> int:
        held = self._segments[number]
        return len(held) if alive is None else int(alive[np.array(held, np.int32)].sum())

    def _rarity(self, holders: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.log1p((self._live - holders + 0.5) / (holders + 0.5))
