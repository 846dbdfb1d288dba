"""Who may have an answer made now, who waits for his turn, and who is told to come back."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aim_memory.errors import QueueFullError

_WEIGHT = 0.1
"""Of the newest answer in the mean of how long answers take."""


class Admission:
    """At most ``places`` inside, at most ``waiting`` in a queue, first come, first served; of one event loop.

    Raises QueueFullError, with the time after which a place is likely, at once when the queue is full, and after
    ``wait_s`` in it.
    """

    def __init__(self, places: int, waiting: int, wait_s: float) -> None:
        self._places = places
        self._waiting = waiting
        self._wait_s = wait_s
        self._inside = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._usual_s = 1.0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        await self._enter()
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            yield
        finally:
            self._usual_s += _WEIGHT * (loop.time() - began - self._usual_s)
            self._leave()

    def figures(self) -> dict[str, int]:
        return {"inside": self._inside, "waiting": len(self._queue)}

    async def _enter(self) -> None:
        if self._inside < self._places:
            self._inside += 1
            return
        if len(self._queue) >= self._waiting:
            raise self._full()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            async with asyncio.timeout(self._wait_s):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._leave()  # the place was handed over at the very moment in which its owner gave up
            elif turn in self._queue:
                self._queue.remove(turn)
            if isinstance(error, TimeoutError):
                raise self._full() from None
            raise

    def _leave(self) -> None:
        """Hands the place to the next in the queue, or gives it up."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._inside -= 1

    def _full(self) -> QueueFullError:
        likely = self._usual_s * (len(self._queue) + 1) / self._places
        return QueueFullError(retry_after_s=min(60.0, max(1.0, likely)))
