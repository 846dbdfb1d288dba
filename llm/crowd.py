"""How many replies are being made, and when background work may have one made too."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

LOOK_S = 0.25
"""Between two looks of background work at whether there is room."""


class Crowd:
    """Counts those who wait for a model. Thread-safe; callers may be on several event loops.

    Args:
        below: Background work goes on while fewer than this are waited for by somebody.
        patience_s: After so long it goes on in any case: it is one call at a time, and must not starve.
        sleep: Lets time pass.
    """

    def __init__(
        self, below: int, patience_s: float, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._below = below
        self._patience_s = patience_s
        self._sleep = sleep
        self._lock = threading.Lock()
        self._inside = {"interactive": 0, "background": 0}
        self._waited_s = 0.0

    @contextmanager
    def joined(self, *, background: bool = False) -> Iterator[None]:
        """Around one reply."""
        own = "background" if background else "interactive"
        self._add(own, 1)
        try:
            yield
        finally:
            self._add(own, -1)

    async def thinned(self) -> None:
        """Returns when background work may go on."""
        waited = 0.0
        while self._inside["interactive"] >= self._below and waited < self._patience_s:
            await self._sleep(LOOK_S)
            waited += LOOK_S
        with self._lock:
            self._waited_s += waited

    def figures(self) -> dict[str, float]:
        """Replies being made for somebody and for nobody, and how long the latter have waited in all."""
        with self._lock:
            return {**self._inside, "background_waited_s": round(self._waited_s, 2)}

    def _add(self, own: str, amount: int) -> None:
        with self._lock:
            self._inside[own] += amount
