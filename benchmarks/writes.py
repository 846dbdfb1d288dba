"""Acknowledged writes a second: with shared commits, with a commit for each, and with a single writer.

    python -m benchmarks.writes [--rounds 3] [--seconds 4] [--out FILE]

Over HTTP, where every server runs in a process of its own, on the hashing embedder, with the clients in another, as
plain sockets in one thread; and straight into the store, from threads, where nothing but the writing is measured. Each
round takes all variants one after the other, so that what else the machine does falls on all alike. Beside them, what
the disk does at best when every row is synced by itself. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import selectors
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import uvicorn

from aim_memory import assemble
from aim_memory.api.app import create_app
from aim_memory.clock import SystemClock
from aim_memory.config import AIMConfig
from aim_memory.engine import MemoryEngine, Parts
from aim_memory.llm.hashing import HashingEmbedder
from aim_memory.sessions import Sessions
from aim_memory.settings import Settings
from aim_memory.storage.index import FlatIndex
from aim_memory.storage.keeper import FollowingKeeper
from aim_memory.storage.sql_store import SqlStore
from aim_memory.storage.write_line import LARGEST
from aim_memory.types import NewMemory, Segment, Space

WRITERS = 16
_WARM_S = 0.5
_NOW = SystemClock().now()
_HEAD = b"POST /v1/memories HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
_LENGTH = re.compile(rb"(?i)content-length: *(\d+)")


@dataclass(frozen=True)
class Variant:
    over: str
    """HTTP, or "store" for straight into it."""
    shared_by: int
    writers: int
    namespaces: int
    servers: int
    """Processes over one folder; straight into the store it is always this one."""

    @property
    def name(self) -> str:
        each = "a commit for each write" if self.shared_by == 1 else "shared commits"
        over = f"HTTP, {self.servers} servers" if self.servers > 1 else self.over
        return f"{each}, {self.writers} writers, {self.namespaces} namespaces, {over}"


VARIANTS = tuple(
    Variant(over, shared_by, writers, namespaces, servers)
    for over, servers in (("HTTP", 1), ("HTTP", 2), ("store", 1))
    for writers, namespaces in ((WRITERS, WRITERS), (WRITERS, 1), (1, 1))
    for shared_by in (1, LARGEST)
)


@dataclass
class Round:
    """What one variant did in one round."""

    acknowledged: int
    wall_s: float
    cpu_s: float
    """Of the server, or of the store and its threads."""
    client_cpu_s: float
    """Of those who write to the server."""
    latencies_ms: list[float] = field(repr=False)


def serve(home: Path, shared_by: int) -> None:
    """Runs a server until it is killed; prints its port."""
    settings = Settings(home=home, embedder={"kind": "hashing"}, server={"threads": WRITERS})
    embedder = HashingEmbedder()
    store = SqlStore(settings.database_url, SystemClock(), embedder.generation, shared_by=shared_by)
    engine = MemoryEngine(
        Parts(
            store=store,
            keeper=FollowingKeeper(store, lambda: FlatIndex(embedder.dimension)),
            sessions=Sessions(store),
            embedder=embedder,
            generators=assemble.open_generators(settings)[0],
            clock=SystemClock(),
            config=AIMConfig(),
            limits=settings.limits,
        )
    )
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listener.getsockname()[1], flush=True)
    config = uvicorn.Config(create_app(settings, engine), log_level="error", access_log=False, proxy_headers=False)
    uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def served(home: str, shared_by: int) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, __file__, "--serve", home, str(shared_by)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, next(int(line) for line in process.stdout if line.strip().isdigit())
        finally:
            process.kill()


class Client:
    """One connection that writes one memory after the other: the next when the last was acknowledged."""

    def __init__(self, port: int, writer: int, namespace: str) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._writer = writer
        self._namespace = namespace
        self._sent = 0
        self._began = 0.0
        self._reply = b""

    def send(self) -> None:
        text = f"Note {self._sent} of writer {self._writer}: the red bicycle stands behind station {self._sent * 7}."
        body = json.dumps({"namespace": self._namespace, "memories": [{"text": text, "speaker": "Ada"}]}).encode()
        self._sent += 1
        self._began, self._reply = time.perf_counter(), b""
        self.socket.sendall(_HEAD % len(body) + body)

    def receive(self) -> float | None:
        """The milliseconds a write took when its reply is whole; else None."""
        self._reply += self.socket.recv(65536)
        head, ended, body = self._reply.partition(b"\r\n\r\n")
        if not ended or len(body) < int(_LENGTH.search(head)[1]):  # type: ignore[index]  # ours always say it
            return None
        assert head.startswith(b"HTTP/1.1 200"), self._reply
        return 1000 * (time.perf_counter() - self._began)


def write(clients: Sequence[Client], until: float) -> list[float]:
    """All clients write, from one thread, so that they cost the server little; the milliseconds of each write."""
    took: list[float] = []
    with selectors.DefaultSelector() as waiting:
        for client in clients:
            waiting.register(client.socket, selectors.EVENT_READ, client)
            client.send()
        while waiting.get_map():
            for key, _ in waiting.select():
                client = key.data
                spent = client.receive()
                if spent is None:
                    continue
                took.append(spent)
                if time.perf_counter() < until:
                    client.send()
                else:
                    waiting.unregister(client.socket)
    return took


def play(variant: Variant, seconds: float) -> Round:
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory())
        servers = [stack.enter_context(served(home, variant.shared_by)) for _ in range(variant.servers)]
        clients = [
            Client(servers[number % len(servers)][1], number, f"user/n{number % variant.namespaces}")
            for number in range(variant.writers)
        ]
        for client in clients:
            stack.enter_context(client.socket)

        def used_s() -> float:
            return sum(_cpu_s(process.pid) for process, _ in servers)

        write(clients, time.perf_counter() + _WARM_S)
        began, cpu, own = time.perf_counter(), used_s(), time.process_time()
        took = write(clients, began + seconds)
        wall = time.perf_counter() - began
        return Round(len(took), wall, used_s() - cpu, time.process_time() - own, took)


def play_store(variant: Variant, seconds: float) -> Round:
    """The same straight into a store: look for a repeat, insert, commit."""
    with tempfile.TemporaryDirectory() as home, ThreadPoolExecutor(variant.writers) as pool:
        url = f"sqlite:///{Path(home) / 'aim.db'}"
        store = SqlStore(url, SystemClock(), HashingEmbedder().generation, shared_by=variant.shared_by)
        began, cpu = time.perf_counter(), time.process_time()

        def write_straight(writer: int) -> list[float]:
            space = Space("local", f"user/n{writer % variant.namespaces}")
            took: list[float] = []
            while (now := time.perf_counter()) < began + seconds:
                memory = _memory(writer, len(took))
                with store.begin(space) as work:
                    work.repeat_of(None, memory.digest, memory.created_at)
                    work.insert([memory])
                    work.commit()
                took.append(1000 * (time.perf_counter() - now))
            return took

        took = [one for each in pool.map(write_straight, range(variant.writers)) for one in each]
        wall = time.perf_counter() - began
        store.close()
        return Round(len(took), wall, time.process_time() - cpu, 0.0, took)


def _memory(writer: int, number: int) -> NewMemory:
    """As the service makes them, without the making."""
    text = f"Note {number} of writer {writer}: the red bicycle stands behind the station."
    terms = dict.fromkeys(text.lower().split(), 1)
    vector = np.full(HashingEmbedder().dimension, 1 / 16, np.float32)
    return NewMemory(
        id=f"{writer}-{number}",
        text=text,
        summary=text,
        digest=text,
        timestamp=_NOW,
        created_at=_NOW,
        segments=(Segment(0, len(text), terms, vector),),
        generation=HashingEmbedder().generation,
    )


def synced_rows(seconds: float) -> float:
    """Rows a second of plain sqlite3, each of 2 KB, each in a synced commit."""
    with tempfile.TemporaryDirectory() as home, closing(sqlite3.connect(Path(home) / "rows.db")) as rows:
        rows.isolation_level = None
        rows.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (x)")
        count, began = 0, time.perf_counter()
        while time.perf_counter() < began + seconds:
            rows.execute("INSERT INTO t VALUES (?)", ("x" * 2000,))
            count += 1
        return count / (time.perf_counter() - began)


def _cpu_s(pid: int) -> float:
    """CPU time of a process so far; 0 where it cannot be read."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def summary(variant: Variant, rounds: Sequence[Round]) -> dict[str, Any]:
    latencies = sorted(one for each in rounds for one in each.latencies_ms)
    acknowledged = sum(each.acknowledged for each in rounds)
    return {
        "name": variant.name,
        **asdict(variant),
        "acknowledged": acknowledged,
        "per_s": round(median(each.acknowledged / each.wall_s for each in rounds), 1),
        "cpu_ms_per_write": round(1000 * sum(each.cpu_s for each in rounds) / acknowledged, 3),
        "client_cpu_ms_per_write": round(1000 * sum(each.client_cpu_s for each in rounds) / acknowledged, 3),
        "p50_ms": round(latencies[len(latencies) // 2], 1),
        "p99_ms": round(latencies[int(0.99 * len(latencies))], 1),
    }


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    given.add_argument("--seconds", type=float, default=4.0)
    given.add_argument("--rounds", type=int, default=3)
    given.add_argument("--out", type=Path)
    given.add_argument("--serve", nargs=2, metavar=("HOME", "SHARED_BY"), help=argparse.SUPPRESS)
    chosen = given.parse_args()
    if chosen.serve:
        serve(Path(chosen.serve[0]), int(chosen.serve[1]))
        return
    played: list[list[Round]] = [[] for _ in VARIANTS]
    rows = []
    for _ in range(chosen.rounds):
        rows.append(synced_rows(chosen.seconds / 4))
        for variant, rounds in zip(VARIANTS, played, strict=True):
            rounds.append((play if variant.over == "HTTP" else play_store)(variant, chosen.seconds))
    found = [summary(variant, rounds) for variant, rounds in zip(VARIANTS, played, strict=True)]
    pairs = zip(found[::2], found[1::2], strict=True)
    report = {
        "commit": _commit(),
        "machine": platform.platform(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "synced_rows_per_s": round(median(rows), 1),
        "gained": {str(shared["name"]): round(shared["per_s"] / each["per_s"], 2) for each, shared in pairs},
        "variants": found,
    }
    print(json.dumps(report, indent=2))
    if chosen.out:
        chosen.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def _commit() -> str:
    found = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
