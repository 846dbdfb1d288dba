"""Which memories get a second, closer look: the best by score, and whatever holds a rare anchor of the question."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aim_memory.ports import IndexReader
from aim_memory.routing.values import Ask, Mask, Scores

LEAST = 64
"""Candidates; four times what is asked for, if that is more."""
RARE = 32
"""An anchor that at most so many memories hold brings them all in, whatever their score."""


def candidates(ask: Ask, scores: Scores, index: IndexReader, among: Mask) -> list[int]:
    """Rows by falling score, the newer first on a tie, then the holders of rare anchors."""
    rows = np.flatnonzero(among)
    found = _best(scores, rows, max(LEAST, 4 * ask.top_k)).tolist()
    for anchor in ask.anchors:
        holders = index.anchored(anchor.kind, anchor.key)
        if len(holders) <= RARE:
            found += holders[among[holders]].tolist()
    return list(dict.fromkeys(found))


def _best(scores: Scores, rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    if len(rows) > count:
        rows = rows[np.argpartition(-scores[rows], count - 1)[:count]]
    return rows[np.lexsort((-rows, -scores[rows]))]
