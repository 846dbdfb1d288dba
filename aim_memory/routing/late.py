"""Late interaction: each token of the question against a memory's tokens, where one vector for all says too little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from aim_memory.routing.fusion import spread
from aim_memory.types import Vectors

LEAST_SPREAD = 0.01
SHORT = 1000
"""Characters at which a memory's tokens count half: in a long text every token finds some match."""
NEXT_DOOR = 0.9
"""What a match in the turn right before or after counts against one in the memory itself."""


def late(
    matches: Vectors, beside: Sequence[NDArray[np.int64]], lengths: NDArray[np.int64]
) -> Mapping[str, NDArray[np.float32]]:
    """Named parts, each (n,), of the best match of each of a question's m tokens in each of n memories, (n, m).

    ``late``: the mean of the best cosines (Khattab and Zaharia 2020), tokens weighted by how far the best memory stands
    out from the mean for them: "the" matches everywhere, a rare word in one place. ``evenly``: every token alike.
    ``together``: what the turns right before and after add. All as z-scores.

    Args:
        beside: The places (n,) of the turn before and of the one after each memory; −1 where it is not among the n.
        lengths: Characters of the memories, (n,).
    """
    count, tokens = matches.shape
    telling = np.maximum.reduce(matches) - np.add.reduce(matches) / np.float32(count)
    alone = spread(matches @ telling, LEAST_SPREAD)
    return {
        "late": (alone * (SHORT / (SHORT + lengths))).astype(np.float32),
        "evenly": spread(np.add.reduce(matches, axis=1) / np.float32(tokens), LEAST_SPREAD),
        "together": spread(_around(matches, beside) @ telling, LEAST_SPREAD) - alone,
    }


def _around(matches: Vectors, beside: Sequence[NDArray[np.int64]]) -> Vectors:
    """The best match in a memory or in the turns beside it."""
    count, tokens = matches.shape
    padded = np.full((count + 1, tokens), -1, np.float32)
    np.multiply(matches, NEXT_DOOR, out=padded[:-1])
    best = matches
    for places in beside:
        best = np.maximum(best, padded[places])
    return best
