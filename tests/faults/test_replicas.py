"""Two engines over one store, like two servers: what one acknowledged is found by the next query on the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier, Event

import pytest

from aim_memory import AIMMemory
from aim_memory.embedded import LOCAL_TENANT
from aim_memory.settings import Settings
from aim_memory.storage.sql_store import SqlStore
from aim_memory.types import Space
from tests import postgres
from tests.figures import figure
from tests.memories import ADA, BOB, GENERATION, STRANGER, SteppingClock, new

SPACE = "user/ada"
LOCAL = Space(LOCAL_TENANT, SPACE)
URLS: dict[str, Callable[[Path], str]] = {
    "sqlite": lambda folder: f"sqlite:///{folder / 'aim.db'}",
    "postgresql": postgres.url,
}
Pair = tuple[AIMMemory, AIMMemory]


@pytest.fixture(params=list(URLS))
def replicas(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    url = URLS[request.param](tmp_path)
    with ExitStack() as opened:
        homes = (tmp_path / "one", tmp_path / "two")
        settings = [Settings(home=home, embedder={"kind": "hashing"}, database={"url": url}) for home in homes]
        one, two = (opened.enter_context(AIMMemory(settings=each)) for each in settings)
        yield one, two


def _write(replica: AIMMemory, word: str) -> str:
    return replica.write(f"The parcel {word} stands on the lower shelf.", namespace=SPACE).results[0].id


def _found(replica: AIMMemory, word: str) -> list[str]:
    return [hit.id for hit in replica.query(f"Where is parcel {word}?", namespace=SPACE, top_k=3).results]


def _write_here_and_ask_there(here: AIMMemory, there: AIMMemory, name: str, rounds: int, start: Barrier) -> int:
    """How many acknowledged writes, edits and deletions the next query on the other replica did not know of."""
    start.wait()
    stale = 0
    for number in range(rounds):
        word, other = f"{name}xq{number}", f"{name}zv{number}"
        memory_id = _write(here, word)
        stale += _found(there, word)[:1] != [memory_id]
        if number % 5 == 0:
            here.update(memory_id, text=f"The parcel {other} was moved to the cellar.", namespace=SPACE)
            stale += _found(there, other)[:1] != [memory_id]
        if number % 5 == 1:
            here.delete(memory_id, namespace=SPACE)
            stale += memory_id in _found(there, word)
    return stale


def _stale_reads(replicas: Pair, rounds: int) -> int:
    """Both ways at once, ``rounds`` in all, while a third thread writes on one side only."""
    one, two = replicas
    start, enough = Barrier(3), Event()

    def make_noise() -> None:
        start.wait()
        number = 0
        while not enough.is_set():
            one.write(f"Noise number {number}.", namespace=SPACE)
            number += 1

    with ThreadPoolExecutor(3) as pool:
        noise = pool.submit(make_noise)
        ways = [(one, two, "a"), (two, one, "b")]
        asking = [pool.submit(_write_here_and_ask_there, *way, rounds // 2, start) for way in ways]
        try:
            return sum(each.result() for each in asking)
        finally:
            enough.set()
            noise.result()


def test_the_next_query_on_another_replica_knows_every_write(replicas: Pair) -> None:
    _check(replicas, 50)


@pytest.mark.deep
def test_the_next_query_on_another_replica_knows_500_writes(replicas: Pair) -> None:
    _check(replicas, 500)


def _check(replicas: Pair, rounds: int) -> None:
    assert _stale_reads(replicas, rounds) == 0
    database = replicas[0].status()["store"]["database"]
    size = f"{rounds} rounds both ways beside a third writer, {database}"
    figure("what one replica acknowledged, the next query on another finds", size, "0 stale reads")


def test_namespaces_do_not_wait_for_each_other_on_postgresql(tmp_path: Path) -> None:
    one, two = (SqlStore(postgres.url(tmp_path), SteppingClock(), GENERATION, busy_timeout_s=5) for _ in range(2))
    with one.begin(ADA) as held:
        held.insert([new("a")])
        for space in (BOB, STRANGER):
            with two.begin(space) as work:
                work.insert([new("b")])
                assert work.commit().seq == 1
        assert held.commit().seq == 1
    one.close()
    two.close()


def test_an_erased_namespace_is_gone_on_every_replica(replicas: Pair) -> None:
    one, two = replicas
    memory_id = _write(one, "xq")
    assert _found(two, "xq") == [memory_id]
    one.forget(SPACE)
    assert _found(two, "xq") == []
    again = _write(two, "xq")
    assert _found(one, "xq") == [again]


def test_an_erased_session_does_not_go_on_on_another_replica(replicas: Pair) -> None:
    one, two = replicas
    _write(one, "xq")
    for _ in range(3):
        one.query("Where is parcel xq?", namespace=SPACE, session_id="s")
    two.forget(SPACE)
    _write(two, "zv")
    one.query("Where is parcel zv?", namespace=SPACE, session_id="s")
    (session,) = one.sessions(namespace=SPACE).items
    assert (session.turns, session.recent) == (1, ["Where is parcel zv?"])
    assert [each.turns for each in two.sessions(namespace=SPACE).items] == [1]


def test_a_reset_session_is_not_brought_back_by_another_replica(replicas: Pair) -> None:
    one, two = replicas
    one.write("The parcel lies at the door.", namespace=SPACE)
    for each in (one, two):  # both hold its state
        each.query("Where is parcel xq?", namespace=SPACE, session_id="s")
        each.engine._parts.sessions.flush()
    one.reset_session("s", namespace=SPACE)
    two.query("Where is parcel zv?", namespace=SPACE, session_id="s")  # does not know yet
    two.engine._parts.sessions.flush()
    assert one.sessions(namespace=SPACE).items == []
    two.query("Where is parcel zv?", namespace=SPACE, session_id="s")
    two.engine._parts.sessions.flush()
    (session,) = one.sessions(namespace=SPACE).items
    assert (session.turns, session.recent) == (1, ["Where is parcel zv?"])


def test_a_session_on_its_way_does_not_come_back_after_an_erasure(replicas: Pair) -> None:
    one, two = replicas
    _write(one, "xq")
    one.query("Where is parcel xq?", namespace=SPACE, session_id="s")
    begun = one.engine._parts.sessions.get(LOCAL, "s")  # a question that is being answered
    two.forget(SPACE)
    _write(two, "zv")
    one.engine._parts.sessions.put(LOCAL, "s", begun)
    assert one.sessions(namespace=SPACE).items == []
    assert two.sessions(namespace=SPACE).items == []
