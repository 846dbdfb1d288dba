"""Signs of token vectors, for late interaction: 48 bytes a token where the vector itself takes 1,536.

They stay in the database, half of its bytes, and are read for the candidates of one question; those of the memories
that were candidates last are kept. The inner product of a question's token q with the signs s of a document's token
estimates their cosine up to a common factor (Charikar 2002: the angle between vectors is what random signs keep; a
model's own axes are random enough).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from aim_memory.ports import ReadSigns
from aim_memory.types import TokenBits, Vectors

ROOM = 1 << 21
"""Bytes of signs that are kept: those of a long conversation."""
_OVERHEAD = 1 << 8
"""What a memory counts for beside its signs."""
_SIGNS = 2 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float32) - 1
"""The eight signs of every byte, (256, 8)."""
_BLOCK = 128

Signs = Sequence[TokenBits]
"""Of one memory, per segment."""
_NOTHING: tuple[Signs, int] = (), 0


class Sketches:
    """Token signs of memories by id. Any number may ask at a time; nobody may while something is put or dropped.

    What is kept may be newer than the last ``put`` or ``drop``, never older: it was read after it.
    """

    def __init__(self, dimension: int, read: ReadSigns, room: int = ROOM) -> None:
        """``read``: asked for the signs of memories that are not kept."""
        self._dimension = dimension
        self._read = read
        self._most = self._room = room
        self._kept: OrderedDict[str, tuple[Signs, int]] = OrderedDict()  # with their size
        self._lock = threading.Lock()

    def put(self, signs: Mapping[str, Signs]) -> None:
        """Takes the signs of memories as they are now; without any, they are read when they are asked for."""
        self.drop(signs)
        self._keep({memory_id: own for memory_id, own in signs.items() if own})

    def drop(self, ids: Iterable[str]) -> None:
        for memory_id in ids:
            self._room += self._kept.pop(memory_id, _NOTHING)[1]

    @property
    def nbytes(self) -> int:
        """Of what is kept now."""
        return self._most - self._room

    def best(self, tokens: Vectors, ids: Sequence[str]) -> NDArray[np.float32]:
        """Per memory and question token (m, d), the estimated cosine of the best match: (len(ids), m); of several
        segments the best in sum counts, and where there are no signs it is 0."""
        best = np.zeros((len(ids), len(tokens)), np.float32)
        # Signs that are newer than the index may come from another model, of another dimension.
        width = -(-self._dimension // 8)
        kept = enumerate(self._of(ids))
        segments = [(place, own) for place, signs in kept for own in signs if own.shape[1] == width]
        if not segments or not len(tokens):
            return best
        owners, signs = zip(*segments, strict=True)
        starts = np.array([0, *accumulate(map(len, signs[:-1]))])
        matches = np.maximum.reduceat(_products(np.concatenate(signs), tokens), starts, axis=0)
        if len(set(owners)) == len(owners):  # as short texts are, of one segment each
            best[list(owners)] = matches / np.sqrt(self._dimension)
            return best
        # Worst first, so the best of a memory's segments is written last.
        order = np.argsort(matches.sum(axis=1), kind="stable")
        best[np.array(owners)[order]] = matches[order] / np.sqrt(self._dimension)
        return best

    def _of(self, ids: Sequence[str]) -> list[Signs]:
        with self._lock:
            known = {memory_id: self._kept[memory_id][0] for memory_id in ids if memory_id in self._kept}
            for memory_id in known:
                self._kept.move_to_end(memory_id)
        if missing := [memory_id for memory_id in dict.fromkeys(ids) if memory_id not in known]:
            known |= self._look_up(missing)
        return [known[memory_id] for memory_id in ids]

    def _look_up(self, ids: Sequence[str]) -> dict[str, Signs]:
        read = self._read(ids)
        found = {memory_id: read.get(memory_id, ()) for memory_id in ids}
        with self._lock:
            self._keep(found)
        return found

    def _keep(self, signs: Mapping[str, Signs]) -> None:
        kept = self._kept
        for memory_id, own in signs.items():
            size = _OVERHEAD + (own[0].nbytes if len(own) == 1 else sum([one.nbytes for one in own]))
            if memory_id in kept:  # somebody else has read it, too
                self._room += kept.pop(memory_id)[1]
            self._room -= size
            kept[memory_id] = own, size
        while self._room < 0:
            self._room += kept.popitem(last=False)[1][1]


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
