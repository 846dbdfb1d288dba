"""The suite of the IndexKeeper port: indexes follow their store, whatever happens to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aim_memory.errors import StorageError
from aim_memory.ports import MemoryStore
from aim_memory.storage.keeper import FollowingKeeper
from aim_memory.storage.memory_store import InMemoryStore
from aim_memory.storage.sql_store import SqlStore
from aim_memory.types import Change, IndexRow, Space
from tests import postgres
from tests.memories import ADA, BOB, GENERATION, STRANGER, RowsById, SteppingClock, day, new


class CountingIndex(RowsById):
    """Counts what it was given, and fails when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.upserted: list[str] = []
        self.failing = False

    def upsert(self, rows: Sequence[IndexRow]) -> None:
        if self.failing:
            raise StorageError("told to fail")
        super().upsert(rows)
        self.upserted += [row.id for row in rows]


Keeper = FollowingKeeper[CountingIndex]
MEMORY = 4096
"""Bytes of a memory in an index that does not know better."""
STORES: dict[str, Callable[[Path], MemoryStore]] = {
    "sqlite": lambda folder: SqlStore(f"sqlite:///{folder / 'aim.db'}", SteppingClock(), GENERATION),
    "postgresql": lambda folder: SqlStore(postgres.url(folder), SteppingClock(), GENERATION),
    "memory": lambda folder: InMemoryStore(SteppingClock(), GENERATION),
}


