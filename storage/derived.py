"""What readers derive from an index as it stands, kept until it changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aim_memory.ports import DerivedT, IndexReader


class Derived:
    """Thread-safe between changes: what two derive at once, one of them derives for nothing."""

    def __init__(self) -> None:
        self._made: dict[Callable[[IndexReader], Any], Any] = {}

    def of(self, index: IndexReader, make: Callable[[IndexReader], DerivedT]) -> DerivedT:
        """What ``make`` makes of the index."""
        if make not in self._made:
            self._made[make] = make(index)
        made: DerivedT = self._made[make]
        return made

    def clear(self) -> None:
        self._made.clear()
