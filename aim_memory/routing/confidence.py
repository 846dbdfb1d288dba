"""How likely the memory holds an answer at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aim_memory.ports import IndexReader
from aim_memory.routing.plan import View
from aim_memory.text import NOTION

TOP = 3
"""Hits that are looked at."""
WEIGHTS = (4.0, 5.0, -3.6)
"""Of coverage, cosine and the constant."""


def confidence(view: View, rows: Sequence[int], index: IndexReader) -> float:
    """A logistic of two readings of the best hits, in (0, 1): how much of the question's information (idf) their words
    cover together, and how near in meaning the nearest one is."""
    at = np.asarray(rows[:TOP], np.int64)
    if not len(at):
        return 0.0
    terms = [term for term in view.terms if not term.startswith(NOTION)]
    rarity = index.rarity(terms)
    covered = index.covered(terms, at).any(axis=1)
    coverage = float(rarity @ covered / rarity.sum()) if rarity.sum() > 0 else 0.0
    nearest = coverage / 2 if view.vector is None else float(index.similarities(view.vector)[at].max())
    weighed = WEIGHTS[0] * coverage + WEIGHTS[1] * max(nearest, 0.0) + WEIGHTS[2]
    return float(1 / (1 + np.exp(-weighed)))
