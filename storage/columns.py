"""Arrays that grow by doubling."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FIRST = 64
_EACH = 150


class Column:
    """A growing one-dimensional array. ``view`` shows the filled part without copying."""

    def __init__(self, dtype: Any) -> None:
        self._cells = np.zeros(_FIRST, dtype)
        self._size = 0

    @property
    def view(self) -> NDArray[Any]:
        return self._cells[: self._size]

    def grow(self, size: int) -> None:
        """Makes the filled part ``size`` long; what is new is 0."""
        if size > len(self._cells):
            room = np.zeros(max(size - len(self._cells), len(self._cells)), self._cells.dtype)
            self._cells = np.concatenate([self._cells, room])
        self._size = max(size, self._size)

    def extend(self, values: NDArray[Any]) -> None:
        start = self._size
        self.grow(start + len(values))
        self._cells[start : self._size] = values

    def keep(self, rows: NDArray[np.bool_]) -> None:
        """Drops all rows but those where ``rows`` is true."""
        kept = self.view[rows]
        self._cells = np.concatenate([kept, np.zeros(_FIRST, kept.dtype)])
        self._size = len(kept)

    @property
    def nbytes(self) -> int:
        return self._cells.nbytes

    def __setitem__(self, row: int, value: Any) -> None:
        self._cells[row] = value

    def __getitem__(self, row: int) -> Any:
        return self._cells[row].item()


class CodedColumn:
    """A column of few distinct values: a small code per row, −1 for none."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._codes = Column(np.int32)
        self._known: dict[Any, int] = {}

    @property
    def codes(self) -> NDArray[np.int32]:
        return self._codes.view

    def grow(self, size: int) -> None:
        self._codes.grow(size)

    def put(self, rows: NDArray[np.int64], values: Sequence[Any]) -> None:
        """Writes one value per row named."""
        self._codes.view[rows] = [self._code(value) for value in values]

    def keep(self, rows: NDArray[np.bool_]) -> None:
        self._codes.keep(rows)

    @property
    def nbytes(self) -> int:
        """About: a value is counted as a short text."""
        return self._codes.nbytes + _EACH * len(self.values)

    def frozen(self) -> dict[str, Any]:
        return {"codes": self.codes, "values": self.values}

    def thaw(self, codes: NDArray[np.int32], values: Sequence[Any]) -> None:
        """Becomes what was frozen."""
        self._codes.extend(codes)
        for value in values:
            self._code(value)

    def _code(self, value: Any) -> int:
        """The code of a value, given out at its first sight."""
        if value is None:
            return -1
        key = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str) + "\0"
        if key not in self._known:
            self._known[key] = len(self.values)
            self.values.append(value)
        return self._known[key]


def dig(metadata: Any, path: Sequence[str]) -> Any:
    """``metadata[a][b]`` for path (a, b); None where it does not lead anywhere."""
    for step in path:
        if not isinstance(metadata, dict) or step not in metadata:
            return None
        metadata = metadata[step]
    return metadata
