"""kill -9 of a real server under writers: what was acknowledged is there, once, and what was not leaves no trace."""

from __future__ import annotations

import http.client
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests import postgres
from tests.faults.nursery import Nursery
from tests.faults.served import CUT_OFF, Journal, Request, server, verify, verify_file
from tests.figures import figure

WRITERS = 16
EACH = 64
"""Of a writer's requests to one namespace; then all go on to the next, or each start would take longer."""


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
                request = Request.numbered(self.number, self.next, f"user/{self.next // EACH}")
                try:
                    self.journal.acknowledge(request, request.send(connection))
                except CUT_OFF:
                    self.cut_off += 1
                    return
                self.next += 1


def _kill_rounds(
    home: Path, rounds: int, url: str | None = None, nursery: Nursery | None = None
) -> tuple[Journal, list[Writer]]:
    journal = Journal()
    writers = [Writer(number, journal) for number in range(WRITERS)]
    moments = np.random.default_rng(rounds).integers(1, 40, rounds)
    with ThreadPoolExecutor(WRITERS) as pool:
        for moment in moments:
            with server(home, url, nursery) as (process, address):
                never = threading.Event()
                writing = [pool.submit(writer.write, address, never) for writer in writers]
                journal.wait_for(int(moment))
                process.send_signal(signal.SIGKILL)
                for each in writing:
                    each.result()
        with server(home, url, nursery) as (_, address):
            enough = threading.Event()
            writing = [pool.submit(writer.write, address, enough) for writer in writers]
            journal.wait_for(WRITERS * 3)
            enough.set()
            for each in writing:
                each.result()
    return journal, writers


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    opened = Nursery()
    yield opened
    opened.close()


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
def test_nothing_acknowledged_is_lost_in_1000_kills(tmp_path: Path, nursery: Nursery) -> None:
    _check_file(tmp_path, 1000, nursery)


@pytest.mark.deep
def test_nothing_acknowledged_is_lost_on_postgresql_in_1000_kills(tmp_path: Path, nursery: Nursery) -> None:
    _check_postgresql(tmp_path, 1000, nursery)


def test_servers_of_a_nursery_lose_nothing_either(tmp_path: Path, nursery: Nursery) -> None:
    _check_file(tmp_path, 3, nursery)


def _check_file(home: Path, kills: int, nursery: Nursery | None = None) -> None:
    journal, writers = _kill_rounds(home, kills, nursery=nursery)
    assert sum(writer.cut_off for writer in writers) >= kills, "kills hit requests in flight"
    verify(f"sqlite:///{home / 'aim.db'}", journal)
    verify_file(home)
    _tell(kills, "SQLite", journal, writers)


def _check_postgresql(home: Path, kills: int, nursery: Nursery | None = None) -> None:
    url = postgres.url(home)
    journal, writers = _kill_rounds(home, kills, url, nursery)
    assert sum(writer.cut_off for writer in writers) >= kills, "kills hit requests in flight"
    verify(url, journal)
    _tell(kills, "PostgreSQL", journal, writers)
