"""Neighbouring turns: what is said around a memory speaks for it."""

from __future__ import annotations

import numpy as np

from aim_memory.routing.values import Mask, Scores
from aim_memory.types import Columns


def smooth(scores: Scores, columns: Columns, among: Mask, weight: float) -> Scores:
    """sᵢ + w·(sᵢ₋₁ + sᵢ₊₁) + w/2·(sᵢ₋₂ + sᵢ₊₂) within a session; turns beyond its ends and not ``among`` count 0."""
    if weight == 0:
        return scores
    padded = np.append(np.where(among, scores, 0.0), 0.0)  # row −1, beyond the end, is the last entry
    near = np.append(columns.previous, -1), np.append(columns.following, -1)
    first = sum(padded[step[:-1]] for step in near)
    second = sum(padded[step[step[:-1]]] for step in near)
    return np.asarray(scores + weight * first + weight / 2 * second, np.float32)
