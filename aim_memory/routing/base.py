"""The base score of every memory for one view of the question: words and meaning, fused, and what surrounds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aim_memory.config import AIMConfig
from aim_memory.ports import IndexReader
from aim_memory.routing.fusion import standardise
from aim_memory.routing.neighbours import answered, bond, leaning, smooth
from aim_memory.routing.plan import View
from aim_memory.routing.roles import assistants
from aim_memory.routing.values import Mask, Scores

LEAST_COSINE_SPREAD = 0.02
LEAST_BM25_SPREAD = 0.1


@dataclass(frozen=True, slots=True)
class Base:
    """The base score of every row, for one view."""

    parts: Mapping[str, Scores]
    """Named parts, each (rows,), whose sum it is."""
    bond: float
    """How far neighbouring turns speak of the same, in [0, 1]."""


def base(view: View, index: IndexReader, among: Mask, config: AIMConfig) -> Base:
    """Words and meaning, and what they say for neighbours."""
    words = view.trust * standardise(index.lexical(view.terms), among, LEAST_BM25_SPREAD)
    meaning = np.zeros_like(words)
    if view.vector is not None:
        meaning = (1 - view.trust) * standardise(index.similarities(view.vector), among, LEAST_COSINE_SPREAD)
    together = words + meaning
    bound = bond(together, index.columns, among)
    weights = leaning(bound, index.columns, among, config.neighbour_weight)
    parts = {
        "lexical": words,
        "dense": meaning,
        "neighbours": smooth(together, weights, index.columns),
        "reply": config.reply_share * answered(together, weights, index.columns, ~assistants(index)),
    }
    return Base(parts, bound)


def total(parts: Mapping[str, Scores]) -> Scores:
    """The sum of named parts, (rows,)."""
    return np.asarray(np.sum(list(parts.values()), axis=0), np.float32)
