"""Signs of token vectors, for late interaction: 48 bytes a token where the vector itself takes 1,536.

The inner product of a question's token q with the signs s of a document's token estimates their cosine up to a common
factor (Charikar 2002: the angle between vectors is what random signs keep; a model's own axes are random enough).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aim_memory.types import TokenBits, Vectors

_SIGNS = 2 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float32) - 1
"""The eight signs of every byte, (256, 8)."""
_BLOCK = 128


class Sketches:
    """Token signs of segments, numbered as they come; an empty one where there are none."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._signs: list[TokenBits | None] = []

    def append(self, tokens: Sequence[TokenBits | None]) -> None:
        self._signs += [own if own is not None and len(own) else None for own in tokens]

    def keep(self, segments: NDArray[np.bool_]) -> None:
        """Drops all segments but those where ``segments`` is true."""
        self._signs = [own for own, kept in zip(self._signs, segments, strict=True) if kept]

    def best(self, tokens: Vectors, segments: Sequence[int]) -> NDArray[np.float32]:
        """Per segment and question token (m, d), the estimated cosine of the best match: (len(segments), m)."""
        matches = np.zeros((len(segments), len(tokens)), np.float32)
        held = [self._signs[segment] for segment in segments]
        filled = [place for place, own in enumerate(held) if own is not None]
        if not filled or not len(tokens):
            return matches
        signs = [own for own in held if own is not None]
        starts = np.cumsum([0, *map(len, signs[:-1])])
        products = _products(np.concatenate(signs), tokens)
        matches[filled] = np.maximum.reduceat(products, starts, axis=0) / np.sqrt(self._dimension)
        return matches


def _products(signs: TokenBits, tokens: Vectors) -> NDArray[np.float32]:
    """Inner products of packed signs (n, d / 8) with vectors (m, d): (n, m). Unpacked in blocks that fit a cache."""
    products = np.empty((len(signs), len(tokens)), np.float32)
    width = 8 * signs.shape[1]
    across = np.zeros((width, len(tokens)), np.float32)
    across[: tokens.shape[1]] = tokens.T
    room = np.empty((_BLOCK, *signs.shape[1:], 8), np.float32)
    for start in range(0, len(signs), _BLOCK):
        block = signs[start : start + _BLOCK]
        unpacked = _SIGNS.take(block, axis=0, out=room[: len(block)], mode="clip")
        np.matmul(unpacked.reshape(len(block), width), across, out=products[start : start + _BLOCK])
    return products
