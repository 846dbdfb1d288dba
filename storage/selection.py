"""Which rows of a large index are ranked for one question.

The best by words and by meaning, what stands around them in their sessions, what superseded them, holders of the
question's anchors, and a background: pairs of neighbours spread evenly over all rows. Without it scores would be
measured against nothing but good ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from aim_memory.ports import IndexReader
from aim_memory.types import Anchor

Rows = NDArray[np.int64]

BEST = 64
"""Rows that each way to hear the question brings in by words, and as many by meaning."""
HOLDERS = 64
"""Newest holders of each anchor of the question that are brought in."""
BACKGROUND = 256
"""Pairs of neighbours."""
_VERSIONS = 8
"""Steps that a chain of superseding memories is followed."""


def best(scores: NDArray[np.float32], count: int = BEST) -> Rows:
    """The places of the ``count`` highest scores above 0, in no order."""
    rows = np.flatnonzero(scores > 0)
    if len(rows) > count:
        rows = rows[np.argpartition(scores[rows], len(rows) - count)[len(rows) - count :]]
    return rows


def select(index: IndexReader, found: Sequence[Rows], anchors: Sequence[Anchor], among: NDArray[np.bool_]) -> Rows:
    """Rows to rank, ascending, around those that were found. Rows not ``among`` come only as neighbours."""
    columns = index.columns
    chosen = np.zeros(index.size + 1, np.bool_)  # row −1, beyond the ends of sessions, is the last entry
    for rows in (*found, *(_newest(index.anchored(anchor.kind, anchor.key), among) for anchor in anchors)):
        chosen[rows] = True
    core = np.flatnonzero(chosen)
    chosen[list(_versions(index, core[columns.superseded[core]]))] = True
    for step in (columns.previous, columns.following):
        once = step[core]
        chosen[once] = chosen[step[once[once >= 0]]] = True
    spread = _spread(among)
    chosen[spread] = chosen[columns.following[spread]] = True
    return np.flatnonzero(chosen[:-1])


def _spread(among: NDArray[np.bool_]) -> Rows:
    """Rows at even distances, the last one among them."""
    places = np.linspace(0, len(among) - 1, BACKGROUND).astype(np.int64)
    if among[places].mean() > 0.5:
        return places[among[places]]
    allowed = np.flatnonzero(among)
    return allowed[np.linspace(0, len(allowed) - 1, min(BACKGROUND, len(allowed))).astype(np.int64)]


def _newest(holders: Rows, among: NDArray[np.bool_]) -> Rows:
    return holders[among[holders]][-HOLDERS:]


def _versions(index: IndexReader, rows: Iterable[int]) -> Iterator[int]:
    """The rows of what superseded these."""
    for row in rows:
        at: int | None = int(row)
        for _ in range(_VERSIONS):
            closer = None if at is None else index.superseded_by(at)
            at = None if closer is None else index.row_of(closer)
            if at is None:
                break
            yield at
