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
from aim_memory.routing.standing import Standing
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


def base(view: View, index: IndexReader, standing: Standing, among: Mask, config: AIMConfig) -> Base:
    """Words and meaning, and what they say for neighbours."""
    together = words = np.float32(view.trust) * standardise(index.lexical(view.terms), among, LEAST_BM25_SPREAD)
    parts = {"lexical": words}
    if view.vector is not None:
        cosines = standardise(index.similarities(view.vector), among, LEAST_COSINE_SPREAD)
        parts["dense"] = np.float32(1 - view.trust) * cosines
        together = words + parts["dense"]
    bound = bond(together, standing.bound(among))
    if most := min(bound, config.neighbour_weight):
        weights = leaning(bound, standing.sociable, among, most)
        parts["neighbours"] = smooth(together, weights, standing.around)
        if standing.asking is not None:
            replying = np.float32(config.reply_share) * weights * ~standing.assistants
            parts["reply"] = answered(together * standing.asking, replying, index.columns.previous)
    return Base(parts, bound)


def total(parts: Mapping[str, Scores]) -> Scores:
    """The sum of named parts, at least one: (rows,)."""
    first, *others = parts.values()
    whole = first.copy()
    for scores in others:
        whole += scores
    return whole
