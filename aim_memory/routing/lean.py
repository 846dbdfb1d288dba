"""Does a question lean on the turns before it? Evidence from its wording, and from how well its session explains it.

Similarity to the course alone cannot tell: a real follow-up ("how many?") is often as far from it as a new topic. What
tells is the outcome: heard in the direction of the session, a follow-up finds a clearer best memory that still
contains its own words; a new topic heard so finds a vaguer one that lacks them.
"""

from __future__ import annotations

import numpy as np

from aim_memory.ports import IndexReader
from aim_memory.routing.plan import Plan
from aim_memory.routing.values import Mask, Scores
from aim_memory.text import refers_back

CLEARER = 1.35
CONTAINS = 1.7
REFERS = 0.2
RARITY = -1.5
CONSTANT = 0.95
"""Logistic fit (ridge, rounded) of "the direction ranks the evidence higher" on multi-turn questions of freely licensed
sets and of our own conversations, each once with its own earlier turns and once with those of another conversation."""


def lean(text: str, planned: Plan, own: Scores, moving: Scores, index: IndexReader, among: Mask) -> float:
    """How far a question leans on its session, in (0, 1).

    Args:
        own: Base scores (rows,) of the question as it stands.
        moving: Base scores (rows,) of the question in the session's direction.
    """
    rows = np.flatnonzero(among)
    terms = list(planned.own.terms)
    if not len(rows) or not terms:
        return 1.0 if len(rows) else 0.0
    best = np.array([rows[own[rows].argmax()], rows[moving[rows].argmax()]])
    rarity = planned.rarities(terms)
    contained = rarity @ index.covered(terms, best) / rarity.sum()
    top = float(own[best[0]])
    clearer = float(np.clip((moving[best[1]] - top) / max(top, 0.5), -1, 1))
    evidence = (
        CLEARER * clearer
        + CONTAINS * float(contained[1] - contained[0])
        + REFERS * refers_back(text)
        + RARITY * float(rarity.mean()) / np.log1p(len(index))
        + CONSTANT
    )
    return float(1 / (1 + np.exp(-evidence)))
