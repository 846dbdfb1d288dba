"""kill -9 of a real server under writers: what was acknowledged is there, once, and what was not leaves no trace.

The oracle is the clients' own journal. A request that was cut off is sent again after the restart with the same
Idempotency-Key: whether it had been committed or not, it must have happened exactly once in the end.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

import aim_memory
from aim_memory.storage.sql_store import SqlStore
from aim_memory.types import Space
from tests import postgres
from tests.figures import figure
from tests.memories import SteppingClock

NAMESPACE = "user/ada"
WRITERS = 16
CITIES = ("Paris", "Rome", "Oslo", "Lisbon", "Kyiv")
_CUT_OFF = (OSError, http.client.HTTPException)


class Journal:
    """What the service has acknowledged. Thread-safe."""

    def __init__(self) -> None:
        self.replies: dict[str, dict[str, Any]] = {}
        """Idempotency key → reply."""
        self.texts: dict[str, str] = {}
        """Id → text."""
        self._changed = threading.Condition()

    def acknowledge(self, request: Request, reply: dict[str, Any]) -> None:
        with self._changed:
            assert request.key not in self.replies
            self.replies[request.key] = reply
            for text, result in zip(request.texts, reply["results"], strict=True):
                assert result["status"] == "created"
                assert result["id"] not in self.texts
                self.texts[result["id"]] = text
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

    @classmethod
    def numbered(cls, writer: int, number: int) -> Request:
        key = f"{writer}-{number}"
        first = f"I live in {CITIES[number % 5]} now, note {key}." if number % 4 == 0 else f"Note {key}, alone."
        return cls(key, (first, *(f"Note {key}, part {part}." for part in range(number % 3))))

    def send(self, connection: http.client.HTTPConnection) -> dict[str, Any]:
        body = {"namespace": NAMESPACE, "memories": [{"text": text, "speaker": "Ada"} for text in self.texts]}
        headers = {"Content-Type": "application/json", "Idempotency-Key": self.key}
        connection.request("POST", "/v1/memories", json.dumps(body), headers)
        response = connection.getresponse()
        reply = response.read()
        assert response.status < 300, reply
        return dict(json.loads(reply))


@dataclass
class Writer:
    """Sends its requests one after the other, the one that was cut off first."""

    number: int
    journal: Journal
    next: int = 0
    cut_off: int = field(default=0)

    def write(self, address: tuple[str, int], until: threading.Event) -> None:
        """Writes until told to stop (then it has nothing unfinished) or until the server is gone."""
        with closing(http.client.HTTPConnection(*address, timeout=30)) as connection:
            while not until.is_set():
                request = Request.numbered(self.number, self.next)
                try:
                    self.journal.acknowledge(request, request.send(connection))
                except _CUT_OFF:
                    self.cut_off += 1
                    return
                self.next += 1


@contextmanager
def server(home: Path, url: str | None = None) -> Iterator[tuple[subprocess.Popen[str], tuple[str, int]]]:
    """A server process without torch, and its address; killed at the end."""
    path = str(Path(aim_memory.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": path, "AIM_EMBEDDER__KIND": "hashing"}
    environment |= {"AIM_DATABASE__URL": url} if url else {}
    command = [sys.executable, "-m", "aim_memory.cli.main", "serve", "--home", str(home), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stderr is not None
            announced = next(line for line in process.stderr if "http://" in line)
            found = re.search(r"http://([\d.]+):(\d+)", announced)
            assert found is not None
            threading.Thread(target=_pass_on, args=(process.stderr,)).start()
            yield process, (found[1], int(found[2]))
        finally:
            process.kill()


def _pass_on(stream: IO[str]) -> None:
    """What the server complains about belongs beside a failure."""
    for line in stream:
        sys.stderr.write(line)


def _kill_rounds(home: Path, rounds: int, url: str | None = None) -> tuple[Journal, list[Writer]]:
    journal = Journal()
    writers = [Writer(number, journal) for number in range(WRITERS)]
    moments = np.random.default_rng(rounds).integers(1, 40, rounds)
    with ThreadPoolExecutor(WRITERS) as pool:
        for moment in moments:
            with server(home, url) as (process, address):
                never = threading.Event()
                writing = [pool.submit(writer.write, address, never) for writer in writers]
                journal.wait_for(int(moment))
                process.send_signal(signal.SIGKILL)
                for each in writing:
                    each.result()
        with server(home, url) as (_, address):
            enough = threading.Event()
            writing = [pool.submit(writer.write, address, enough) for writer in writers]
            journal.wait_for(WRITERS * 3)
            enough.set()
            for each in writing:
                each.result()
    return journal, writers


def _verify(url: str, journal: Journal) -> None:
    store = SqlStore(url, SteppingClock(), None)
    space = Space("local", NAMESPACE)
    head, rows = store.snapshot(space)
    stored = {memory_id: memory.text for memory_id, memory in store.get(space, [row.id for row in rows]).items()}
    assert set(journal.texts) - set(stored) == set(), "lost"
    assert set(stored) - set(journal.texts) == set(), "never acknowledged, or twice"
    assert stored == journal.texts
    assert all(row.segments for row in rows), "half-linked"
    assert sorted(row.ordinal for row in rows) == list(range(1, head.ordinal + 1))
    seqs: list[int] = []
    while page := store.changes(space, seqs[-1] if seqs else 0):
        seqs += [change.seq for change in page]
    assert seqs == list(range(1, head.seq + 1))
    store.close()


def _verify_file(home: Path) -> None:
    with closing(sqlite3.connect(home / "aim.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def _no_torch(home: Path) -> None:
    with server(home) as (process, _):
        maps = Path(f"/proc/{process.pid}/maps")
        assert not maps.exists() or "torch" not in maps.read_text()


def _tell(kills: int, database: str, journal: Journal, writers: list[Writer]) -> None:
    cut_off = sum(writer.cut_off for writer in writers)
    counted = f"{len(journal.replies):,} acknowledged, {cut_off:,} cut off and sent again"
    size = f"{kills} kills, {WRITERS} writers over HTTP, {database}"
    figure("what was acknowledged outlives kill -9", size, f"{counted}: 0 lost, 0 phantom, 0 twice, 0 half-linked")


def test_nothing_acknowledged_is_lost_in_20_kills(tmp_path: Path) -> None:
    _check_file(tmp_path, 20)
    _no_torch(tmp_path)


def test_nothing_acknowledged_is_lost_on_postgresql(tmp_path: Path) -> None:
    _check_postgresql(tmp_path, 3)


@pytest.mark.deep
def test_nothing_acknowledged_is_lost_in_200_kills(tmp_path: Path) -> None:
    _check_file(tmp_path, 200)


@pytest.mark.deep
def test_nothing_acknowledged_is_lost_on_postgresql_in_200_kills(tmp_path: Path) -> None:
    _check_postgresql(tmp_path, 200)


def _check_file(home: Path, kills: int) -> None:
    journal, writers = _kill_rounds(home, kills)
    assert sum(writer.cut_off for writer in writers) >= kills, "kills hit requests in flight"
    _verify(f"sqlite:///{home / 'aim.db'}", journal)
    _verify_file(home)
    _tell(kills, "SQLite", journal, writers)


def _check_postgresql(home: Path, kills: int) -> None:
    url = postgres.url(home)
    journal, writers = _kill_rounds(home, kills, url)
    assert sum(writer.cut_off for writer in writers) >= kills, "kills hit requests in flight"
    _verify(url, journal)
    _tell(kills, "PostgreSQL", journal, writers)
