"""Which memories get a second, closer look: the best by score, and whatever holds a rare anchor of the question."""

from __future__ import annotations

from aim_memory.ports import IndexReader
from aim_memory.routing.fusion import best_rows
from aim_memory.routing.values import Ask, Mask, Scores

LEAST = 64
"""Candidates; four times what is asked for, if that is more."""
RARE = 32
"""An anchor that at most so many memories hold brings them all in, whatever their score."""


def candidates(ask: Ask, scores: Scores, index: IndexReader, among: Mask) -> list[int]:
    """Rows by falling score, the newer first on a tie, then the holders of rare anchors."""
    found = best_rows(scores, among, max(LEAST, 4 * ask.top_k))
    for anchor in ask.anchors:
        holders = index.anchored(anchor.kind, anchor.key)
        if len(holders) <= RARE:
            found += holders[among[holders]].tolist()
    return list(dict.fromkeys(found))
