"""Cells of like vectors: of many, a question is compared with the few cells that lie nearest to it.

An inverted file of FAISS over 8-bit codes; what it finds is compared exactly afterwards. Why this one of FAISS's, and
why so many cells and probes: docs/design/speed.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from aim_memory.storage.columns import Column
from aim_memory.types import Vectors

PROBED = 0.08
"""Share of the cells that one question looks into."""
PROBED_EACH = 0.045
"""The same for each of two directions, whose cells are joined."""
CELLS = 2048
"""So many cells there are, and of more the same number is looked into: the nearest are not further apart for it."""
_CELLS_PER_ROOT = 4
"""Of very many vectors, so many times their square root."""
_LEAST = 8
"""Vectors per cell."""
_TRAINING = 16
"""Vectors per cell that the cells are learned from."""
_ROUNDS = 4
_CODED = 20_000
"""Vectors, about, that the ranges of the codes are learned from."""


class Cells:
    """Vectors by number, in cells. Numbers may have gaps and only grow; the dead ones are left out by whoever asks."""

    def __init__(self, vectors: Vectors, numbers: NDArray[np.int64]) -> None:
        """Learns the cells from vectors (n, d), n > 0, and adds them under their numbers (n,)."""
        count = max(1, min(max(CELLS, int(_CELLS_PER_ROOT * np.sqrt(len(vectors)))), len(vectors) // _LEAST))
        self.learned_from = len(vectors)
        self._centres = faiss.IndexFlatIP(vectors.shape[1])
        self._centres.add(_centres(vectors, count))
        self._lists: Any = _lists(self._centres, vectors)
        self._sizes = np.zeros(count, np.int64)
        self._cell = Column(np.int64)
        self.add(vectors, numbers)

    def add(self, vectors: Vectors, numbers: NDArray[np.int64]) -> None:
        self._cell.grow(int(numbers.max(initial=-1)) + 1)
        vectors = np.ascontiguousarray(vectors, np.float32)
        own = self._centres.search(vectors, 1)[1][:, 0]
        self._cell.view[numbers] = own
        self._place(vectors, numbers, own)

    def keep(self, vectors: Vectors, numbers: NDArray[np.int64], old: NDArray[np.int64]) -> None:
        """Holds these vectors under new numbers; each stays in the cell that it had under its old number."""
        own = self._cell.view[old]
        self._cell = Column(np.int64)
        self._cell.grow(int(numbers.max(initial=-1)) + 1)
        self._cell.view[numbers] = own
        self._lists.reset()
        self._sizes[:] = 0
        self._place(np.ascontiguousarray(vectors, np.float32), numbers, own)

    def frozen(self) -> dict[str, NDArray[Any]]:
        """What was learned, and which cell each number is in."""
        centres = self._centres.reconstruct_n(0, self._centres.ntotal)
        return {"centres": centres, "cell": self._cell.view, "learned": np.array([self.learned_from])}

    @classmethod
    def thaw(cls, parts: Mapping[str, NDArray[Any]], vectors: Vectors, numbers: NDArray[np.int64]) -> Cells:
        """What was frozen, over these vectors (n, d) and their numbers (n,)."""
        made = cls.__new__(cls)
        made.learned_from = int(parts["learned"][0])
        made._centres = faiss.IndexFlatIP(vectors.shape[1])
        made._centres.add(np.ascontiguousarray(parts["centres"]))
        made._lists = _lists(made._centres, vectors)
        made._sizes = np.zeros(made._centres.ntotal, np.int64)
        made._cell = Column(np.int64)
        made._cell.extend(parts["cell"])
        made._place(np.ascontiguousarray(vectors, np.float32), numbers, made._cell.view[numbers])
        return made

    def search(
        self, questions: Vectors, count: int, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], int]:
        """The nearest to any of the questions (m, d), ``count`` per question, each once; and how many were compared.

        All questions look into the same cells: those nearest to one of them.

        Args:
            allowed: (numbers,): what may be found.
        """
        questions = np.ascontiguousarray(questions, np.float32)
        share = PROBED if len(questions) == 1 else PROBED_EACH
        probes = max(1, round(share * min(self._centres.ntotal, CELLS)))
        cells = _once(self._centres.search(questions, probes)[1])
        into = np.tile(cells, (len(questions), 1))
        found = np.empty((len(questions), count), np.int64)
        scores, unused = np.empty(found.shape, np.float32), np.zeros(into.shape, np.float32)
        bits = np.packbits(np.ones(0, np.bool_) if allowed is None else allowed, bitorder="little")
        how = faiss.SearchParametersIVF()
        how.nprobe = len(cells)
        how.sel = chosen = None if allowed is None else faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
        self._lists.search_preassigned_c(
            *(len(questions), faiss.swig_ptr(questions), count, faiss.swig_ptr(into), faiss.swig_ptr(unused)),
            *(faiss.swig_ptr(scores), faiss.swig_ptr(found), False, how),
        )
        del chosen  # FAISS holds no reference to it
        near = _once(found)
        return near[near >= 0], int(self._sizes[cells].sum())

    def _place(self, vectors: Vectors, numbers: NDArray[np.int64], cells: NDArray[np.int64]) -> None:
        where = [np.ascontiguousarray(part, np.int64) for part in (numbers, cells)]
        self._lists.add_core(len(vectors), faiss.swig_ptr(vectors), *map(faiss.swig_ptr, where))
        self._sizes += np.bincount(cells, minlength=len(self._sizes))


def _once(found: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each number that some questions (m, k) found, once; for one question they are distinct but for −1."""
    return found[0] if len(found) == 1 else np.unique(found)


def _centres(vectors: Vectors, count: int) -> Vectors:
    """Spherical k-means over a sample that is spread evenly over all."""
    sample = np.linspace(0, len(vectors) - 1, min(len(vectors), _TRAINING * count)).astype(np.int64)
    means = faiss.Kmeans(vectors.shape[1], count, niter=_ROUNDS, spherical=True, min_points_per_centroid=1)
    means.train(np.ascontiguousarray(vectors[sample], np.float32))
    return np.asarray(means.centroids, np.float32)


def _lists(centres: faiss.IndexFlatIP, vectors: Vectors) -> faiss.IndexIVFScalarQuantizer:
    """Empty lists whose 8-bit codes divide the range that each dimension has."""
    kind, product = faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    made = faiss.IndexIVFScalarQuantizer(centres, centres.d, centres.ntotal, kind, product, False)
    made.train(np.ascontiguousarray(vectors[:: max(1, len(vectors) // _CODED)], np.float32))
    return made
