"""Signs of token vectors, for late interaction: 48 bytes a token where the vector itself takes 1,536.

The inner product of a question's token q with the signs s of a document's token estimates their cosine up to a common
factor (Charikar 2002: the angle between vectors is what random signs keep; a model's own axes are random enough).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aim_memory.types import TokenBits, Vectors


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
        filled = [place for place, segment in enumerate(segments) if self._signs[segment] is not None]
        if not filled or not len(tokens):
            return matches
        signs = [own for place in filled if (own := self._signs[segments[place]]) is not None]
        bits = np.unpackbits(np.concatenate(signs), axis=1, count=self._dimension)
        # ±1 = 2·bit − 1, so the product with the bits alone is enough.
        products = bits.astype(np.float32) @ (2 * tokens.T) - tokens.sum(axis=1)
        starts = np.cumsum([0, *(len(own) for own in signs[:-1])])
        matches[filled] = np.maximum.reduceat(products, starts, axis=0) / np.sqrt(self._dimension)
        return matches
