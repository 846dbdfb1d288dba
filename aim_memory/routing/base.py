"""The base score of every memory for one view of the question: words and meaning, fused, and what surrounds them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aim_memory.config import AIMConfig
from aim_memory.ports import IndexReader
from aim_memory.routing.fusion import best_rows, standardise
from aim_memory.routing.neighbours import closeness, smooth
from aim_memory.routing.plan import View
from aim_memory.routing.values import Mask, Scores
from aim_memory.types import Vector

LEAST_COSINE_SPREAD = 0.02
LEAST_BM25_SPREAD = 0.1
EXAMPLES = 3
"""Best hits that feed back."""


def base(view: View, index: IndexReader, among: Mask, config: AIMConfig) -> Mapping[str, Scores]:
    """Named parts, each (rows,), whose sum is the base score."""
    words = view.trust * standardise(index.lexical(view.terms), among, LEAST_BM25_SPREAD)
    if view.vector is None:
        meaning = np.zeros_like(words)
    else:
        meaning = (1 - view.trust) * _dense(view.vector, index, among)
        if config.feedback:
            best = best_rows(words + meaning, among, EXAMPLES)
            pulled = view.vector + config.feedback * index.prototypes(best).mean(axis=0)
            meaning = (1 - view.trust) * _dense(pulled, index, among)
    together = words + meaning
    weights = closeness(together, index.columns, among, config.neighbour_weight)
    return {"lexical": words, "dense": meaning, "neighbours": smooth(together, weights, index.columns)}


def _dense(vector: Vector, index: IndexReader, among: Mask) -> Scores:
    return standardise(index.similarities(vector), among, LEAST_COSINE_SPREAD)
