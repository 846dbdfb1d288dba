"""Servers under steady load, one of them killed and started again every few seconds: nothing acknowledged is lost,
nothing appears that nobody wrote, and what one acknowledged the next query on another finds."""

from __future__ import annotations

import http.client
import itertools
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests import postgres
from tests.faults.served import CUT_OFF, Journal, Request, post, server, verify, verify_file
from tests.figures import figure

CLIENTS = 12
NAMESPACES = 8
PATIENCE_S = 60.0
"""After which a client that got no reply gives up, and the test fails."""
_BUSY = (429, 503, 504)
Address = tuple[str, int]


class Replicas:
    """Servers over one store; each may be gone for a moment. Thread-safe."""

    def __init__(self, home: Path, url: str | None, count: int) -> None:
        self._home = home
        self._url = url
        self._running = ExitStack()
        self._processes: list[subprocess.Popen[str]] = []
        self._addresses: list[Address | None] = [None] * count
        for slot in range(count):
            self._processes.append(self._start(slot))

    def _start(self, slot: int) -> subprocess.Popen[str]:
        process, address = self._running.enter_context(server(self._home / f"home{slot}", self._url))
        self._addresses[slot] = address
        return process

    def __len__(self) -> int:
        return len(self._processes)

    def address(self, slot: int) -> Address | None:
        return self._addresses[slot]

    def kill(self, slot: int) -> None:
        """kill -9, and a new one in its place."""
        self._addresses[slot] = None
        self._processes[slot].send_signal(signal.SIGKILL)
        self._processes[slot].wait()
        self._processes[slot] = self._start(slot)

    def close(self) -> None:
        self._running.close()


@contextmanager
def replicas(home: Path, url: str | None, count: int) -> Iterator[Replicas]:
    opened = Replicas(home, url, count)
    try:
        yield opened
    finally:
        opened.close()


@dataclass
class Client:
    """Writes, and asks another server for what was acknowledged."""

    number: int
    servers: Replicas
    journal: Journal
    written: int = 0
    cut_off: int = 0
    busy: int = 0
    stale: list[str] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)
    """From the first try of a write to its acknowledgement."""
    _open: dict[Address, http.client.HTTPConnection] = field(default_factory=dict)

    def work(self, until: threading.Event, due: Iterator[float] | None) -> None:
        """``due``: the moments at which some client is to send, shared by all; None: at once, one after the other."""
        try:
            while not until.is_set():
                if due is not None and until.wait(max(0.0, next(due) - time.monotonic())):
                    return
                self._write_and_ask()
        finally:
            for connection in self._open.values():
                connection.close()

    def _write_and_ask(self) -> None:
        word = f"{self.number}xq{self.written}"
        namespace = f"user/{(self.number + self.written) % NAMESPACES}"
        request = Request(word, (f"The parcel {word} stands on shelf {self.written % 7}.",), namespace)
        self.written += 1
        began = time.monotonic()
        slot, reply = self._send("/v1/memories", request.body, {"Idempotency-Key": request.key})
        self.waits_s.append(time.monotonic() - began)
        self.journal.acknowledge(request, reply)
        asked = {"namespace": namespace, "query": f"Where is parcel {word}?", "top_k": 3}
        _, found = self._send("/v1/query", asked, {}, slot + 1)
        if reply["results"][0]["id"] not in [hit["id"] for hit in found["results"]]:
            self.stale.append(word)

    def _send(
        self, path: str, body: dict[str, object], headers: dict[str, str], slot: int | None = None
    ) -> tuple[int, dict[str, list[dict[str, str]]]]:
        """Which server replied, and what. Tries the servers in turn until one does."""
        first = self.number + self.written if slot is None else slot
        deadline = time.monotonic() + PATIENCE_S
        for turn in itertools.count(first):
            assert time.monotonic() < deadline, f"no reply to {path} within {PATIENCE_S} s"
            at = turn % len(self.servers)
            address = self.servers.address(at)
            if address is None:
                time.sleep(0.05)
                continue
            try:
                status, reply = post(self._connection(address), path, body, headers)
            except CUT_OFF:
                self.cut_off += 1
                self._open.pop(address).close()
                continue
            if status < 300:
                return at, reply
            assert status in _BUSY, reply
            self.busy += 1
            time.sleep(0.05)
        raise AssertionError

    def _connection(self, address: Address) -> http.client.HTTPConnection:
        if address not in self._open:
            self._open[address] = http.client.HTTPConnection(*address, timeout=30)
        return self._open[address]


