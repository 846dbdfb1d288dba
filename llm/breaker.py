"""A circuit breaker: what fails again and again is left alone for a while, then tried once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Literal

from aim_memory.errors import GeneratorError, GeneratorRefusedError


class Breaker:
    """Closed: everybody passes. Open, after ``failures`` in a row: nobody does. After ``rest_s`` it is half open: one
    passes, and its outcome closes it, or opens it for twice as long. Thread-safe.

    A call that began before it last opened or closed tells nothing new when it ends. So of thirty that a dying server
    leaves, the first few open it, and the others neither lengthen its rest nor end a trial.

    Args:
        failures: How many in a row open it.
        rest_s: First rest.
        longest_rest_s: No rest is longer.
        time: A clock that never goes backwards, in seconds.
    """

    def __init__(
        self, failures: int, rest_s: float, longest_rest_s: float, time: Callable[[], float] = monotonic
    ) -> None:
        self._failures = failures
        self._first_rest_s = self._rest_s = rest_s
        self._longest_rest_s = longest_rest_s
        self._time = time
        self._lock = threading.Lock()
        self._in_a_row = 0
        self._open_until: float | None = None
        self._trying = False
        self._turn = 0  # counts how often it has opened and closed

    @property
    def state(self) -> Literal["closed", "open", "half-open"]:
        with self._lock:
            return self._state()

    @property
    def opens_in_s(self) -> float:
        """How long it stays open; 0 when it is not."""
        with self._lock:
            return 0.0 if self._open_until is None else max(0.0, self._open_until - self._time())

    def enter(self) -> int | None:
        """A pass if a call may be made, else None. Who has one calls ``leave`` with it when the call is over."""
        with self._lock:
            state = self._state()
            if state == "open" or (state == "half-open" and self._trying):
                return None
            self._trying = state == "half-open"
            return self._turn

    def leave(self, entered: int, well: bool | None) -> None:
        """Tells how a call ended; None when it was given up before that was known."""
        with self._lock:
            if entered != self._turn:
                return
            self._trying = False
            if well:
                self._close()
            elif well is False:
                self._fail()

    @contextmanager
    def passed(self, entered: int) -> Iterator[None]:
        """After ``enter``: what happens inside is how the call ended."""
        well: bool | None = None
        try:
            yield
            well = True
        except GeneratorRefusedError:
            well = True  # it is alive, and has read what it was asked
            raise
        except GeneratorError:
            well = False
            raise
        finally:
            self.leave(entered, well)

    def _close(self) -> None:
        self._turn += self._open_until is not None
        self._in_a_row, self._open_until, self._rest_s = 0, None, self._first_rest_s

    def _fail(self) -> None:
        self._in_a_row += 1
        tried = self._open_until is not None
        if tried:
            self._rest_s = min(2 * self._rest_s, self._longest_rest_s)
        if tried or self._in_a_row >= self._failures:
            self._open_until = self._time() + self._rest_s
            self._turn += 1

    def _state(self) -> Literal["closed", "open", "half-open"]:
        if self._open_until is None:
            return "closed"
        return "half-open" if self._time() >= self._open_until else "open"
