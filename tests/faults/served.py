"""A real server process, clients that keep a journal of what it acknowledged, and what must hold in the end.

The oracle is the clients' own journal. A request that was cut off is sent again with the same Idempotency-Key: whether
it had been committed or not, it must have happened exactly once in the end.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import aim_memory
from aim_memory.storage.sql_store import SqlStore
from aim_memory.types import Space
from tests.faults.nursery import Forked, Nursery
from tests.memories import SteppingClock

NAMESPACE = "user/ada"
CITIES = ("Paris", "Rome", "Oslo", "Lisbon", "Kyiv")
CUT_OFF = (OSError, http.client.HTTPException)


class Journal:
    """What the service has acknowledged. Thread-safe."""

    def __init__(self) -> None:
        self.replies: dict[str, dict[str, Any]] = {}
        """Idempotency key → reply."""
        self.texts: dict[str, dict[str, str]] = {}
        """Namespace → id → text."""
        self._changed = threading.Condition()

    def acknowledge(self, request: Request, reply: dict[str, Any]) -> None:
        with self._changed:
            assert request.key not in self.replies
            self.replies[request.key] = reply
            texts = self.texts.setdefault(request.namespace, {})
            for text, result in zip(request.texts, reply["results"], strict=True):
                assert result["status"] == "created"
                assert result["id"] not in texts
                texts[result["id"]] = text
            self._changed.notify_all()

    def wait_for(self, more: int) -> None:
        """Returns when ``more`` requests have been acknowledged from now on."""
        with self._changed:
            goal = len(self.replies) + more
            assert self._changed.wait_for(lambda: len(self.replies) >= goal, timeout=60)


@dataclass(frozen=True)
class Request:
    """A write of one to three memories, the same whenever it is sent."""

    key: str
    texts: tuple[str, ...]
    namespace: str = NAMESPACE

    @classmethod
    def numbered(cls, writer: int, number: int, namespace: str = NAMESPACE) -> Request:
        key = f"{writer}-{number}"
        first = f"I live in {CITIES[number % 5]} now, note {key}." if number % 4 == 0 else f"Note {key}, alone."
        return cls(key, (first, *(f"Note {key}, part {part}." for part in range(number % 3))), namespace)

    @property
    def body(self) -> dict[str, Any]:
        memories = [{"text": text, "speaker": "Ada"} for text in self.texts]
        return {"namespace": self.namespace, "memories": memories}

    def send(self, connection: http.client.HTTPConnection) -> dict[str, Any]:
        status, reply = post(connection, "/v1/memories", self.body, {"Idempotency-Key": self.key})
        assert status < 300, reply
        return reply


def post(
    connection: http.client.HTTPConnection, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> tuple[int, dict[str, Any]]:
    """Status and body of the reply. Raises one of CUT_OFF."""
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json", **(headers or {})})
    response = connection.getresponse()
    return response.status, dict(json.loads(response.read()))


@contextmanager
def server(
    home: Path, url: str | None = None, nursery: Nursery | None = None, **more: str
) -> Iterator[tuple[subprocess.Popen[str] | Forked, tuple[str, int]]]:
    """A server process without torch, of its own or from a nursery, and its address; killed at the end.
    ``more``: of its environment."""
    path = str(Path(aim_memory.__file__).parents[1])
    environment = {"PYTHONPATH": path, "AIM_EMBEDDER__KIND": "hashing", **more}
    environment |= {"AIM_DATABASE__URL": url} if url else {}
    arguments = ["serve", "--home", str(home), "--port", "0"]
    started = _spawned(arguments, environment) if nursery is None else nursery.start(arguments, environment)
    with started as process:
        assert process.stderr is not None
        announced = next(line for line in process.stderr if "http://" in line)
        found = re.search(r"http://([\d.]+):(\d+)", announced)
        assert found is not None
        passing_on = threading.Thread(target=_pass_on, args=(process.stderr,))
        passing_on.start()
        try:
            yield process, (found[1], int(found[2]))
        finally:
            process.kill()
            passing_on.join()


@contextmanager
def _spawned(arguments: list[str], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "aim_memory.cli.main", *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}) as process:
        try:
            yield process
        finally:
            process.kill()


def _pass_on(stream: IO[str]) -> None:
    """What the server complains about belongs beside a failure."""
    for line in stream:
        sys.stderr.write(line)


def verify(url: str, journal: Journal) -> None:
    """What was acknowledged is stored, once and whole; what was not is not; the log has no gap."""
    store = SqlStore(url, SteppingClock(), None)
    for namespace, texts in journal.texts.items():
        _verify_space(store, Space("local", namespace), texts)
    store.close()


def _verify_space(store: SqlStore, space: Space, texts: Mapping[str, str]) -> None:
    head, rows = store.snapshot(space)
    stored = {memory_id: memory.text for memory_id, memory in store.get(space, [row.id for row in rows]).items()}
    assert set(texts) - set(stored) == set(), "lost"
    assert set(stored) - set(texts) == set(), "never acknowledged, or twice"
    assert stored == texts
    assert all(row.segments for row in rows), "half-linked"
    assert sorted(row.ordinal for row in rows) == list(range(1, head.ordinal + 1))
    seqs: list[int] = []
    while page := store.changes(space, seqs[-1] if seqs else 0):
        seqs += [change.seq for change in page]
    assert seqs == list(range(1, head.seq + 1))


def verify_file(home: Path) -> None:
    """The SQLite file is sound."""
    with closing(sqlite3.connect(home / "aim.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
