"""The base score of every memory for one view of the question: words and meaning, fused, and what surrounds them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aim_memory.config import AIMConfig
from aim_memory.ports import IndexReader
from aim_memory.routing.fusion import standardise
from aim_memory.routing.neighbours import smooth
from aim_memory.routing.plan import View
from aim_memory.routing.values import Mask, Scores

LEAST_COSINE_SPREAD = 0.05
LEAST_BM25_SPREAD = 0.5


def base(view: View, index: IndexReader, among: Mask, config: AIMConfig) -> Mapping[str, Scores]:
    """Named parts, each (rows,), whose sum is the base score."""
    lexical = standardise(index.lexical(view.terms), among, LEAST_BM25_SPREAD)
    if view.vector is None:
        dense, trust = np.zeros_like(lexical), 1.0
    else:
        dense = standardise(index.similarities(view.vector[None, :])[0], among, LEAST_COSINE_SPREAD)
        trust = config.lexical_weight
    parts = {"lexical": trust * lexical, "dense": (1 - trust) * dense}
    together = parts["lexical"] + parts["dense"]
    parts["neighbours"] = smooth(together, index.columns, among, config.neighbour_weight) - together
    return parts
