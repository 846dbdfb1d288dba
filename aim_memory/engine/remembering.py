"""Turns of chats, written behind: nobody who chats waits for a commit."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aim_memory.bodies import WriteRequest
from aim_memory.engine.writing import Writing
from aim_memory.errors import AIMMemoryError

WAITING = 1000
"""Exchanges that may wait to be written; whoever brings one more writes it himself."""
_log = logging.getLogger("aim_memory.engine")


class Remembering:
    """Writes exchanges in order, one after the other, on a thread of its own. Thread-safe.

    An exchange that was taken is written as soon as the ones before it are, and in any case before ``close`` returns;
    one that cannot be written is logged and counted. Only the death of the process can lose one silently.
    """

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aim-remember")
        self._lock = threading.Lock()
        self._waiting = 0
        self._written = 0
        self._failed = 0

    def put(self, tenant: str, exchange: WriteRequest, author: str | None) -> None:
        """Takes an exchange; returns at once unless too many wait."""
        with self._lock:
            self._waiting += 1
            full = self._waiting > WAITING
        if full:
            self._write(tenant, exchange, author)
        else:
            self._writer.submit(self._write, tenant, exchange, author)

    def flush(self) -> None:
        """Returns when all that was put before is written."""
        self._writer.submit(lambda: None).result()

    def figures(self) -> dict[str, Any]:
        with self._lock:
            return {"waiting": self._waiting, "written": self._written, "failed": self._failed}

    def close(self) -> None:
        self._writer.shutdown(wait=True)

    def _write(self, tenant: str, exchange: WriteRequest, author: str | None) -> None:
        written = 0
        try:
            self._writing.write(tenant, exchange, idempotency_key=None, author=author)
            written = 1
        except AIMMemoryError as error:
            _log.warning("a turn of a chat could not be remembered: %s", error)
        finally:
            with self._lock:
                self._waiting -= 1
                self._written += written
                self._failed += 1 - written