@contextmanager
def working(clients: list[Client], due: Iterator[float] | None = None) -> Iterator[None]:
    """The clients at work beside the caller. Raises what one of them raised."""
    enough = threading.Event()
    with ThreadPoolExecutor(len(clients)) as pool:
        running = [pool.submit(client.work, enough, due) for client in clients]
        try:
            yield
        finally:
            enough.set()
        for each in running:
            each.result()


class Pace:
    """Moments on the monotonic clock, evenly spaced from now on; what was late is not made up for. Thread-safe."""

    def __init__(self, each_second: float) -> None:
        self._step = 1 / each_second
        self._next = time.monotonic()
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[float]:
        return self

    def __next__(self) -> float:
        with self._lock:
            self._next = max(self._next + self._step, time.monotonic() - CLIENTS * self._step)
            return self._next


def _soak(servers: Replicas, clients: list[Client], seconds: float, every: float) -> tuple[int, float]:
    """Kills one server every so many seconds under seven tenths of what they bear. Returns kills and that load."""
    with working(clients):
        before, began = sum(client.written for client in clients), time.monotonic()
        time.sleep(every / 2)
        capacity = (sum(client.written for client in clients) - before) / (time.monotonic() - began)
    load = 0.7 * capacity
    kills = int(seconds / every)
    with working(clients, Pace(load)):
        began = time.monotonic()
        for kill in range(kills):
            time.sleep(max(0.0, began + kill * every + every - time.monotonic()))
            servers.kill(kill % len(servers))
    return kills, load


def _check_in_rounds(home: Path, url: str | None, count: int, kills: int) -> None:
    journal = Journal()
    with replicas(home, url, count) as servers:
        clients = [Client(number, servers, journal) for number in range(CLIENTS)]
        with working(clients):
            for kill in range(kills):
                journal.wait_for(3 * CLIENTS)
                servers.kill(kill % count)
            journal.wait_for(3 * CLIENTS)
    _tell(home, url, clients, journal, f"{kills} kills as fast as it goes, {_kind(url, count)}")


def _check_for(home: Path, url: str | None, count: int, seconds: float, every: float) -> None:
    journal = Journal()
    with replicas(home, url, count) as servers:
        clients = [Client(number, servers, journal) for number in range(CLIENTS)]
        kills, load = _soak(servers, clients, seconds, every)
    paced = f"{seconds / 60:g} minutes at {load:.0f} writes and queries a second (70 %), {kills} kills"
    _tell(home, url, clients, journal, f"{paced}, {_kind(url, count)}")


def _kind(url: str | None, count: int) -> str:
    return f"{count} replicas on PostgreSQL" if url else f"{count} server on SQLite"


def _tell(home: Path, url: str | None, clients: list[Client], journal: Journal, size: str) -> None:
    stale = [word for client in clients for word in client.stale]
    assert stale == []
    verify(url or f"sqlite:///{home / 'home0' / 'aim.db'}", journal)
    if url is None:
        verify_file(home / "home0")
    middle, late = np.quantile([wait for client in clients for wait in client.waits_s], [0.5, 0.99])
    cut_off, busy = (sum(getattr(client, name) for client in clients) for name in ("cut_off", "busy"))
    counted = f"{len(journal.replies):,} acknowledged, {cut_off} cut off and sent again, {busy} refused as busy"
    waits = f"write p50 {1000 * middle:.0f} ms, p99 {1000 * late:.0f} ms with the waits for restarts"
    figure("a soak loses nothing", size, f"{counted}: 0 lost, 0 phantom, 0 stale reads; {waits}")


def test_kills_under_load_lose_nothing(tmp_path: Path) -> None:
    _check_in_rounds(tmp_path, None, 1, 2)


def test_kills_of_three_replicas_under_load_lose_nothing(tmp_path: Path) -> None:
    _check_in_rounds(tmp_path, postgres.url(tmp_path), 3, 3)


@pytest.mark.deep
def test_ten_minutes_of_kills_lose_nothing(tmp_path: Path) -> None:
    _check_for(tmp_path, None, 1, 600, 20)


@pytest.mark.deep
def test_ten_minutes_of_kills_of_three_replicas_lose_nothing(tmp_path: Path) -> None:
    _check_for(tmp_path, postgres.url(tmp_path), 3, 600, 20)
