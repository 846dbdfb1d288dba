"""The same Idempotency-Key is one effect: however often a request comes again, and whatever is killed in between."""

from __future__ import annotations

import http.client
import json
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import postgres
from tests.faults.served import CUT_OFF, Journal, Request, post, server, verify
from tests.figures import figure

CLIENTS = 8
URLS: dict[str, Callable[[Path], str | None]] = {"SQLite": lambda folder: None, "PostgreSQL": postgres.url}
Tally = dict[str, int]


@dataclass
class Retrier:
    """Sends requests, new ones and again those it has sent, the ones of its neighbours too. One per thread."""

    number: int
    journal: Journal
    draw: np.random.Generator
    sent: list[Request]
    """Shared by all."""
    tally: Tally = field(default_factory=lambda: dict.fromkeys(("new", "again", "refused", "cut off"), 0))
    _own: int = 0

    def work(self, address: tuple[str, int], gone: threading.Event, count: int) -> None:
        """Sends so many requests, or fewer if the server goes away."""
        with closing(http.client.HTTPConnection(*address, timeout=60)) as connection:
            for _ in range(count):
                if gone.is_set():
                    return
                try:
                    self._step(connection)
                except CUT_OFF:
                    self.tally["cut off"] += 1
                    return

    def _step(self, connection: http.client.HTTPConnection) -> None:
        kind = self.draw.random()
        if kind < 0.2 or not self.sent:
            request = Request.numbered(self.number, self._own)
            self._own += 1
            self.sent.append(request)  # before it is sent: others may send it at the same time
            self._send(connection, request)
            self.tally["new"] += 1
            return
        request = self.sent[int(self.draw.integers(len(self.sent)))]
        if kind < 0.9:
            self._send(connection, request)
            self.tally["again"] += 1
        elif request.key in self.journal.replies:
            body = {**request.body, "memories": [{"text": f"Not what {request.key} said."}]}
            status, problem = post(connection, "/v1/memories", body, {"Idempotency-Key": request.key})
            assert (status, problem["code"]) == (422, "idempotency_mismatch"), problem
            self.tally["refused"] += 1

    def _send(self, connection: http.client.HTTPConnection, request: Request) -> None:
        reply = request.send(connection)
        reply.pop("replayed", None)
        self.journal.acknowledge_again(request, reply)


class Replies(Journal):
    """A journal that takes a reply any number of times, if it is the same one."""

    def acknowledge_again(self, request: Request, reply: dict[str, Any]) -> None:
        with self._changed:
            known = self.replies.get(request.key)
        if known is None:
            try:
                self.acknowledge(request, reply)
                return
            except AssertionError:
                known = self.replies[request.key]  # a neighbour was faster
        assert json.dumps(known, sort_keys=True) == json.dumps(reply, sort_keys=True)


def _kill_now_and_then(home: Path, url: str | None, retriers: list[Retrier], lives: int, each: int) -> None:
    """Lets the clients send ``each`` requests to a server; all lives but the last end by kill -9 in the middle."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        for life in range(lives):
            with server(home, url) as (process, address):
                gone = threading.Event()
                last = life == lives - 1
                working = [pool.submit(retrier.work, address, gone, each) for retrier in retriers]
                if not last:
                    working[0].exception()  # the first is done: the others are at work
                    process.send_signal(signal.SIGKILL)
                for one in working:
                    one.result()


@pytest.mark.parametrize("database", list(URLS))
@pytest.mark.parametrize(("lives", "each"), [(2, 30), pytest.param(50, 250, marks=pytest.mark.deep)])
def test_a_key_is_one_effect(tmp_path: Path, database: str, lives: int, each: int) -> None:
    url, journal, sent = URLS[database](tmp_path), Replies(), []
    retriers = [Retrier(number, journal, np.random.default_rng(number), sent) for number in range(CLIENTS)]
    _kill_now_and_then(tmp_path, url, retriers, lives, each)
    with server(tmp_path, url) as (_, address), closing(http.client.HTTPConnection(*address, timeout=60)) as connection:
        for request in sent:  # what was cut off and not sent again
            reply = request.send(connection)
            reply.pop("replayed", None)
            journal.acknowledge_again(request, reply)
    verify(url or f"sqlite:///{tmp_path / 'aim.db'}", journal)
    total = {name: sum(retrier.tally[name] for retrier in retriers) for name in retriers[0].tally}
    assert total["again"] > total["new"] > 0
    assert total["refused"] > 0
    counted = ", ".join(f"{number:,} {name}" for name, number in total.items())
    size = f"{len(sent):,} keys, {sum(total.values()):,} requests of {CLIENTS} clients, {lives - 1} kill -9, {database}"
    figure("one key is one effect", size, f"{counted}; the same reply each time, 0 lost, 0 twice")
