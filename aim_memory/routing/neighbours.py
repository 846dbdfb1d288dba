"""Neighbouring turns: what is said around a memory speaks for it, as far as neighbours have to do with each other."""

from __future__ import annotations

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


def closeness(scores: Scores, columns: Columns, among: Mask, most: float) -> NDArray[np.float32]:
    """How much each memory's neighbours count, (rows,), between 0 and ``most``; 0 for rows not ``among``.

    It is the ``bond`` of neighbours, shrunk by length for long memories.
    """
    return leaning(bond(scores, columns, among), columns, among, most)


def leaning(bond: float, columns: Columns, among: Mask, most: float) -> NDArray[np.float32]:
    """``closeness``, given the bond."""
    shrunk = min(most, bond) * SHORT / (SHORT + columns.length)
    return np.where(among, shrunk, 0.0).astype(np.float32)


def bond(scores: Scores, columns: Columns, among: Mask) -> float:
    """The correlation of scores over adjacent turns, in [0, 1], shrunk by n / (n + ``FEW``) for few pairs: it tells
    whether the sessions are conversations or mere containers of unrelated notes."""
    pairs = np.flatnonzero(among & (columns.previous >= 0) & among[columns.previous])
    if len(pairs) < 3:
        return 0.0
    here, before = scores[pairs], scores[columns.previous[pairs]]
    here, before = here - here.mean(), before - before.mean()
    norm = float(np.sqrt((here @ here) * (before @ before)))
    correlation = float(here @ before) / norm if norm > 0 else 0.0
    return max(0.0, correlation) * len(pairs) / (len(pairs) + FEW)


def smooth(scores: Scores, weights: NDArray[np.float32], columns: Columns) -> Scores:
    """What a session's neighbours add: wᵢ·(sᵢ₋₁ + sᵢ₊₁) + wᵢ/2·(sᵢ₋₂ + sᵢ₊₂); nothing from beyond its ends."""
    if not weights.any():
        return np.zeros_like(scores)
    padded = np.append(scores, np.float32(0))  # row −1, beyond the end, reads the last entry
    added = np.zeros_like(scores)
    for step in (np.append(columns.previous, -1), np.append(columns.following, -1)):
        added += padded[step[:-1]] + padded[step[step[:-1]]] / 2
    return weights * added


def answered(scores: Scores, weights: NDArray[np.float32], columns: Columns, people: Mask) -> Scores:
    """What a reply takes of the question it follows: wᵢ·aᵢ₋₁·sᵢ₋₁ where one of the ``people`` says turn i.

    "Sowerby Bridge, by the old mill." means nothing without "Where will you keep it?".
    """
    asked = np.append(scores * asking(columns), np.float32(0))[columns.previous]
    return np.where(people, weights * asked, np.float32(0))


def asking(columns: Columns) -> NDArray[np.float32]:
    """a: 1 for a bare question, less the longer the turn is: a long one says something before it asks."""
    return np.asarray(columns.question * USUAL / (USUAL + columns.length), np.float32)
