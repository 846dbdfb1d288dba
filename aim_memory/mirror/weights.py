"""Temporal weights, derived from ages when they are read: a write costs nothing for the memories before it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FULL_USES = 20.0
"""Uses at which reinforcement has its whole effect."""
_FULL_LIFT = 0.5
"""Share of the lost weight that reinforcement gives back at most."""


def weights(
    ages: NDArray[np.int64],
    *,
    gamma: float,
    floor: float,
    pinned: NDArray[np.bool_] | None = None,
    uses: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """The temporal weight of each memory, (n,) float32 in [floor, 1].

    w = max(floor, γ^age); of what that lost, use gives back up to half: w + ½·(1 − w)·log(1 + uses) / log(1 + 20),
    held at 20 uses. Pinned memories weigh 1. γ = 0.8 leaves 0.328 after 5 later writes.

    Args:
        ages: (n,) later writes per memory (all of them or only competing ones); below zero counts as zero.
        gamma: Weight kept per later write, in (0, 1].
        floor: No weight falls below this.
        pinned: (n,) memories that do not age.
        uses: (n,) citations and positive minus negative feedback; below zero counts as zero.
    """
    decayed = np.maximum(np.power(float(gamma), np.maximum(ages, 0)), floor)
    if uses is not None:
        share = np.log1p(np.clip(uses, 0.0, _FULL_USES)) / np.log1p(_FULL_USES)
        decayed = decayed + _FULL_LIFT * (1.0 - decayed) * share
    if pinned is not None:
        decayed = np.where(pinned, 1.0, decayed)
    return np.asarray(decayed, dtype=np.float32)
