"""Postings: which segments hold a term, and how often."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aim_memory.storage.columns import Column

K1 = 1.2
B = 0.75

_FEW = 32
"""Postings are few where there are so many times fewer of them than segments."""

_Segments = NDArray[np.int32]
_TERM = 160
"""Bytes of a word as a key."""
_SINCE = 350
"""Bytes of two short arrays of their own."""


class _Held(NamedTuple):
    """The postings of a term."""

    segments: _Segments
    """Ascending."""
    counts: NDArray[np.int32]
    gain: float
    """No score gets more than this from it."""


class Postings:
    """Term → (segments, counts). Segments are numbered as they come.

    Most postings lie sorted by term in two arrays; what came since stands apart, and is sorted in when there is a
    quarter as much of it.
    """

    def __init__(self, apart: int = 4_096) -> None:
        """``apart``: postings that may stand apart in any case."""
        self._least = apart
        self._numbers: dict[str, int] = {}
        self._starts = np.zeros(1, np.int64)  # where each term's postings begin among those that are sorted
        self._segments, self._counts = np.zeros(0, np.int32), np.zeros(0, np.int32)
        self._since: dict[int, tuple[array[int], array[int]]] = {}
        self._apart = 0  # postings in it
        self._lengths = Column(np.int32)
        self._words, self._ends = Column(np.int32), Column(np.int64)  # each segment's terms, one after the other
        self._live = self._total = 0  # segments that are not dead, and the terms in them

    def extend(self, segments: Sequence[Mapping[str, int]]) -> None:
        """Adds the next segments."""
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
        self._add(terms, np.repeat(np.arange(first, first + len(sizes), dtype=np.int32), sizes), counts)

    def _add(self, terms: NDArray[np.int64], owners: _Segments, counts: NDArray[np.int32]) -> None:
        if self._apart + len(terms) > max(self._least, len(self._segments) // 4):
            known = self._all()
            self._sort(
                np.concatenate([known[0], terms]),
                np.concatenate([known[1], owners]),
                np.concatenate([known[2], counts]),
            )
            return
        for term, owner, count in zip(terms.tolist(), owners.tolist(), counts.tolist(), strict=True):
            own = self._since.setdefault(term, (array("i"), array("i")))
            own[0].append(owner)
            own[1].append(count)
        self._apart += len(terms)

    def _all(self) -> tuple[NDArray[np.int64], _Segments, NDArray[np.int32]]:
        """Terms, segments and counts of all postings; those of one term in the order of their segments."""
        terms = [np.repeat(np.arange(len(self._starts) - 1), np.diff(self._starts))]
        terms += [np.full(len(owners), term) for term, (owners, _) in self._since.items()]
        segments = [self._segments, *(np.array(owners, np.int32) for owners, _ in self._since.values())]
        counts = [self._counts, *(np.array(own, np.int32) for _, own in self._since.values())]
        return np.concatenate(terms), np.concatenate(segments), np.concatenate(counts)

    def _sort(self, terms: NDArray[np.int64], segments: _Segments, counts: NDArray[np.int32]) -> None:
        """Holds these postings and no others."""
        order = np.argsort(terms, kind="stable")
        self._segments, self._counts = segments[order], counts[order]
        self._starts = np.concatenate([[0], np.cumsum(np.bincount(terms, minlength=len(self._numbers)))])
        self._since, self._apart = {}, 0

    def _of(self, number: int) -> tuple[_Segments, NDArray[np.int32]]:
        """Segments, ascending, and counts of a term."""
        own = slice(*self._starts[number : number + 2]) if number + 1 < len(self._starts) else slice(0)
        sorted_in = self._segments[own], self._counts[own]
        if number not in self._since:
            return sorted_in
        owners, counts = self._since[number]
        return (
            np.concatenate([sorted_in[0], np.array(owners, np.int32)]),
            np.concatenate([sorted_in[1], np.array(counts, np.int32)]),
        )

    def keep(self, alive: NDArray[np.bool_]) -> None:
        """Drops all segments but the live ones and numbers those anew; terms that nobody uses go too."""
        terms, segments, counts = self._all()
        kept = alive[segments]
        used = np.zeros(len(self._numbers), np.bool_)
        used[terms[kept]] = True
        number = np.where(used, np.cumsum(used) - 1, -1)
        self._numbers = {term: int(number[former]) for term, former in self._numbers.items() if used[former]}
        self._sort(number[terms[kept]], (np.cumsum(alive) - 1).astype(np.int32)[segments[kept]], counts[kept])
        self._lengths.keep(alive)
        sizes = np.diff(self._ends.view, prepend=0)
        self._words.keep(np.repeat(alive, sizes))
        self._words.view[:] = number[self._words.view]
        self._ends.keep(alive)
        self._ends.view[:] = np.cumsum(sizes[alive])

    @property
    def nbytes(self) -> int:
        """About: a term is counted as a short word and its number."""
        columns = (self._lengths, self._words, self._ends)
        sorted_in = self._starts.nbytes + self._segments.nbytes + self._counts.nbytes
        return sorted_in + sum(own.nbytes for own in columns) + _TERM * len(self._numbers) + _SINCE * len(self._since)

    def frozen(self) -> dict[str, Any]:
        """All of it, as lists of texts and arrays of numbers; no segment may be dead."""
        terms, segments, counts = self._all()
        self._sort(terms, segments, counts)
        return {
            "terms": list(self._numbers),
            "sizes": np.diff(self._starts),
            "steps": np.diff(self._segments, prepend=np.int32(0)),
            "counts": self._counts,
            "lengths": self._lengths.view,
        }

    def thaw(
        self,
        terms: Sequence[str],
        sizes: NDArray[np.int64],
        steps: _Segments,
        counts: NDArray[np.int32],
        lengths: NDArray[np.int32],
    ) -> None:
        """Becomes what was frozen."""
        self._numbers = {term: number for number, term in enumerate(terms)}
        self._starts = np.concatenate([[0], np.cumsum(sizes)])
        self._segments, self._counts = np.cumsum(steps, dtype=np.int32), counts
        self._lengths.extend(lengths)
        self._live, self._total = len(lengths), int(lengths.sum())
        order = np.argsort(self._segments, kind="stable")
        self._words.extend(np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)[order])
        self._ends.extend(np.cumsum(np.bincount(self._segments, minlength=len(lengths))))

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
        held, wanted = self._of(number)[0], segments.astype(np.int32)  # of one type, or all that is held is converted
        places = np.minimum(np.searchsorted(held, wanted), len(held) - 1)
        return np.asarray(held[places] == wanted)

    def idf(self, terms: Sequence[str], alive: NDArray[np.bool_] | None) -> NDArray[np.float32]:
        return self._rarity(np.array([self._holders(term, alive) for term in terms], np.float64)).astype(np.float32)

    def bm25(self, terms: Mapping[str, float], alive: NDArray[np.bool_] | None) -> NDArray[np.float32]:
        """Score of every segment, (segments,), dead ones included; ``terms`` carry weights."""
        segments, scores = self._gained(self._looked_up(terms, alive))
        return np.bincount(segments, scores, minlength=len(self._lengths.view)).astype(np.float32)

    def bm25_of(
        self, terms: Mapping[str, float], segments: NDArray[np.int64], alive: NDArray[np.bool_] | None
    ) -> NDArray[np.float32]:
        """Score of these segments, (len(segments),)."""
        scores = np.zeros(len(segments), np.float32)
        if not len(segments):
            return scores
        wanted, damping = segments.astype(np.int32), self._damping(segments)
        for own in self._looked_up(terms, alive):
            places = np.minimum(np.searchsorted(own.segments, wanted), len(own.segments) - 1)
            counts = np.where(own.segments[places] == wanted, own.counts[places], 0)
            scores += np.float32(own.gain) * counts / (counts + damping)
        return scores

    def rarer(
        self, terms: Mapping[str, float], alive: NDArray[np.bool_] | None, most: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32], float]:
        """What the rarest of the terms say, of which at most ``most`` postings are read, but one term in any case.

        Returns:
            The segments that hold one of them, ascending, dead ones included; their scores by these terms alone; and
            the most that the other terms could add to any score, 0 if there are none.
        """
        held = sorted(self._looked_up(terms, alive), key=lambda own: len(own.segments))
        sizes = np.cumsum([len(own.segments) for own in held])
        read = max(int(np.searchsorted(sizes, most, "right")), 1)
        segments, scores = self._gained(held[:read])
        return *_summed(segments, scores, len(self._lengths.view)), sum(own.gain for own in held[read:])

    def _looked_up(self, terms: Mapping[str, float], alive: NDArray[np.bool_] | None) -> list[_Held]:
        numbers = [
            (number, weight) for term, weight in terms.items() if (number := self._numbers.get(term)) is not None
        ]
        held = [self._of(number) for number, _ in numbers]
        live = [len(owners) if alive is None else np.count_nonzero(alive[owners]) for owners, _ in held]
        gains = self._rarity(np.array(live, np.float64)) * np.array([weight for _, weight in numbers]) * (K1 + 1)
        return [_Held(*own, gain) for own, gain in zip(held, gains.tolist(), strict=True) if len(own[0])]

    def _gained(self, held: Sequence[_Held]) -> tuple[_Segments, NDArray[np.float64]]:
        """(segment, what a term adds to its score) for every posting of some terms."""
        if not held:
            return np.zeros(0, np.int32), np.zeros(0)
        segments = np.concatenate([own.segments for own in held])
        counts = np.concatenate([own.counts for own in held]).astype(np.float32)
        gains = np.repeat([own.gain for own in held], [len(own.segments) for own in held])
        return segments, gains * (counts / (counts + self._damping(segments)))

    def _damping(self, segments: NDArray[Any]) -> NDArray[np.float32]:
        """What a count is weighed against: k1 · (1 − b + b · length / mean length)."""
        damping = self._lengths.view[segments] * np.float32(K1 * B / self._mean) + np.float32(K1 * (1 - B))
        return np.asarray(damping, np.float32)

    @property
    def _mean(self) -> float:
        return self._total / self._live if self._total else 1.0

    def _holders(self, term: str, alive: NDArray[np.bool_] | None) -> int:
        number = self._numbers.get(term)
        return 0 if number is None else self._count(number, alive)

    def _count(self, number: int, alive: NDArray[np.bool_] | None) -> int:
        held = self._of(number)[0]
        return len(held) if alive is None else int(alive[held].sum())

    def _rarity(self, holders: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.log1p((self._live - holders + 0.5) / (holders + 0.5))


def _summed(
    segments: _Segments, scores: NDArray[np.float64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Each segment once, ascending, with the sum of its scores. A few are sorted; many are added up over all."""
    if len(segments) > size // _FEW:
        whole = np.bincount(segments, scores, minlength=size)
        found = np.flatnonzero(whole)
        return found, whole[found].astype(np.float32)
    order = np.argsort(segments, kind="stable")
    in_order = segments[order]
    starts = np.flatnonzero(np.diff(in_order, prepend=np.int32(-1)))
    sums = np.add.reduceat(scores[order], starts) if len(starts) else np.zeros(0)
    return in_order[starts].astype(np.int64), sums.astype(np.float32)
