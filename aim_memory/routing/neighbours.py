"""Neighbouring turns: what is said around a memory speaks for it, as far as neighbours have to do with each other."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from aim_memory.routing.values import Mask, Scores
from aim_memory.types import Columns

USUAL = 400
"""Characters of a usual turn."""
FEW = 50
"""Pairs of neighbours at which their correlation is believed half."""
SHORT = 1000
"""Characters at which a memory leans on its neighbours half as much as a short turn: long ones stand alone."""
Pairs: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Rows, and for each the one that it follows."""
_SHARES = np.array([1, 1, 0.5, 0.5], np.float32)
"""What the turns around a memory count: the two next to it, and those next to them."""


def pairs(columns: Columns) -> Pairs:
    """The rows that follow another in their session, and those that they follow."""
    later = np.flatnonzero(columns.previous >= 0)
    return later, columns.previous[later]


def around(columns: Columns) -> NDArray[np.int64]:
    """The rows around each: the one before, the one after, the one before that, the one after that; −1 beyond the ends
    of its session: (4, rows)."""
    steps = [np.append(step, -1) for step in (columns.previous, columns.following)]
    return np.stack([step[:-1] for step in steps] + [step[step[:-1]] for step in steps])


def bond(scores: Scores, bound: Pairs) -> float:
    """The correlation of scores over adjacent turns, in [0, 1], shrunk by n / (n + ``FEW``) for few pairs: it tells
    whether the sessions are conversations or mere containers of unrelated notes."""
    later, earlier = bound
    count = len(later)
    if count < 3:
        return 0.0
    here, before = scores[later], scores[earlier]
    here -= np.add.reduce(here) / np.float32(count)
    before -= np.add.reduce(before) / np.float32(count)
    norm = float(np.sqrt((here @ here) * (before @ before)))
    correlation = float(here @ before) / norm if norm > 0 else 0.0
    return max(0.0, correlation) * count / (count + FEW)


def leaning(bond: float, sociable: Scores, among: Mask, most: float) -> Scores:
    """How much each memory's neighbours count, (rows,), between 0 and ``most``; 0 for rows not ``among``.

    It is the ``bond`` of neighbours, shrunk by length for long memories.
    """
    return np.float32(min(most, bond)) * sociable * among


def smooth(scores: Scores, weights: Scores, around: NDArray[np.int64]) -> Scores:
    """What a session's neighbours add: wᵢ·(sᵢ₋₁ + sᵢ₊₁) + wᵢ/2·(sᵢ₋₂ + sᵢ₊₂); nothing from beyond its ends."""
    return np.asarray(weights * (_SHARES @ _padded(scores)[around]), np.float32)


def answered(asked: Scores, weights: Scores, before: NDArray[np.int64]) -> Scores:
    """What a reply takes of the question it follows: wᵢ·aᵢ₋₁·sᵢ₋₁, given a·s.

    "Sowerby Bridge, by the old mill." means nothing without "Where will you keep it?".
    """
    return np.asarray(weights * _padded(asked)[before], np.float32)


def _padded(scores: Scores) -> Scores:
    """The scores and a 0: row −1, beyond the ends, reads the last entry."""
    padded = np.zeros(len(scores) + 1, np.float32)
    padded[:-1] = scores
    return padded
