"""Late interaction: each token of the question against a memory's tokens, where one vector for all says too little."""

from __future__ import annotations

import numpy as np

from aim_memory.config import AIMConfig
from aim_memory.ports import IndexReader
from aim_memory.routing.fusion import best_rows, standardise
from aim_memory.routing.plan import Plan
from aim_memory.routing.values import Mask, Scores

POOL = 100
"""Memories that are looked at this closely: the best ones by everything else."""
LEAST_SPREAD = 0.01
SHORT = 1000
"""Characters at which a memory's tokens count half: in a long text every token finds some match."""


def late(planned: Plan, sums: Scores, index: IndexReader, among: Mask, config: AIMConfig) -> Scores:
    """What token matches add to each row, (rows,).

    Per question token the best cosine among a memory's tokens (Khattab and Zaharia 2020), weighted by how far the
    best memory stands out from the mean for it: "the" matches everywhere, a rare word in one place. z-scores over the
    pool; what is outside the pool stands as its last. Counts as far as the embedder reads the question's script.
    """
    added, tokens, weight = np.zeros_like(sums), planned.tokens, config.late_weight * planned.sight
    rows = np.array(best_rows(sums, among, POOL), np.int64)
    if tokens is None or not len(tokens) or len(rows) < 2 or weight == 0:
        return added
    matches = index.late(tokens, rows)
    telling = matches.max(axis=0) - matches.mean(axis=0)
    z = standardise(matches @ telling, np.ones(len(rows), np.bool_), LEAST_SPREAD)
    added[:] = weight * min(float(z.min()), 0.0)
    added[rows] = weight * z * SHORT / (SHORT + index.columns.length[rows])
    return added