@pytest.fixture(params=list(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MemoryStore]:
    opened = STORES[request.param](tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def keeper(store: MemoryStore) -> Keeper:
    return FollowingKeeper(store, CountingIndex)


def write(store: MemoryStore, *ids: str, space: Space = ADA) -> None:
    with store.begin(space) as work:
        work.insert([new(memory_id) for memory_id in ids])
        work.commit()


def held(keeper: Keeper, space: Space = ADA) -> list[str]:
    with keeper.open(space) as index:
        return sorted(index.rows)


def test_a_space_that_does_not_exist_has_an_empty_index(keeper: Keeper) -> None:
    assert held(keeper) == []


def test_figures_tell_what_is_held_and_where_it_differs_from_the_store(store: MemoryStore, keeper: Keeper) -> None:
    assert keeper.figures() == {"hot": 0, "warm": 0, "nbytes": 0, "drift": 0}
    write(store, "a", "b")
    write(store, "c", space=BOB)
    assert (held(keeper), held(keeper, BOB)) == (["a", "b"], ["c"])
    for _ in range(2):  # each time the next index is compared
        assert keeper.figures() == {"hot": 2, "warm": 0, "nbytes": 3 * MEMORY, "drift": 0}
    with keeper.open(ADA) as index:
        index.remove(["a", "b"])
    assert {keeper.figures()["drift"] for _ in range(2)} == {0, 2}
    write(store, "d")
    assert {keeper.figures()["drift"] for _ in range(2)} == {0}, "an index that is behind is not compared"


def test_what_was_written_is_there_at_the_next_open(store: MemoryStore, keeper: Keeper) -> None:
    write(store, "a")
    assert held(keeper) == ["a"]
    write(store, "b", "c")
    assert held(keeper) == ["a", "b", "c"]


def test_only_what_changed_is_read_again(store: MemoryStore, keeper: Keeper) -> None:
    write(store, "a", "b")
    held(keeper)
    with store.begin(ADA) as work:
        work.update(new("b", "b, edited"), day(1))
        work.delete(["a"])
        work.insert([new("c")])
        work.commit()
    with keeper.open(ADA) as index:
        assert index.upserted == ["a", "b", "b", "c"]
        assert index.rows["b"].length == len("b, edited")
        assert sorted(index.rows) == ["b", "c"]
    held(keeper)
    with keeper.open(ADA) as index:
        assert len(index.upserted) == 4, "nothing changed, nothing was read"


def test_spaces_have_indexes_of_their_own(store: MemoryStore, keeper: Keeper) -> None:
    write(store, "a")
    write(store, "b", space=BOB)
    assert (held(keeper), held(keeper, BOB)) == (["a"], ["b"])


def test_many_changes_are_followed(store: MemoryStore, keeper: Keeper) -> None:
    write(store, "first")
    held(keeper)
    ids = [f"m{i}" for i in range(1_200)]
    write(store, *ids)
    assert held(keeper) == sorted(["first", *ids])


def test_while_a_large_index_is_built_there_are_glimpses(store: MemoryStore) -> None:
    go = threading.Event()

    class SlowIndex(RowsById):
        def upsert(self, rows: Sequence[IndexRow]) -> None:
            assert len(rows) < 4 or go.wait(30)
            super().upsert(rows)

    keeper = FollowingKeeper(store, SlowIndex, at_once=3)
    write(store, *(f"m{number}" for number in range(5)))
    write(store, "a", "b", "c", space=BOB)
    for wanted in ("m1", "m4"):
        seen = keeper.glimpse(ADA, [wanted, "nowhere"])
        assert seen is not None
        assert list(seen.rows) == [wanted]
    assert keeper.glimpse(BOB, ["a"]) is None, "small enough to be waited for"
    assert keeper.glimpse(STRANGER, ["a"]) is None, "there is nothing to be built"
    go.set()
    with keeper.open(ADA) as index:
        assert len(index.rows) == 5
    write(store, "m5")
    assert keeper.glimpse(ADA, ["m1"]) is None, "there, and follows"
    with keeper.open(ADA) as index:
        assert len(index.rows) == 6


def test_an_index_that_is_being_caught_up_is_waited_for(store: MemoryStore) -> None:
    glimpses: list[RowsById | None] = []

    class WatchedIndex(RowsById):
        def upsert(self, rows: Sequence[IndexRow]) -> None:
            super().upsert(rows)
            if [row.id for row in rows] == ["late"]:
                glimpses.append(keeper.glimpse(ADA, ["m1"]))

    keeper = FollowingKeeper(store, WatchedIndex, at_once=3)
    write(store, *(f"m{number}" for number in range(5)))
    with keeper.open(ADA):
        pass
    write(store, "late")
    with keeper.open(ADA) as index:
        assert len(index.rows) == 6
    assert glimpses == [None]


def test_a_reader_who_waits_for_all_has_no_glimpse(store: MemoryStore, keeper: Keeper) -> None:
    write(store, "a", "b")
    assert keeper.glimpse(ADA, ["a"]) is None


def test_a_failed_build_is_tried_again(store: MemoryStore) -> None:
    broken = [True]

    class Breaking(RowsById):
        def upsert(self, rows: Sequence[IndexRow]) -> None:
            if len(rows) > 1 and broken.pop():
                built.set()
                raise StorageError("told to fail")
            super().upsert(rows)

    built = threading.Event()
    broken.insert(0, False)
    keeper = FollowingKeeper(store, Breaking, at_once=1)
    write(store, "a", "b")
    assert keeper.glimpse(ADA, ["a"]) is not None
    assert built.wait(30)
    assert held(keeper) == ["a", "b"]
    assert keeper.glimpse(ADA, ["a"]) is None


def test_an_erased_namespace_is_forgotten(store: MemoryStore, keeper: Keeper) -> None:
    write(store, "a")
    held(keeper)
    store.erase(ADA)
    assert held(keeper) == []
    write(store, "b")
    assert held(keeper) == ["b"]


def test_erased_and_written_anew_between_two_looks(store: MemoryStore, keeper: Keeper) -> None:
    write(store, "a", "b")
    held(keeper)
    store.erase(ADA)
    write(store, "c", "d", "e")
    assert held(keeper) == ["c", "d", "e"]


def test_two_keepers_follow_one_store(store: MemoryStore) -> None:
    one, other = FollowingKeeper(store, CountingIndex), FollowingKeeper(store, CountingIndex)
    write(store, "a")
    assert held(one) == ["a"]
    write(store, "b")
    assert held(other) == ["a", "b"] == held(one)


def test_vectors_arrive_when_they_are_made(store: MemoryStore, keeper: Keeper) -> None:
    with store.begin(ADA) as work:
        work.insert([new("m", embedded=False)])
        work.commit()
    with keeper.open(ADA) as index:
        assert index.rows["m"].segments[0].vector is None
    vector = new("m").segments[0].vector
    assert vector is not None
    with store.begin(ADA) as work:
        work.embed("m", vector[None, :], GENERATION)
        work.commit()
    with keeper.open(ADA) as index:
        assert index.rows["m"].segments[0].vector is not None


def test_use_counts_come_with_the_next_change_or_when_asked_for(store: MemoryStore, keeper: Keeper) -> None:
    write(store, "a", "b")
    store.reinforce(ADA, {"a": 1.0})
    with keeper.open(ADA) as index:
        assert (index.rows["a"].uses, index.rows["b"].uses) == (1.0, 0.0)
    store.reinforce(ADA, {"b": 2.0})
    keeper.refresh(ADA)
    with keeper.open(ADA) as index:
        assert (index.rows["a"].uses, index.rows["b"].uses) == (1.0, 2.0)
    store.reinforce(ADA, {"a": 1.0, "b": -2.0})
    write(store, "c")
    with keeper.open(ADA) as index:
        assert (index.rows["a"].uses, index.rows["b"].uses) == (2.0, 0.0)


def test_an_index_whose_change_failed_is_built_afresh(store: MemoryStore, keeper: Keeper) -> None:
    write(store, "a")
    with keeper.open(ADA) as index:
        index.failing = True
    write(store, "b")
    with pytest.raises(StorageError, match="told to fail"):
        held(keeper)
    assert held(keeper) == ["a", "b"]


def test_a_log_with_a_gap_is_not_trusted(store: MemoryStore) -> None:
    keeper = FollowingKeeper(_WithoutOldChanges(store), CountingIndex)
    write(store, "a")
    with keeper.open(ADA) as index:
        assert sorted(index.rows) == ["a"]
    write(store, "b", "c")
    with keeper.open(ADA) as index:
        assert sorted(index.rows) == ["a", "b", "c"]


def test_a_dropped_index_is_built_again(store: MemoryStore, keeper: Keeper) -> None:
    write(store, "a")
    with keeper.open(ADA) as first:
        pass
    keeper.drop(ADA)
    with keeper.open(ADA) as second:
        assert second is not first
        assert sorted(second.rows) == ["a"]


def test_the_indexes_read_longest_ago_are_dropped(store: MemoryStore) -> None:
    keeper = FollowingKeeper(store, CountingIndex, budget=4 * MEMORY)
    spaces = [Space("acme", name) for name in ("a", "b", "c")]
    seen: dict[Space, CountingIndex] = {}
    for space in spaces:
        write(store, "x", "y", space=space)
    for space in (spaces[0], spaces[1], spaces[0], spaces[2]):
        with keeper.open(space) as index:
            seen[space] = index
    kept = []
    for space in (spaces[2], spaces[0], spaces[1]):
        with keeper.open(space) as index:
            kept.append(index is seen[space])
    assert kept == [True, True, False]


def test_a_namespace_over_the_bound_is_served_alone(store: MemoryStore) -> None:
    keeper = FollowingKeeper(store, CountingIndex, budget=MEMORY)
    write(store, "a", "b", "c")
    with keeper.open(ADA) as first:
        assert len(first) == 3
    with keeper.open(ADA) as second:
        assert second is first


def test_an_index_holds_still_while_it_is_read(store: MemoryStore, keeper: Keeper) -> None:
    write(store, "a")
    with ThreadPoolExecutor(1) as pool:
        with keeper.open(ADA) as index:
            write(store, "b")
            waiting = pool.submit(held, keeper)
            assert not waiting.done()
            assert sorted(index.rows) == ["a"]
        assert waiting.result() == ["a", "b"]


def test_readers_share_an_index(store: MemoryStore, keeper: Keeper) -> None:
    write(store, "a")
    held(keeper)
    together = threading.Barrier(4, timeout=30)

    def read() -> list[str]:
        with keeper.open(ADA) as index:
            together.wait()  # all four are inside, or this fails
            return sorted(index.rows)

    with ThreadPoolExecutor(4) as pool:
        assert [each.result() for each in [pool.submit(read) for _ in range(4)]] == [["a"]] * 4


def test_readers_among_writers_always_find_what_was_acknowledged(store: MemoryStore, keeper: Keeper) -> None:
    acknowledged: list[str] = []
    rounds = 60

    def work(name: str) -> None:
        for number in range(rounds):
            memory_id = f"{name}{number}"
            write(store, memory_id)
            acknowledged.append(memory_id)

    def read() -> None:
        while len(acknowledged) < 2 * rounds:
            known = list(acknowledged)
            with keeper.open(ADA) as index:
                missing = [memory_id for memory_id in known if memory_id not in index.rows]
            assert missing == []

    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(work, "a"), pool.submit(work, "b"), pool.submit(read), pool.submit(read)]
        for job in jobs:
            job.result()
    assert len(held(keeper)) == 2 * rounds


class _WithoutOldChanges:
    """A store whose log has lost the first change after any that is asked for."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def changes(self, space: Space, after: int, limit: int = 1000) -> Sequence[Change]:
        return self._store.changes(space, after + 1, limit)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)
