"""How sure one can be: differences and areas with 95 % bootstrap intervals (Efron 1979), from a fixed seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 2000
LEAST_CLUSTERS = 8
"""From so many namespaces on, whole namespaces are drawn: questions about one conversation are not independent."""
_SEED = 7
_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with the bounds of its 95 % interval."""

    mean: float
    low: float
    high: float

    def rounded(self, digits: int = 1) -> dict[str, float]:
        return {name: round(getattr(self, name), digits) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Pairs:
    """The same questions asked in two ways: a measure of each, and whose conversation they are about."""

    before: Sequence[float]
    after: Sequence[float]
    clusters: Sequence[str]


def difference(sets: Sequence[Pairs]) -> Interval:
    """Mean over sets of after − before, in points, by a stratified paired bootstrap; each set counts once."""
    generator = np.random.default_rng(_SEED)
    changes = [100 * (np.asarray(one.after, np.float64) - np.asarray(one.before, np.float64)) for one in sets]
    drawn = [_resampled(change, one.clusters, generator) for change, one in zip(changes, sets, strict=True)]
    return _interval(float(np.mean([change.mean() for change in changes])), np.mean(drawn, axis=0))


def _resampled(values: _Floats, clusters: Sequence[str], generator: np.random.Generator) -> _Floats:
    """(RESAMPLES,) means of values drawn with replacement: by cluster if there are enough, else one by one."""
    names, codes = np.unique(np.asarray(clusters), return_inverse=True)
    if len(names) < LEAST_CLUSTERS:
        codes = np.arange(len(values))
    sums, counts = np.bincount(codes, values), np.bincount(codes)
    picks = generator.integers(0, len(sums), (RESAMPLES, len(sums)))
    return np.asarray(sums[picks].sum(axis=1) / counts[picks].sum(axis=1))


def auroc(positive: ArrayLike, negative: ArrayLike) -> float:
    """Chance that a positive scores higher than a negative, ties counting half (Mann and Whitney 1947)."""
    own, other = np.asarray(positive, np.float64), np.sort(np.asarray(negative, np.float64))
    below = np.searchsorted(other, own, "left") + np.searchsorted(other, own, "right")
    return float(below.mean() / (2 * len(other)))


def area(positive: Sequence[float], negative: Sequence[float]) -> Interval:
    """The AUROC in percent; positives and negatives are drawn apart."""
    generator = np.random.default_rng(_SEED)
    own, other = np.asarray(positive, np.float64), np.asarray(negative, np.float64)
    drawn = [auroc(generator.choice(own, len(own)), generator.choice(other, len(other))) for _ in range(RESAMPLES)]
    return _interval(100 * auroc(own, other), 100 * np.asarray(drawn))


def _interval(mean: float, drawn: _Floats) -> Interval:
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Interval(mean, float(low), float(high))
