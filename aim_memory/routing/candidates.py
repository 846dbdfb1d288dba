"""Which memories get a closer look, and which are ranked in the end: the best by score, the best in the session's
direction, and whatever holds an anchor of the question that is rare or fresh."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aim_memory.config import AIMConfig
from aim_memory.ports import IndexReader
from aim_memory.routing.fusion import best_rows
from aim_memory.routing.standing import standing
from aim_memory.routing.values import Ask, Mask, Scores
from aim_memory.types import Anchor

LEAST = 64
"""Candidates; four times what is asked for, if that is more."""
RARE = 32
"""An anchor that at most so many memories hold brings them all in, whatever their score."""


POOL = 100
"""Memories that get the closer look."""


def pool(ask: Ask, first: Scores, index: IndexReader, among: Mask) -> NDArray[np.int64]:
    """The rows that get the closer look: the best of the first, and what holds a rare anchor of the question."""
    best = best_rows(first, among, POOL)
    known = set(best)
    holders = [row for anchor in ask.anchors for row in _rare(anchor, index, among)]
    missed = list(dict.fromkeys(row for row in holders if row not in known))[: POOL // 4]
    return np.array(best[: POOL - len(missed)] + missed, np.int64)


def candidates(
    ask: Ask, scores: Scores, moving: Scores | None, index: IndexReader, among: Mask, config: AIMConfig
) -> list[int]:
    """Rows: the best by ``scores``, falling, the newer first on a tie; then the best ``local_cluster_k`` by ``moving``;
    then the holders of the question's anchors, all of a rare one, else those among the ``hot_window_size`` newest."""
    found = best_rows(scores, among, max(LEAST, 4 * ask.top_k))
    if moving is not None:
        found += best_rows(moving, among, config.local_cluster_k)
    oldest = index.derived(standing).latest - config.hot_window_size
    for anchor in ask.anchors:
        holders = _holders(anchor, index, among)
        found += holders[(index.columns.ordinal[holders] > oldest) | (len(holders) <= RARE)].tolist()
    return list(dict.fromkeys(found))


def _holders(anchor: Anchor, index: IndexReader, among: Mask) -> NDArray[np.int64]:
    holders = index.anchored(anchor.kind, anchor.key)
    return holders[among[holders]]


def _rare(anchor: Anchor, index: IndexReader, among: Mask) -> list[int]:
    """The holders of an anchor, if they are few."""
    holders = _holders(anchor, index, among)
    return holders.tolist() if len(holders) <= RARE else []
