"""Faults to order: a store whose n-th call fails, a clock that jumps, a disk that writes no further."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Literal, cast

from aim_memory.errors import StorageError
from aim_memory.ports import Clock, MemoryStore
from aim_memory.types import Space

When = Literal["before", "after"]
"""Whether a call fails before it has had its effect, or after it."""


class FaultError(StorageError):
    """Ordered by a test."""


class Faults:
    """Counts calls; the n-th one fails."""

    def __init__(self, at: int = 0, when: When = "before") -> None:
        """``at``: which call, from 1 on; 0 for none."""
        self._at = at
        self._when = when
        self._calls = 0

    @property
    def struck(self) -> bool:
        return 0 < self._at <= self._calls

    def rest(self) -> bool:
        """No call fails from here on; whether one did."""
        struck, self._at = self.struck, 0
        return struck

    def around(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._calls += 1
        mine = self._calls == self._at
        if mine and self._when == "before":
            raise FaultError
        result = call(*args, **kwargs)
        if mine:
            raise FaultError
        return result


class _Faulty:
    """Anything whose calls may fail."""

    def __init__(self, inner: Any, faults: Faults) -> None:
        self._inner = inner
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return found if not callable(found) else lambda *args, **kwargs: self._faults.around(found, *args, **kwargs)


class _FaultyStore(_Faulty):
    @contextmanager
    def begin(self, space: Space) -> Iterator[Any]:
        """Beginning is a call, and so is everything in the unit of work, its commit above all."""
        with self._inner.begin(space) as work:
            self._faults.around(lambda: None)
            yield _Faulty(work, self._faults)

    @contextmanager
    def together(self) -> Iterator[Any]:
        with self._inner.together() as inner:

            @contextmanager
            def begin(space: Space) -> Iterator[Any]:
                with inner(space) as work:
                    self._faults.around(lambda: None)
                    yield _Faulty(work, self._faults)

            yield begin


def faulty(store: MemoryStore, faults: Faults) -> MemoryStore:
    """``store``, every call of which passes through ``faults``."""
    return cast(MemoryStore, _FaultyStore(store, faults))


class JumpingClock(Clock):
    """A second passes at every look; at the n-th one the clock is set to another time."""

    def __init__(self, start: datetime, at: int, jump: timedelta) -> None:
        self._start = start
        self._at = at
        self._jump = jump
        self._looks = 0

    @property
    def jumped(self) -> bool:
        return self._looks >= self._at

    def now(self) -> datetime:
        self._looks += 1
        return self._start + timedelta(seconds=self._looks) + (self._jump if self.jumped else timedelta(0))

    def new_id(self) -> str:
        self._looks += 1
        return f"id-{self._looks:09d}"


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """No file of this process may be written beyond ``size`` bytes: a write there fails as it does on a broken disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
