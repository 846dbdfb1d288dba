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

BEST = 96
"""Rows that each way to hear the question brings in by words, and as many by meaning."""
HOLDERS = 64
"""Newest holders of each anchor of the question that are brought in."""
BACKGROUND = 512
"""Pairs of neighbours."""
_VERSIONS = 8
"""Steps that a chain of superseding memories is followed."""


def best(scores: NDArray[np.float32], among: NDArray[np.bool_], count: int = BEST) -> Rows:
    """The rows with the ``count`` highest scores above 0, in no order."""
    rows = np.flatnonzero((scores > 0) & among)
    if len(rows) > count:
        rows = rows[np.argpartition(scores[rows], len(rows) - count)[len(rows) - count :]]
    return rows


def select(
    index: IndexReader, found: Sequence[Rows], anchors: Sequence[Anchor], among: NDArray[np.bool_]
) -> Rows:
    """Rows to rank, ascending, around those that were found. Rows not ``among`` come only as neighbours."""
    columns = index.columns
    held = [_newest(index.anchored(anchor.kind, anchor.key), among) for anchor in anchors]
    core = np.unique(np.concatenate([*found, *held]))
    rows = [core, np.fromiter(_versions(index, core[columns.superseded[core]]), np.int64)]
    allowed = np.flatnonzero(among)
    spread = allowed[np.linspace(0, len(allowed) - 1, BACKGROUND).astype(np.int64)] if len(allowed) else allowed
    rows += [spread, allowed[-1:], columns.following[spread]]
    for step in (columns.previous, columns.following):
        once = step[core]
        rows += [once, step[once[once >= 0]]]
    chosen = np.unique(np.concatenate(rows))
    return chosen[chosen >= 0]


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
