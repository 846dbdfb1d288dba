"""kill -9 of the process that reindexes, again and again, while the service is written to: the next one goes on, and
every memory is embedded by the next embedder once."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aim_memory.storage.sql_store import SqlStore
from aim_memory.types import Job
from tests import postgres
from tests.figures import figure
from tests.moving import SPACE, WORDS, HalfEmbedder, Service, Ticking

URLS: dict[str, Callable[[Path], str]] = {
    "SQLite": lambda folder: f"sqlite:///{folder / 'aim.db'}",
    "PostgreSQL": postgres.url,
}
_MINUTES_APART = 3
"""Longer than a lease."""


@pytest.mark.parametrize("database", list(URLS))
def test_a_reindexing_that_is_killed_goes_on(database: str, tmp_path: Path) -> None:
    _check(database, URLS[database](tmp_path), memories=400, kills=2 if database == "SQLite" else 1)


@pytest.mark.deep
@pytest.mark.parametrize("database", list(URLS))
def test_a_reindexing_that_is_killed_often_goes_on(database: str, tmp_path: Path) -> None:
    _check(database, URLS[database](tmp_path), memories=6_000, kills=30)


def test_a_backlog_empties_though_who_empties_it_is_killed(tmp_path: Path) -> None:
    url, clock = URLS["SQLite"](tmp_path), Ticking()
    service = Service(SqlStore(url, clock, None), HalfEmbedder(0), clock)
    service.embedder.down = True
    service.write(*((f"m{number}", f"The violin of {number} is here.") for number in range(400)))
    assert service.ask("Where is the violin of 77?").results[0].id == "m77"
    assert (service.keep_up(), service.store.count_pending()) == (0, 400)
    left = []
    for _ in range(2):
        process = _reindexer(url, 0, "upkeep")
        assert process.stdout is not None
        assert process.stdout.read(1) == b"."
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
        process.stdout.close()
        left.append(service.store.count_pending())
    _run_to_the_end(url, 0, "upkeep")
    assert service.store.count_pending() == 0
    service.embedder.down = False
    assert service.check_vectors() == 400
    embedded = sum(change.kind == "embed" for change in service.store.changes(SPACE, 0, 10_000))
    assert embedded == 400, "each once"
    service.engine.close()
    figure(
        "what is written while the embedder is down is found at once, and embedded by itself later",
        "400 writes, kill -9 of the process that embeds them, twice",
        f"found by words at once; {left[0]}, then {left[1]} left after a kill, 0 in the end, 0 embedded twice",
    )


def _check(database: str, url: str, memories: int, kills: int) -> None:
    rng, clock = random.Random(memories), Ticking()
    old = Service(SqlStore(url, clock, None), HalfEmbedder(0), clock)
    old.write(*((f"m{number}", f"{' '.join(rng.choices(WORDS, k=4))} {number}.") for number in range(memories)))
    job = old.engine.jobs.submit("reindex", {"to": {"half": 1}})
    killed = _killed(url, old, rng, kills)
    _run_to_the_end(url, killed + 1)

    ended = old.engine.jobs.get(job.id)
    assert (ended.state, ended.error) == ("done", None)
    moved = Service(SqlStore(url, clock, None), HalfEmbedder(1), clock)
    edited = sum(change.kind == "edit" for change in old.store.changes(SPACE, 0, 100_000))
    embedded = sum(change.kind == "embed" for change in old.store.changes(SPACE, 0, 100_000))
    assert moved.store.count_pending() == 0
    assert moved.check_vectors() == memories
    assert memories <= embedded <= memories + edited, "once each, and anew what was edited after it"
    old.keep_up()
    assert old.check_vectors() == memories
    _tell(database, memories, killed, edited, embedded, ended)
    for service in (old, moved):
        service.engine.close()


def _killed(url: str, old: Service, rng: random.Random, kills: int) -> int:
    """Kills one process after the other in the middle of its work, and writes in between. Returns how often."""
    for killed in range(kills):
        process = _reindexer(url, killed)
        assert process.stdout is not None
        for _ in range(rng.randint(1, 2)):
            assert process.stdout.read(1) == b".", "it ended before it was killed"
            number = rng.randrange(50)
            old.edit(f"m{number}", f"{' '.join(rng.choices(WORDS, k=4))} {number} once more, {killed}.")
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
        process.stdout.close()
    return kills


def _run_to_the_end(url: str, turn: int, what: str = "jobs") -> None:
    process = _reindexer(url, turn, what)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert said.startswith(b".")


def _reindexer(url: str, turn: int, what: str = "jobs") -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.faults.reindexer", url, str(turn * _MINUTES_APART), what]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def _tell(database: str, memories: int, killed: int, edited: int, embedded: int, ended: Job) -> None:
    figure(
        "a reindexing that is killed goes on where it stopped",
        f"{memories:,} memories, {killed} times kill -9, {edited} edits meanwhile, {database}",
        f"{embedded:,} embedded in all, {ended.done:,} counted by the job; 0 without a vector of the next embedder, "
        "0 without one of the former",
    )
