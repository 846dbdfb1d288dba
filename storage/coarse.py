"""Vectors in four bits per dimension: an eighth of the memory, and a tenth of a point of recall (docs/design/store.md).

A unit vector's components look like draws from a normal distribution, so each is told by the nearest of the sixteen
levels that suit that distribution best (Max 1960, table I), times a scale of the vector's own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aim_memory.types import Vectors

Codes = NDArray[np.uint8]
_HALF = np.array([0.1284, 0.3881, 0.6568, 0.9424, 1.2562, 1.6181, 2.0691, 2.7326], np.float32)
_LEVELS = np.concatenate([-_HALF[::-1], _HALF])
_REACH, _FINE = 4, np.float32(128)
_CENTRES = (np.arange(2 * _REACH * int(_FINE)) + 0.5) / _FINE - _REACH
_NEAREST = np.abs(_CENTRES[:, None] - _LEVELS).argmin(axis=1).astype(np.uint8)
"""The level of each 128th part between −4 and 4: a table is six times as fast as a search."""
_PAIRS = np.stack(np.broadcast_arrays(_LEVELS[:, None], _LEVELS), axis=-1).reshape(256, 2)
"""The two levels that a byte names, (256, 2)."""
_BLOCK = 256


def encode(vectors: Vectors) -> tuple[Codes, NDArray[np.float32]]:
    """Codes (n, ⌈d / 2⌉) and scales (n,): a decoded vector has the right inner product with the vector itself.
    What was decoded is encoded as it was."""
    codes = np.empty((len(vectors), -(-vectors.shape[1] // 2)), np.uint8)
    scales = np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), _BLOCK):
        own = slice(start, start + _BLOCK)
        codes[own], scales[own] = _encode(vectors[own])
    return codes, scales


def _encode(vectors: Vectors) -> tuple[Codes, NDArray[np.float32]]:
    spread = np.sqrt(np.mean(np.square(vectors), axis=1, keepdims=True))
    steps = vectors * (_FINE / np.maximum(spread, np.float32(1e-12))) + np.float32(_REACH * _FINE)
    places = _NEAREST[np.clip(steps, 0, len(_NEAREST) - 1).astype(np.int16)]
    levels = _LEVELS[places]
    agreement = np.einsum("nd,nd->n", levels, vectors)
    lengths = np.einsum("nd,nd->n", vectors, vectors)
    if places.shape[1] % 2:
        places = np.pad(places, ((0, 0), (0, 1)))
    scales = np.divide(lengths, agreement, out=np.zeros_like(lengths), where=agreement > 0)
    return 16 * places[:, ::2] + places[:, 1::2], scales


def decode(codes: Codes, scales: NDArray[np.float32], dimension: int) -> Vectors:
    """(n, dimension)."""
    vectors = np.empty((len(codes), dimension), np.float32)
    for start in range(0, len(codes), _BLOCK):  # a block at a time stays in the cache
        own = slice(start, start + _BLOCK)
        levels = _PAIRS.take(codes[own], axis=0).reshape(-1, 2 * codes.shape[1])
        np.multiply(levels[:, :dimension], scales[own, None], out=vectors[own])
    return vectors
