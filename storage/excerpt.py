"""The part of a large index that is ranked for one question, read like a whole index.

Rows are those of the whole in the same order, renumbered. What is counted (rarities, holders, memories in all) is
counted over the whole; what is compared (scores, neighbours, fields) is there for the excerpt's rows only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aim_memory.ports import DerivedT, IndexReader
from aim_memory.storage.derived import Derived
from aim_memory.types import Anchor, Columns, Vector, Vectors

FEW_VALUES = 256
"""Distinct values of a field that are shown as they are; of more, those that occur in the excerpt."""
Heard = Sequence[tuple[Mapping[str, float], NDArray[np.float32]]]
"""Weighted terms, with the lexical score of each row of an excerpt."""


class _Chosen(Columns):
    """Columns that are read when they are first asked for: few questions look at all of them."""

    __slots__ = ("_read",)
    _read: Callable[[str], NDArray[Any]]

    def __init__(self, read: Callable[[str], NDArray[Any]]) -> None:
        object.__setattr__(self, "_read", read)

    def __getattr__(self, name: str) -> NDArray[Any]:
        values: NDArray[Any] = self._read(name)
        object.__setattr__(self, name, values)
        return values


class Excerpt(IndexReader):
    def __init__(self, whole: IndexReader, rows: NDArray[np.int64], heard: Heard, compared: int) -> None:
        """``rows``: ascending, of the whole; ``compared``: memories whose vectors were looked at to choose them."""
        self._whole = whole
        self._rows = rows
        self._heard = heard
        self._compared = compared
        self._derived = Derived()

    def __len__(self) -> int:
        return len(self._whole)

    @property
    def size(self) -> int:
        return len(self._rows)

    def compared(self, among: NDArray[np.bool_]) -> int:
        return min(self._compared + len(self._rows), len(self))

    @cached_property
    def columns(self) -> Columns:
        return _Chosen(self._column)

    def _column(self, name: str) -> NDArray[Any]:
        values: NDArray[Any] = getattr(self._whole.columns, name)[self._rows]
        return self._places(values) if name in ("previous", "following") else values

    def _places(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where rows of the whole stand in the excerpt; −1 for those that do not."""
        places = np.minimum(np.searchsorted(self._rows, rows), len(self._rows) - 1)
        return np.where(self._rows[places] == rows, places, -1)

    def derived(self, make: Callable[[IndexReader], DerivedT]) -> DerivedT:
        return self._derived.of(self, make)

    def id_of(self, row: int) -> str:
        return self._whole.id_of(int(self._rows[row]))

    def row_of(self, memory_id: str) -> int | None:
        row = self._whole.row_of(memory_id)
        place = -1 if row is None else int(self._places(np.array([row]))[0])
        return None if place < 0 else place

    def superseded_by(self, row: int) -> str | None:
        return self._whole.superseded_by(int(self._rows[row]))

    def anchors_of(self, row: int) -> Sequence[Anchor]:
        return self._whole.anchors_of(int(self._rows[row]))

    def anchored(self, kind: str, key: str) -> NDArray[np.int64]:
        places = self._places(self._whole.anchored(kind, key))
        return places[places >= 0]

    def holders(self, kind: str, key: str) -> int:
        return self._whole.holders(kind, key)

    def coded(self, field: str) -> tuple[NDArray[np.int32], Sequence[Any]]:
        codes, values = self._whole.coded(field)
        own = codes[self._rows]
        if len(values) <= FEW_VALUES:
            return own, values
        used, again = np.unique(own, return_inverse=True)
        absent = int(used[0] < 0)
        return (again - absent).astype(np.int32), [values[code] for code in used[absent:]]

    def codes(self, field: str) -> NDArray[np.int32]:
        return self._whole.codes(field)[self._rows]

    def similarities(self, question: Vector) -> NDArray[np.float32]:
        return self._whole.similarities_of(question, self._rows)

    def similarities_of(self, question: Vector, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return self._whole.similarities_of(question, self._rows[rows])

    def late(self, tokens: Vectors, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return self._whole.late(tokens, self._rows[rows])

    def lexical(self, terms: Mapping[str, float]) -> NDArray[np.float32]:
        for known, scores in self._heard:
            if known == terms:
                return scores
        return self._whole.lexical(terms)[self._rows]

    def rarity(self, terms: Sequence[str]) -> NDArray[np.float32]:
        return self._whole.rarity(terms)

    def covered(self, terms: Sequence[str], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        return self._whole.covered(terms, self._rows[rows])

    def overlap(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return self._whole.overlap(self._rows[rows])
