"""The base score of every memory for one view of the question: words and meaning, fused, and what surrounds them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aim_memory.config import AIMConfig
from aim_memory.ports import IndexReader
from aim_memory.routing.fusion import standardise
from aim_memory.routing.neighbours import closeness, smooth
from aim_memory.routing.plan import View
from aim_memory.routing.values import Mask, Scores

LEAST_COSINE_SPREAD = 0.02
LEAST_BM25_SPREAD = 0.1


def base(view: View, index: IndexReader, among: Mask, config: AIMConfig) -> Mapping[str, Scores]:
    """Named parts, each (rows,), whose sum is the base score."""
    lexical = standardise(index.lexical(view.terms), among, LEAST_BM25_SPREAD)
    trust, dense = 1.0, np.zeros_like(lexical)
    if view.vector is not None:
        dense = standardise(index.similarities(view.vector), among, LEAST_COSINE_SPREAD)
        trust = config.lexical_weight
    words, meaning = trust * lexical, (1 - trust) * dense
    around = smooth(words + meaning, closeness(words + meaning, index.columns, among, config.neighbour_weight), index.columns)
    return {"lexical": words, "dense": meaning, "neighbours": around}
