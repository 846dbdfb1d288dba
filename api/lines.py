"""Request bodies of any length, read line by line in a thread while they arrive."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import anyio
from anyio import from_thread

from aim_memory.errors import DeadlineExceededError


class Incoming(io.RawIOBase):
    """A request's body as a file for the thread that reads it; the caller is held back while it does not."""

    def __init__(self, pieces: AsyncIterator[bytes], timeout_s: float) -> None:
        """``timeout_s``: how long the next piece may take to arrive."""
        self._pieces = pieces
        self._timeout_s = timeout_s
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, place: io.BytesIO | bytearray | memoryview) -> int:  # type: ignore[override]
        if not self._rest:
            self._rest = memoryview(from_thread.run(self._next))
        room = memoryview(place)  # type: ignore[arg-type]
        size = min(len(room), len(self._rest))
        room[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    async def _next(self) -> bytes:
        """The next piece that holds something; nothing at the end."""
        try:
            with anyio.fail_after(self._timeout_s):
                async for piece in self._pieces:
                    if piece:
                        return piece
        except TimeoutError:
            raise DeadlineExceededError(
                "The body stopped arriving. What came before is imported; send it again."
            ) from None
        return b""
