"""Which memories get a second, closer look: the best by score, the best in the session's direction, and whatever holds
an anchor of the question that is rare or fresh."""

from __future__ import annotations

from aim_memory.config import AIMConfig
from aim_memory.ports import IndexReader
from aim_memory.routing.fusion import best_rows
from aim_memory.routing.values import Ask, Mask, Scores

LEAST = 64
"""Candidates; four times what is asked for, if that is more."""
RARE = 32
"""An anchor that at most so many memories hold brings them all in, whatever their score."""


def candidates(
    ask: Ask, scores: Scores, moving: Scores | None, index: IndexReader, among: Mask, config: AIMConfig
) -> list[int]:
    """Rows: the best by ``scores``, falling, the newer first on a tie; then the best ``local_cluster_k`` by ``moving``;
    then the holders of the question's anchors, all of a rare one, else those among the ``hot_window_size`` newest."""
    found = best_rows(scores, among, max(LEAST, 4 * ask.top_k))
    if moving is not None:
        found += best_rows(moving, among, config.local_cluster_k)
    newest = index.columns.ordinal > index.columns.ordinal.max(initial=0) - config.hot_window_size
    for anchor in ask.anchors:
        holders = index.anchored(anchor.kind, anchor.key)
        holders = holders[among[holders]]
        found += holders[newest[holders] | (len(holders) <= RARE)].tolist()
    return list(dict.fromkeys(found))
