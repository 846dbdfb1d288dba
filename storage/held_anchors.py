"""The anchors of each row of an index, and the rows that hold an anchor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from aim_memory.storage import codec
from aim_memory.types import Anchor

_EACH = 400
"""Bytes, about, of an anchor as a value."""
_KEY = 450
"""Bytes, about, of a key with its few holders."""
Key = tuple[str, str]
"""Kind and key of an anchor."""


class HeldAnchors:
    """Anchors by row. Those that came as text become values when somebody asks for them."""

    def __init__(self) -> None:
        self._own: list[tuple[Anchor, ...] | str] = []
        self._holders: dict[Key, set[int]] = {}
        self._sorted: dict[Key, NDArray[np.int64]] = {}  # what was asked of them
        self._count = 0

    def grow(self) -> None:
        """Adds a row, without anchors."""
        self._own.append(())

    def put(self, row: int, anchors: Sequence[Anchor]) -> None:
        """Gives a row without anchors its own."""
        self._own[row] = tuple(anchors)
        self._count += len(anchors)
        for anchor in anchors:
            self._holders.setdefault((anchor.kind, anchor.key), set()).add(row)
            self._sorted.pop((anchor.kind, anchor.key), None)

    def withdraw(self, row: int) -> None:
        """Leaves a row without anchors."""
        anchors = self.of(row)
        self._own[row] = ()
        self._count -= len(anchors)
        for key in {(anchor.kind, anchor.key) for anchor in anchors}:
            self._holders[key].discard(row)
            self._sorted.pop(key, None)
            if not self._holders[key]:
                del self._holders[key]

    def of(self, row: int) -> tuple[Anchor, ...]:
        own = self._own[row]
        if isinstance(own, str):
            own = self._own[row] = codec.anchors_from_text(own)
        return own

    def rows(self, kind: str, key: str) -> NDArray[np.int64]:
        """Rows that hold an anchor, ascending."""
        held = self._sorted.get((kind, key))
        if held is None:
            held = np.array(sorted(self._holders.get((kind, key), ())), np.int64)
            if len(held):  # questions name without end what nobody holds
                self._sorted[kind, key] = held
        return held

    def holders(self, kind: str, key: str) -> int:
        return len(self._holders.get((kind, key), ()))

    def keep(self, kept: NDArray[np.int64], numbers: NDArray[np.int64]) -> None:
        """Drops all rows, withdrawn by now, but these; ``numbers`` (rows,) says where each one goes."""
        self._own = [self._own[row] for row in kept.tolist()]
        self._holders = {key: {int(numbers[row]) for row in rows} for key, rows in self._holders.items()}
        self._sorted.clear()

    @property
    def nbytes(self) -> int:
        """About: values made of text are counted whether or not they have been asked for."""
        return _EACH * self._count + _KEY * len(self._holders)

    def frozen(self) -> dict[str, list[str] | NDArray[np.int64]]:
        """All of it, as lists of texts and arrays of numbers."""
        holders = [sorted(rows) for rows in self._holders.values()]
        return {
            "texts": [own if isinstance(own, str) else codec.anchors_to_text(own) for own in self._own],
            "kinds": [kind for kind, _ in self._holders],
            "keys": [key for _, key in self._holders],
            "holders": np.array([row for rows in holders for row in rows], np.int64),
            "sizes": np.array([len(rows) for rows in holders], np.int64),
            "count": np.array([self._count], np.int64),
        }

    def thaw(
        self,
        texts: Iterable[str],
        kinds: Sequence[str],
        keys: Sequence[str],
        holders: NDArray[np.int64],
        sizes: NDArray[np.int64],
        count: NDArray[np.int64],
    ) -> None:
        """Becomes what was frozen."""
        self._own = [() if text == "[]" else text for text in texts]
        self._count = int(count[0])
        rows, ends = holders.tolist(), np.cumsum(sizes).tolist()
        starts = [0, *ends][:-1]
        named = zip(zip(kinds, keys, strict=True), starts, ends, strict=True)
        self._holders = {key: set(rows[start:end]) for key, start, end in named}
