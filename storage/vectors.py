"""Vectors of segments in a FAISS flat index: exact inner products."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from aim_memory.storage.coarse import decode, encode
from aim_memory.storage.columns import Column
from aim_memory.types import Vector, Vectors

_PRODUCTS_BY_ROW: Any = faiss.fvec_inner_products_by_idx  # type: ignore[attr-defined]  # left out of FAISS's own stubs


class FlatVectors:
    """Rows of unit vectors, numbered as they come. A missing vector is a row of zeros."""

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._index = faiss.IndexFlatIP(dimension)
        self._matrix = np.empty((0, dimension), np.float32)  # of the index, as it was looked at last
        self._filled = Column(np.bool_)

    @property
    def filled(self) -> NDArray[np.bool_]:
        """(n,): false where the vector is missing."""
        return self._filled.view

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def matrix(self) -> Vectors:
        """All vectors, (n, d), without copying; valid until the next ``append``."""
        if not len(self):
            return np.empty((0, self.dimension), np.float32)
        if len(self._matrix) != len(self):
            flat = faiss.rev_swig_ptr(self._index.get_xb(), len(self) * self.dimension)
            self._matrix = np.asarray(flat).reshape(len(self), self.dimension)
        return self._matrix

    def append(self, vectors: Sequence[Vector | None]) -> None:
        blank = np.zeros(self.dimension, np.float32)
        self._filled.extend(np.array([vector is not None for vector in vectors], np.bool_))
        if vectors:
            self._index.add(
                np.stack([blank if vector is None else vector for vector in vectors]).astype(np.float32, copy=False)
            )

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Drops all rows but those where ``rows`` is true."""
        kept = self.matrix[rows]
        self._filled.keep(rows)
        self._index = faiss.IndexFlatIP(self.dimension)
        self._matrix = np.empty((0, self.dimension), np.float32)
        if len(kept):
            self._index.add(kept)

    @property
    def nbytes(self) -> int:
        return len(self) * (4 * self.dimension + 1)

    def frozen(self, *, exact: bool) -> dict[str, NDArray[Any]]:
        """As numbers, ``filled`` left out where all are; four bits per dimension unless they are to be exact."""
        filled = {} if self.filled.all() else {"filled": self.filled}
        if exact:
            return {"exact": self.matrix, **filled}
        codes, scales = encode(self.matrix)
        return {"codes": codes, "scales": scales, **filled}

    def thaw(self, parts: Mapping[str, NDArray[Any]]) -> None:
        """Becomes what was frozen."""
        exact = parts.get("exact")
        vectors = decode(parts["codes"], parts["scales"], self.dimension) if exact is None else exact
        self._filled.extend(parts.get("filled", np.ones(len(vectors), np.bool_)))
        if len(vectors):
            self._index.add(np.ascontiguousarray(vectors, np.float32))

    def products(self, question: Vector) -> NDArray[np.float32]:
        """Inner product of a direction (d,) with each row: (n,)."""
        return np.asarray(self.matrix @ question, np.float32)

    def products_of(self, question: Vector, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The same for chosen rows only: (len(rows),). Read where they lie, without copying them first."""
        products = np.empty(len(rows), np.float32)
        asked, numbers = np.ascontiguousarray(question, np.float32), np.ascontiguousarray(rows, np.int64)
        where = [faiss.swig_ptr(own) for own in (products, asked, self.matrix, numbers)]
        _PRODUCTS_BY_ROW(*where, self.dimension, 1, len(rows))
        return products

    def search(self, questions: Vectors, k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The k best rows per question, best first: (scores, rows), each (m, k); row −1 where there are fewer."""
        scores, rows = self._index.search(np.ascontiguousarray(questions, np.float32), k)
        return scores, rows
