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

    def extend(self, segments: Sequence[Mapping[str, int]]) -> None:
        """Adds the next segments, sorted by term all at once."""
        first, numbers = len(self._lengths.view), self._numbers
        sizes = [len(terms) for terms in segments]
        terms = np.fromiter(
            (numbers.setdefault(t, len(numbers)) for own in segments for t in own), np.int64, sum(sizes)
        )
        counts = np.fromiter((count for own in segments for count in own.values()), np.int32, sum(sizes))
        self._lengths.extend(np.array([sum(own.values()) for own in segments], np.int32))
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

    def segments(self, term: str, alive: NDArray[np.bool_] | None) -> _Segments:
        """Segments with the term, ascending; only live ones if ``alive`` (segments,) is given."""
        number = self._numbers.get(term)
        held = np.array(() if number is None else self._segments[number], np.int32)
        return held if alive is None else held[alive[held]]

    def idf(self, terms: Sequence[str], alive: NDArray[np.bool_] | None) -> NDArray[np.float32]:
        total = len(self._lengths.view) if alive is None else int(alive.sum())
        holders = np.array([len(self.segments(term, alive)) for term in terms], np.float64)
        return np.log1p((total - holders + 0.5) / (holders + 0.5)).astype(np.float32)

    def bm25(self, terms: Mapping[str, float], alive: NDArray[np.bool_] | None) -> NDArray[np.float32]:
        """Score of every segment, (segments,); ``terms`` carry weights."""
        lengths = self._lengths.view
        known = {term: self._numbers[term] for term in terms if term in self._numbers}
        if not known:
            return np.zeros(len(lengths), np.float32)
        held = [np.array(self._segments[number], np.int32) for number in known.values()]
        gains = self.idf(list(known), alive) * np.array([terms[term] for term in known], np.float32)
        rows = np.concatenate(held)
        counts = np.concatenate([np.array(self._counts[number], np.float32) for number in known.values()])
        live = lengths if alive is None else lengths[alive]
        mean = float(live.mean()) if live.any() else 1.0
        damping = K1 * (1 - B + B * lengths[rows] / mean)
        weights = np.repeat(gains, [len(own) for own in held]) * counts * (K1 + 1) / (counts + damping)
        return np.bincount(rows, weights, minlength=len(lengths)).astype(np.float32)
