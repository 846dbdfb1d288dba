"""Ten times as many clients as there are places: who is refused is told when to come back, who is let in is served, and
memory stays what it was."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from tests.faults.served import Journal, Request, server, verify
from tests.figures import figure

Address = tuple[str, int]


@dataclass
class Crowd:
    """Clients that write one memory after the other, each over a connection of its own; who is refused comes back when
    it was told to."""

    address: Address
    journal: Journal
    accepted_ms: list[float] = field(default_factory=list)
    refused_ms: list[float] = field(default_factory=list)
    hints: list[str | None] = field(default_factory=list)
    """What refusals said of when to come back."""
    _draw: np.random.Generator = field(default_factory=lambda: np.random.default_rng(5))
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))

    async def write(self, clients: int, goal: int | None, seconds: float | None, patience: float) -> None:
        """Until ``goal`` writes were accepted, or for so long. ``patience``: of a second that a refusal asks for."""
        until = None if seconds is None else time.monotonic() + seconds

        def enough() -> bool:
            late = until is not None and time.monotonic() > until
            return late or (goal is not None and len(self.accepted_ms) >= goal)

        async with asyncio.TaskGroup() as group:
            for client in range(clients):
                group.create_task(self._one(client, enough, patience))

    async def _one(self, client: int, enough: object, patience: float) -> None:
        assert callable(enough)
        reader, writer = await asyncio.open_connection(*self.address)
        while not enough():
            number = next(self._numbers)
            request = Request(f"o{number}", (f"Note {number} of client {client}, alone.",), f"user/{client % 16}")
            began = time.perf_counter()
            status, headers, reply = await self._sent(reader, writer, request)
            took = 1000 * (time.perf_counter() - began)
            if status == 200:
                self.accepted_ms.append(took)
                self.journal.acknowledge(request, reply)
                continue
            assert (status, reply["code"]) == (503, "overloaded"), reply
            self.refused_ms.append(took)
            self.hints.append(headers.get("retry-after"))
            jitter = 1 + 0.5 * self._draw.random()  # as clients should: not all at the same moment
            await asyncio.sleep(patience * jitter * float(headers["retry-after"]))
        writer.close()
        await writer.wait_closed()

    async def _sent(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: Request
    ) -> tuple[int, dict[str, str], dict[str, object]]:
        body = json.dumps(request.body).encode()
        given = {"Host": "127.0.0.1", "Content-Type": "application/json", "Idempotency-Key": request.key}
        lines = [f"{name}: {value}" for name, value in {**given, "Content-Length": len(body)}.items()]
        writer.write("\r\n".join(["POST /v1/memories HTTP/1.1", *lines, "", ""]).encode() + body)
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        return int(first.split()[1]), headers, json.loads(await reader.readexactly(int(headers["content-length"])))


@contextmanager
def crowded(home: Path, **settings: int) -> Iterator[tuple[Crowd, int]]:
    """Clients of a server with these settings, and its process's id."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(f"AIM_SERVER__{name.upper()}", str(value))
        with server(home) as (process, address):
            yield Crowd(address, Journal()), process.pid


def _resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _told(crowd: Crowd) -> str:
    return f"{len(crowd.accepted_ms):,} accepted, {len(crowd.refused_ms):,} refused, each told when to come back"


def test_who_is_refused_is_told_when_to_come_back(tmp_path: Path) -> None:
    with crowded(tmp_path, threads=1, backlog=1) as (crowd, _):
        asyncio.run(crowd.write(20, 60, None, 0.0))
    assert crowd.refused_ms
    assert all(hint is not None and int(hint) >= 1 for hint in crowd.hints)
    verify(f"sqlite:///{tmp_path / 'aim.db'}", crowd.journal)
    figure("overload is refused politely", "20 clients, 2 places", _told(crowd))


@pytest.mark.deep
def test_ten_times_the_clients_there_are_places_for(tmp_path: Path) -> None:
    places, seconds = 24, 120.0
    with crowded(tmp_path, threads=8, backlog=places - 8) as (crowd, pid):
        asyncio.run(crowd.write(places, None, 20, 1.0))
        nominal, resident = np.quantile(crowd.accepted_ms, 0.99), _resident_mib(pid)
        usual = len(crowd.accepted_ms) / 20
        crowd.accepted_ms.clear()
        crowd.refused_ms.clear()
        asyncio.run(crowd.write(10 * places, None, seconds, 1.0))
        after = _resident_mib(pid)
    assert len(crowd.refused_ms) > 10 * places
    assert all(hint is not None and int(hint) >= 1 for hint in crowd.hints)
    assert after < 1.5 * resident
    verify(f"sqlite:///{tmp_path / 'aim.db'}", crowd.journal)
    late, (middle, last) = np.quantile(crowd.accepted_ms, 0.99), np.quantile(crowd.refused_ms, [0.5, 0.99])
    served = f"accepted {len(crowd.accepted_ms) / seconds:.0f}/s (without the crowd {usual:.0f}/s)"
    waits = f"p99 {late:.0f} ms (without {nominal:.0f}); refusals p50 {middle:.0f} ms, p99 {last:.0f}"
    figure(
        "overload is refused politely",
        f"{10 * places} clients that come back when told, {places} places, {seconds:g} s",
        f"{_told(crowd)}; {served}, {waits}; memory {resident:.0f} → {after:.0f} MiB",
    )
