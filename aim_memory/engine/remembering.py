"""Turns of chats: committed before the reply ends, embedded behind."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from typing import Any

from aim_memory.bodies import WriteRequest
from aim_memory.engine.embedding import BATCH, embed_pending
from aim_memory.engine.parts import Parts
from aim_memory.engine.writing import Writing
from aim_memory.errors import AIMMemoryError

PATIENCE_S = 1.0
"""How long the end of a reply waits for a commit; one takes milliseconds where nobody holds the store."""
WRITERS = 4
"""Exchanges that are written at once: they share a commit."""
WAITING = 1000
"""Exchanges that may wait; whoever brings one more writes it himself."""
_log = logging.getLogger("aim_memory.engine")


class Remembering:
    """Commits exchanges as words, which takes no model, and then brings their vectors. Thread-safe.

    What ``keep`` says is kept is in the store, synced: if the process dies before the vectors are there, upkeep brings
    them, and until then it is found by its words. One that cannot be written is logged and counted.
    """

    def __init__(self, parts: Parts, writing: Writing, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._parts = parts
        self._writing = writing
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="aim-remember")
        self._embedder = ThreadPoolExecutor(1, thread_name_prefix="aim-remember-vectors")
        self._lock = threading.Lock()
        self._embedding = False
        self._waiting = 0
        self._written = 0
        self._failed = 0

    def keep(self, tenant: str, exchange: WriteRequest, author: str | None) -> str | None:
        """Returns when an exchange is committed: None, or why it is not, not all of it, or not yet."""
        try:
            return self._put(tenant, exchange, author).result(self._patience_s)
        except Late:
            return "The exchange is not remembered yet: the store is busy."

    def keep_behind(self, tenant: str, exchange: WriteRequest, author: str | None) -> None:
        """The same for somebody who does not wait; before ``close`` returns in any case."""
        self._put(tenant, exchange, author)

    def flush(self) -> None:
        """Returns when all that was put before is written and embedded, or has failed."""
        while self.figures()["waiting"]:
            self._writers.submit(lambda: None).result()
        self._embedder.submit(lambda: None).result()

    def figures(self) -> dict[str, Any]:
        with self._lock:
            return {"waiting": self._waiting, "written": self._written, "failed": self._failed}

    def close(self) -> None:
        self._writers.shutdown(wait=True)
        self._embedder.shutdown(wait=True)

    def _put(self, tenant: str, exchange: WriteRequest, author: str | None) -> Future[str | None]:
        with self._lock:
            self._waiting += 1
            full = self._waiting > WAITING
        if not full:
            return self._writers.submit(self._write, tenant, exchange, author)
        written: Future[str | None] = Future()
        written.set_result(self._write(tenant, exchange, author))
        return written

    def _write(self, tenant: str, exchange: WriteRequest, author: str | None) -> str | None:
        failure: str | None = "The exchange could not be remembered; the log says why."
        try:
            reply = self._writing.write(tenant, exchange, idempotency_key=None, author=author, embed=False)
            refused = [result.reason for result in reply.results if result.status == "rejected"]
            failure = f"Not all of the exchange is remembered: {refused[0]}" if refused else None
            self._want_vectors()
        except AIMMemoryError as error:
            failure = f"The exchange could not be remembered: {error.message}"
            _log.warning("a turn of a chat could not be remembered: %s", error)
        finally:
            with self._lock:
                self._waiting -= 1
                self._written += failure is None
                self._failed += failure is not None
        return failure

    def _want_vectors(self) -> None:
        with self._lock:
            if self._embedding:
                return  # whoever has not begun yet sees this one too
            self._embedding = True
        self._embedder.submit(self._embed)

    def _embed(self) -> None:
        with self._lock:
            self._embedding = False
        try:
            while embed_pending(self._parts.store, self._parts.embedder) == BATCH:
                pass
        except AIMMemoryError as error:
            _log.warning("turns of chats wait for their vectors: %s", error)
