"""Postings: which segments hold a term, and how often."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from aim_memory.storage.columns import Column

K1 = 1.2
B = 0.75


class Postings:
    """Term → (segments, counts), grown one segment at a time. Segments are numbered as they come."""

    def __init__(self) -> None:
        self._segments: dict[str, array[int]] = {}
        self._counts: dict[str, array[int]] = {}
        self._lengths = Column(np.int32)

    def append(self, terms: Mapping[str, int]) -> None:
        """Adds the next segment."""
        segment = len(self._lengths.view)
        for term, count in terms.items():
            held = self._segments.get(term)
            if held is None:
                self._segments[term], self._counts[term] = array("i", (segment,)), array("i", (count,))
            else:
                held.append(segment)
                self._counts[term].append(count)
        self._lengths.append(sum(terms.values()))

    def keep(self, alive: NDArray[np.bool_]) -> None:
        """Drops all segments but the live ones and numbers those anew."""
        numbers = np.cumsum(alive) - 1
        for term in list(self._segments):
            held, counts = np.array(self._segments[term], np.int32), np.array(self._counts[term], np.int32)
            kept = alive[held]
            if kept.any():
                self._segments[term] = array("i", numbers[held[kept]].astype(np.int32).tobytes())
                self._counts[term] = array("i", counts[kept].tobytes())
            else:
                del self._segments[term], self._counts[term]
        self._lengths.keep(alive)

    def segments(self, term: str, alive: NDArray[np.bool_] | None) -> NDArray[np.int32]:
        """Segments with the term, ascending; only live ones if ``alive`` (segments,) is given."""
        held = np.array(self._segments.get(term, ()), np.int32)
        return held if alive is None else held[alive[held]]

    def idf(self, terms: Sequence[str], alive: NDArray[np.bool_] | None) -> NDArray[np.float32]:
        total = len(self._lengths.view) if alive is None else int(alive.sum())
        if alive is None:
            df = np.array([len(self._segments.get(term, ())) for term in terms], np.float64)
        else:
            df = np.array([len(self.segments(term, alive)) for term in terms], np.float64)
        return np.log1p((total - df + 0.5) / (df + 0.5)).astype(np.float32)

    def bm25(self, terms: Mapping[str, float], alive: NDArray[np.bool_] | None) -> NDArray[np.float32]:
        """Score of every segment, (segments,); ``terms`` carry weights."""
        lengths = self._lengths.view
        known = [term for term in terms if term in self._segments]
        if not known:
            return np.zeros(len(lengths), np.float32)
        held = [np.array(self._segments[term], np.int32) for term in known]
        gains = self.idf(known, alive) * np.array([terms[term] for term in known], np.float32)
        rows = np.concatenate(held)
        counts = np.concatenate([np.array(self._counts[term], np.float32) for term in known])
        weights = np.repeat(gains, [len(rows_) for rows_ in held])
        mean = float(lengths.mean() if alive is None else lengths[alive].mean() if alive.any() else 1) or 1.0
        damping = K1 * (1 - B + B * lengths[rows] / mean)
        scores = np.bincount(rows, weights * counts * (K1 + 1) / (counts + damping), minlength=len(lengths))
        return scores.astype(np.float32)
