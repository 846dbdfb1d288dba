"""Writers that share a commit: all of it is durable or none, and who fails fails alone."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from aim_memory.errors import ConflictError, StorageBusyError, StorageError, StorageFullError
from aim_memory.ports import UnitOfWork
from aim_memory.storage.keeper import FollowingKeeper
from aim_memory.storage.sql_store import SqlStore
from tests.figures import figure
from tests.memories import ADA, BOB, GENERATION, STRANGER, RowsById, SteppingClock, day, ids_of, new

SPACES = (ADA, BOB, STRANGER)
Step = Callable[[UnitOfWork], object]


class Line:
    """Writers that come one after the other while the first one holds the turn, so that all of them share a commit."""

    def __init__(self, store: SqlStore, pool: ThreadPoolExecutor) -> None:
        self._store = store
        self._pool = pool
        self._line = store._database._line
        self._line._longest_s = 60  # the others may take their time to come

    def run(self, *steps: Step) -> list[Future[object]]:
        """What becomes of each step, all of them ended; the first holds the turn until the others wait."""
        began, go = threading.Event(), threading.Event()
        first = self._pool.submit(self._held, steps[0], began, go)
        assert began.wait(30)
        others = []
        for step in steps[1:]:
            waiting = len(self._line._turn)
            others.append(self._pool.submit(self._write, step))
            while len(self._line._turn) == waiting:
                pass
        go.set()
        for each in (first, *others):
            each.exception(timeout=30)
        return [first, *others]

    def _held(self, step: Step, began: threading.Event, go: threading.Event) -> None:
        with self._store.begin(ADA) as work:
            began.set()
            assert go.wait(30)
            self._end(work, step)

    def _write(self, step: Step) -> None:
        with self._store.begin(ADA) as work:
            self._end(work, step)

    def _end(self, work: UnitOfWork, step: Step) -> None:
        if step(work) is not False:
            work.commit()


def _syncs(store: SqlStore) -> list[str]:
    """Filled with every commit of a transaction that is waited for."""
    commits: list[str] = []
    event.listen(store._database.engine, "commit", lambda connection: commits.append("commit"))
    return commits


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = SqlStore(f"sqlite:///{tmp_path / 'aim.db'}", SteppingClock(), GENERATION)
    yield opened
    opened.close()


@pytest.fixture
def line(store: SqlStore) -> Iterator[Line]:
    with ThreadPoolExecutor(16) as pool:
        yield Line(store, pool)


def _inserting(*ids: str) -> Step:
    return lambda work: work.insert([new(memory_id) for memory_id in ids])


def _leaving(*ids: str) -> Step:
    """Inserts, then leaves without commit."""

    def step(work: UnitOfWork) -> bool:
        work.insert([new(memory_id) for memory_id in ids])
        return False

    return step


def _failing(work: UnitOfWork) -> None:
    work.insert([new("lost")])
    raise LookupError("mine")


def test_those_who_wait_share_one_commit(store: SqlStore, line: Line) -> None:
    commits = _syncs(store)
    ended = line.run(*(_inserting(f"m{number}") for number in range(10)))
    assert [each.exception() for each in ended] == [None] * 10
    assert len(commits) == 1
    figure("writers who wait for each other share a commit", "10 writers, one namespace", "1 synced commit")
    assert ids_of(store.snapshot(ADA)[1]) == [f"m{number}" for number in range(10)]
    assert [change.seq for change in store.changes(ADA, 0)] == list(range(1, 11))


def test_who_is_alone_commits_alone(store: SqlStore) -> None:
    commits = _syncs(store)
    for name in "abc":
        with store.begin(ADA) as work:
            work.insert([new(name)])
            work.commit()
    assert len(commits) == 3


def test_who_fails_fails_alone(store: SqlStore, line: Line) -> None:
    taken = _inserting("fresh", "a")
    a, failed, clash, left, b = line.run(_inserting("a"), _failing, taken, _leaving("left"), _inserting("b"))
    assert [a.exception(), left.exception(), b.exception()] == [None] * 3
    assert isinstance(failed.exception(), LookupError)
    assert isinstance(clash.exception(), ConflictError)
    assert ids_of(store.snapshot(ADA)[1]) == ["a", "b"]
    assert store.head(ADA).ordinal == 2


def test_a_failed_commit_is_everybody_s(store: SqlStore, line: Line) -> None:
    with _commits_that_fail(store):
        ended = line.run(_inserting("a"), _leaving("b"), _inserting("c"), _failing)
    errors = [each.exception() for each in ended]
    assert [type(error) for error in errors] == [StorageFullError] * 4, "also of those who saw what was not kept"
    assert len({id(error) for error in errors}) == 4, "to each an error of its own"
    assert store.head(ADA) is None
    with store.begin(ADA) as work:
        work.insert([new("a")])
        work.commit()
    assert ids_of(store.snapshot(ADA)[1]) == ["a"]


@contextmanager
def _commits_that_fail(store: SqlStore) -> Iterator[None]:
    def fail(connection: object) -> None:
        raise StorageFullError

    event.listen(store._database.engine, "commit", fail)
    yield
    event.remove(store._database.engine, "commit", fail)


def test_a_database_that_undoes_everything_loses_the_whole_group(store: SqlStore, line: Line) -> None:
    def undo(work: Any) -> None:
        work.insert([new("b")])
        work._connection.exec_driver_sql("ROLLBACK")  # as SQLite does by itself on some errors of the disk
        raise StorageFullError

    a, b, c = line.run(_inserting("a"), undo, _inserting("c"))
    assert isinstance(a.exception(), StorageFullError)
    assert isinstance(b.exception(), StorageFullError)
    assert c.exception() is None, "who came after it has a transaction of its own"
    assert ids_of(store.snapshot(ADA)[1]) == ["c"]


def test_who_cannot_be_taken_back_is_not_committed_with_the_others(store: SqlStore, line: Line) -> None:
    def spoil(work: Any) -> None:
        work._connection.exec_driver_sql("RELEASE unit")  # nothing to go back to
        work.insert([new("half")])
        raise LookupError("mine")

    a, b, c = line.run(_inserting("a"), spoil, _inserting("c"))
    assert isinstance(a.exception(), StorageError)
    assert isinstance(b.exception(), StorageError)
    assert c.exception() is None
    assert ids_of(store.snapshot(ADA)[1]) == ["c"]


def test_a_commit_of_what_was_undone_is_no_commit(store: SqlStore, line: Line) -> None:
    def undo(work: Any) -> None:
        work.insert([new("b")])
        work._connection.exec_driver_sql("ROLLBACK")
        work._commit()

    with pytest.raises(StorageError, match="nothing of it was kept"), store.begin(ADA) as work:
        undo(work)
    assert store.head(ADA) is None


def test_a_replay_waits_for_what_it_replays(store: SqlStore, line: Line) -> None:
    def keep(work: UnitOfWork) -> None:
        work.insert([new("a")])
        work.keep_reply("key", "print", b"reply", day(0))

    found: list[bytes | None] = []

    def replay(work: UnitOfWork) -> bool:
        found.append(work.replay("key", "print"))
        return False

    with _commits_that_fail(store):
        ended = line.run(keep, replay)
    assert found == [b"reply"], "seen in the shared transaction"
    assert isinstance(ended[1].exception(), StorageFullError), "and not acknowledged, for it is not durable"


def test_a_turn_that_is_given_up_breaks_no_line(tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path / 'aim.db'}", SteppingClock(), GENERATION, busy_timeout_s=0.05)
    with ThreadPoolExecutor(4) as pool:
        with store.begin(ADA) as work:
            late = [pool.submit(_write, store, f"late{number}") for number in range(4)]
            assert [type(each.exception(30)) for each in late] == [StorageBusyError] * 4
            work.insert([new("a")])
            work.commit()
        assert pool.submit(_write, store, "b").exception(30) is None
    assert ids_of(store.snapshot(ADA)[1]) == ["a", "b"]
    store.close()


def _write(store: SqlStore, memory_id: str) -> None:
    with store.begin(ADA) as work:
        work.insert([new(memory_id)])
        work.commit()


@pytest.mark.parametrize("seed", range(3))
def test_any_mixture_of_writers_leaves_what_was_acknowledged(store: SqlStore, seed: int) -> None:
    """Random batches, deletions, failures and empty hands from many threads; each its own journal."""
    kept: list[dict[tuple[int, str], str]] = [{} for _ in range(8)]
    chances = [random.Random(f"{seed}-{writer}") for writer in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for each in [pool.submit(_play, store, writer, chances[writer], kept[writer]) for writer in range(8)]:
            each.result(60)
    for number, space in enumerate(SPACES):
        expected = {memory_id: text for own in kept for (place, memory_id), text in own.items() if place == number}
        head, rows = store.snapshot(space)
        assert {row.id for row in rows} == set(expected)
        assert {one: memory.text for one, memory in store.get(space, list(expected)).items()} == expected
        log = [change.seq for change in store.changes(space, 0)]
        assert log == list(range(1, head.seq + 1))
        with FollowingKeeper(store, RowsById).open(space) as index:
            assert set(index.rows) == set(expected)


def _play(store: SqlStore, writer: int, chance: random.Random, kept: dict[tuple[int, str], str]) -> None:
    for number in range(12):
        place = chance.randrange(len(SPACES))
        ids = [f"w{writer}-{number}-{part}" for part in range(chance.randint(1, 3))]
        own = [memory_id for at, memory_id in kept if at == place]
        match chance.randrange(5):
            case 0:
                with pytest.raises(LookupError), store.begin(SPACES[place]) as work:
                    _failing(work)
            case 1 if own:
                gone = chance.choice(own)
                with store.begin(SPACES[place]) as work:
                    assert work.delete([gone]) == 1
                    work.commit()
                del kept[place, gone]
            case 2:
                with store.begin(SPACES[place]) as work:
                    work.insert([new(memory_id) for memory_id in ids])
            case _:
                with store.begin(SPACES[place]) as work:
                    work.insert([new(memory_id) for memory_id in ids])
                    work.commit()
                kept.update({(place, memory_id): f"text of {memory_id}" for memory_id in ids})


# --- a full disk ---------------------------------------------------------------------------------------------------


def _limit(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA max_page_count = 150").close()


@pytest.fixture
def small_store(tmp_path: Path) -> Iterator[SqlStore]:
    """A store on a disk of 600 KiB, as far as SQLite can tell."""
    event.listen(Engine, "connect", _limit)
    opened = SqlStore(f"sqlite:///{tmp_path / 'aim.db'}", SteppingClock(), GENERATION)
    yield opened
    opened.close()
    event.remove(Engine, "connect", _limit)


def test_on_a_full_disk_every_writer_hears_its_own_error(small_store: SqlStore) -> None:
    acknowledged: list[str] = []

    def fill(writer: int) -> StorageError:
        for number in count():
            memory_id = f"{writer}-{number}"
            try:
                with small_store.begin(ADA) as work:
                    work.insert([new(memory_id, summary=memory_id * 1_000)])
                    work.commit()
            except StorageError as error:
                return error
            acknowledged.append(memory_id)
        raise AssertionError("the disk has an end")

    with ThreadPoolExecutor(8) as pool:
        errors = list(pool.map(fill, range(8)))
    assert {type(error) for error in errors} == {StorageFullError}
    assert set(ids_of(small_store.snapshot(ADA)[1])) == set(acknowledged)
    assert len(acknowledged) > 8
    with small_store.begin(ADA) as work:
        work.delete(acknowledged[:8])
        work.commit()
    _write(small_store, "after")
    assert set(ids_of(small_store.snapshot(ADA)[1])) == {*acknowledged[8:], "after"}


def test_units_of_one_turn_share_a_commit_and_fail_alone(store: SqlStore) -> None:
    commits = _syncs(store)
    with store.together() as begin:
        for name, space in (("a", ADA), ("b", BOB), ("c", ADA)):
            with begin(space) as work:
                work.insert([new(name)])
                work.commit()
        with pytest.raises(LookupError), begin(ADA) as work:
            _failing(work)
        with begin(ADA) as work:
            work.insert([new("left")])
        assert commits == []
    assert len(commits) == 1
    assert ids_of(store.snapshot(ADA)[1]) == ["a", "c"]
    assert ids_of(store.snapshot(BOB)[1]) == ["b"]


def test_leaving_a_turn_says_that_nothing_of_it_was_kept(store: SqlStore) -> None:
    with _commits_that_fail(store), pytest.raises(StorageFullError):
        _in_one_turn(store, _inserting("a"))
    assert store.head(ADA) is None


def test_a_turn_whose_transaction_was_undone_begins_nothing_more(store: SqlStore) -> None:
    def undo(work: Any) -> None:
        work._connection.exec_driver_sql("ROLLBACK")
        raise StorageFullError

    ended: list[BaseException | None] = []
    with pytest.raises(StorageFullError):
        _in_one_turn(store, _inserting("a"), undo, _inserting("b"), ended=ended)
    assert [type(error) for error in ended] == [type(None), StorageFullError, StorageFullError]
    assert store.head(ADA) is None


def _in_one_turn(store: SqlStore, *steps: Step, ended: list[BaseException | None] | None = None) -> None:
    """What each step raised goes to ``ended``."""
    with store.together() as begin:
        for step in steps:
            error = None
            try:
                with begin(ADA) as work:
                    step(work)
                    work.commit()
            except StorageError as raised:
                error = raised
            if ended is not None:
                ended.append(error)


def test_erasing_in_a_turn_empties_the_log_after_it(store: SqlStore, tmp_path: Path) -> None:
    with store.together() as begin:
        with begin(ADA) as work:
            work.insert([new("a")])
            work.commit()
        with begin(ADA) as work:
            work.delete(["a"])
            work.commit()
    assert (tmp_path / "aim.db-wal").stat().st_size == 0
