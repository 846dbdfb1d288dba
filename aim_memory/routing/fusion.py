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
    known = scores[among]
    whole = bool(scores.min(initial=0.0) > -np.inf)
    if not whole:
        known = known[known > -np.inf]
    if not len(known):
        return np.zeros_like(scores)
    centred = _centred(scores, known, least_spread)
    return centred if whole else np.where(np.isfinite(centred), centred, np.float32(0))


def spread(values: NDArray[np.float32], least_spread: float) -> NDArray[np.float32]:
    """z-scores over all of them, (n,), which are finite."""
    return _centred(values, values, least_spread) if len(values) else values


def _centred(scores: Scores, known: Scores, least_spread: float) -> Scores:
    """Scores less the mean of the known ones, over their standard deviation."""
    mean = np.add.reduce(known) / np.float32(len(known))
    apart = known - mean
    deviation = float(np.sqrt(apart @ apart / len(known)))
    own = apart if known is scores else scores - mean
    return np.asarray(own / np.float32(max(deviation, least_spread)), np.float32)


def best_rows(scores: Scores, among: Mask, count: int) -> list[int]:
    """The ``count`` best rows ``among``, by falling score; the newer memory first on a tie."""
    rows = np.flatnonzero(among)
    own = scores[rows]
    if len(rows) > count:
        least = np.partition(own, len(rows) - count)[len(rows) - count]
        rows = rows[own >= least]
        own = scores[rows]
    best: list[int] = rows[own.argsort(kind="stable")[::-1][:count]].tolist()
    return best
