"""Making lists of scores comparable and adding them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aim_memory.routing.values import Mask, Scores


def standardise(scores: Scores, among: Mask, least_spread: float) -> Scores:
    """z-scores over the rows ``among``; rows without a score (−inf) get the mean, 0.

    ``least_spread`` bounds the standard deviation from below, so that a handful of nearly equal scores is not
    blown up to a difference.
    """
    known = scores[among & np.isfinite(scores)]
    if not len(known):
        return np.zeros_like(scores)
    centred = _centred(scores, known, least_spread)
    return np.where(np.isfinite(centred), centred, np.float32(0))


def spread(values: NDArray[np.float32], least_spread: float) -> NDArray[np.float32]:
    """z-scores over all of them, (n,), which are finite."""
    return _centred(values, values, least_spread) if len(values) else values


def _centred(scores: Scores, known: Scores, least_spread: float) -> Scores:
    """Scores less the mean of the known ones, over their standard deviation."""
    mean = known.mean()
    apart = known - mean
    deviation = float(np.sqrt(apart @ apart / len(known)))
    return np.asarray((scores - mean) / max(deviation, least_spread), np.float32)


def best_rows(scores: Scores, among: Mask, count: int) -> list[int]:
    """The ``count`` best rows ``among``, by falling score; the newer memory first on a tie."""
    rows = np.flatnonzero(among)
    if len(rows) > count:
        least = np.partition(scores[rows], len(rows) - count)[len(rows) - count]
        rows = rows[scores[rows] >= least]
    return [int(row) for row in rows[np.lexsort((-rows, -scores[rows]))][:count]]
