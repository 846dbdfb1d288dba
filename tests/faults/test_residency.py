"""Indexes under a memory budget: frozen, thawed and dropped while they are read and written, and never wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aim_memory.storage.index import FlatIndex
from aim_memory.storage.keeper import FollowingKeeper
from aim_memory.storage.memory_store import InMemoryStore
from aim_memory.storage.sql_store import SqlStore
from aim_memory.types import Change, Head, IndexRow, Space, TokenBits
from tests import postgres
from tests.figures import figure
from tests.memories import GENERATION, SteppingClock, new
from tests.rows import row

DIMENSION = 8
SPACES = [Space("acme", f"n{number}") for number in range(12)]
Keeper = FollowingKeeper[FlatIndex]


def keeper_of(store: SqlStore | InMemoryStore, budget: int) -> Keeper:
    return FollowingKeeper(store, lambda: FlatIndex(DIMENSION), budget)


def write(store: SqlStore | InMemoryStore, space: Space, *ids: str) -> None:
    with store.begin(space) as work:
        work.insert([new(memory_id, f"note {memory_id} costs $7") for memory_id in ids])
        work.commit()


def ids_of(index: FlatIndex) -> list[str]:
    return sorted(index.id_of(row) for row in range(index.size) if index.columns.alive[row])


def held(keeper: Keeper, space: Space) -> list[str]:
    with keeper.open(space) as index:
        return ids_of(index)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = SqlStore(f"sqlite:///{tmp_path / 'aim.db'}", SteppingClock(), GENERATION)
    for space in SPACES:
        write(opened, space, *(f"{space.namespace}-{number}" for number in range(40)))
    yield opened
    opened.close()


def weight(store: SqlStore) -> int:
    keeper = keeper_of(store, 1 << 40)
    held(keeper, SPACES[0])
    return keeper.held.nbytes


def test_without_pressure_all_are_hot(store: SqlStore) -> None:
    keeper = keeper_of(store, 20 * weight(store))
    for space in SPACES:
        held(keeper, space)
    assert (keeper.held.hot, keeper.held.warm) == (12, 0)


def test_under_pressure_they_are_frozen_first_and_dropped_last(store: SqlStore) -> None:
    each = weight(store)
    keeper = keeper_of(store, 4 * each)
    for space in SPACES:
        held(keeper, space)
        assert keeper.held.nbytes <= 4 * each
    assert keeper.held.warm > keeper.held.hot >= 1
    small = keeper_of(store, each)
    for space in SPACES:
        held(small, space)
    assert small.state_of(SPACES[0]) == "cold"
    assert small.state_of(SPACES[-1]) == "hot"


def test_a_warm_index_is_thawed_and_follows_without_reading_all(store: SqlStore) -> None:
    keeper = keeper_of(store, 4 * weight(store))
    for space in SPACES:
        held(keeper, space)
    warm = next(space for space in SPACES if keeper.state_of(space) == "warm")
    write(store, warm, "new")
    read: list[int] = []
    rows = store.index_rows
    keeper._store = _Counting(store, read)
    assert "new" in held(keeper, warm)
    assert read == [1]
    assert held(keeper, warm) == sorted([*(f"{warm.namespace}-{number}" for number in range(40)), "new"])
    assert rows(warm, ["new"])


def test_use_counts_reach_a_warm_index(store: SqlStore) -> None:
    keeper = keeper_of(store, 4 * weight(store))
    for space in SPACES:
        held(keeper, space)
    warm = next(space for space in SPACES if keeper.state_of(space) == "warm")
    store.reinforce(warm, {f"{warm.namespace}-3": 2.0})
    keeper.refresh(warm)
    with keeper.open(warm) as index:
        assert index.columns.uses.sum() == 2.0


def test_an_erased_namespace_is_not_warm(store: SqlStore) -> None:
    keeper = keeper_of(store, 4 * weight(store))
    for space in SPACES:
        held(keeper, space)
    warm = next(space for space in SPACES if keeper.state_of(space) == "warm")
    store.erase(warm)
    write(store, warm, "again")
    assert held(keeper, warm) == ["again"], "another epoch, seen without being told"
    keeper.drop(warm)
    assert keeper.state_of(warm) == "cold"


def test_what_is_read_stays_as_it_is_though_all_others_are_opened(store: SqlStore) -> None:
    keeper = keeper_of(store, 1)
    with keeper.open(SPACES[0]) as index:
        for space in SPACES[1:]:
            held(keeper, space)
        assert ids_of(index) == sorted(f"n0-{number}" for number in range(40))
        assert keeper.state_of(SPACES[0]) == "hot"
    held(keeper, SPACES[1])
    assert keeper.state_of(SPACES[0]) == "cold"


STORES: Mapping[str, Callable[[Path], SqlStore | InMemoryStore]] = {
    "sqlite": lambda folder: SqlStore(f"sqlite:///{folder / 'aim.db'}", SteppingClock(), GENERATION),
    "postgresql": lambda folder: SqlStore(postgres.url(folder), SteppingClock(), GENERATION),
    "memory": lambda folder: InMemoryStore(SteppingClock(), GENERATION),
}


@pytest.mark.parametrize("database", list(STORES))
@pytest.mark.parametrize("rounds", [60, pytest.param(600, marks=pytest.mark.deep)])
def test_readers_and_writers_under_pressure_always_find_what_was_acknowledged(
    tmp_path: Path, database: str, rounds: int
) -> None:
    store = STORES[database](tmp_path)
    spaces = SPACES[:6]
    for space in spaces:
        write(store, space, "first")
    keepers = [keeper_of(store, 60_000), keeper_of(store, 1)]  # two servers over one store; the second keeps nothing
    acknowledged: dict[Space, list[str]] = {space: ["first"] for space in spaces}

    def writing(own: Sequence[Space], name: str) -> int:
        for number in range(rounds):
            space = own[number % len(own)]
            write(store, space, f"{name}{number}")
            acknowledged[space].append(f"{name}{number}")
        return 0

    def reading(keeper: Keeper, seed: int) -> int:
        chance, stale = np.random.default_rng(seed), 0
        for _ in range(4 * rounds):
            space = spaces[int(chance.zipf(1.3)) % len(spaces)]
            known = list(acknowledged[space])
            with keeper.open(space) as index:
                stale += any(index.row_of(memory_id) is None for memory_id in known)
        return stale

    with ThreadPoolExecutor(6) as pool:
        jobs = [pool.submit(writing, spaces[:3], "a"), pool.submit(writing, spaces[3:], "b")]
        jobs += [pool.submit(reading, keeper, seed) for keeper in keepers for seed in (1, 2)]
        stale = sum(job.result() for job in jobs)
    assert stale == 0
    for keeper in keepers:
        assert all(held(keeper, space) == sorted(acknowledged[space]) for space in spaces)
        assert keeper.held.nbytes >= 0
    store.close()
    size = f"{16 * rounds:,} reads on 2 keepers beside {2 * rounds:,} writes, {database}"
    figure("an index that is frozen, dropped or read while others are opened is never stale", size, "0 stale reads")


class _Counting:
    """Counts the rows that are read one by one."""

    def __init__(self, store: SqlStore, read: list[int]) -> None:
        self._store, self._read = store, read

    def index_rows(self, space: Space, ids: Sequence[str]) -> Sequence[IndexRow]:
        self._read.append(len(ids))
        return self._store.index_rows(space, ids)

    def snapshot(self, space: Space) -> tuple[Head, Sequence[IndexRow]]:
        raise AssertionError("built afresh")

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


# --- many namespaces -------------------------------------------------------------------------------------------------


def _with_vector(one: IndexRow, vector: np.ndarray) -> IndexRow:
    return replace(one, segments=(replace(one.segments[0], vector=vector),))


class Alike:
    """A store of any number of namespaces that hold the same: what they weigh and cost is what matters."""

    def __init__(self, memories: int) -> None:
        words = np.random.default_rng(1).integers(4_000, size=(memories, 12))
        vectors = np.random.default_rng(2).standard_normal((memories, 384)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        self._rows = [
            _with_vector(row(number, " ".join(f"w{word}" for word in own), session=f"s{number // 20}"), vector)
            for number, (own, vector) in enumerate(zip(words, vectors, strict=True), 1)
        ]
        self._head = Head(1, memories, memories)
        self.built = 0

    def head(self, space: Space) -> Head:
        return self._head

    def snapshot(self, space: Space) -> tuple[Head, Sequence[IndexRow]]:
        self.built += 1
        return self._head, self._rows

    def changes(self, space: Space, after: int, limit: int = 1000) -> Sequence[Change]:
        return []

    def uses(self, space: Space) -> Mapping[str, float]:
        return {}

    def signs(self, space: Space, ids: Sequence[str]) -> Mapping[str, Sequence[TokenBits]]:
        return {}


@pytest.mark.parametrize(
    ("namespaces", "memories", "questions", "least"),
    [(150, 200, 1_200, 0.8), pytest.param(1_000, 1_000, 12_000, 0.9, marks=pytest.mark.deep)],
)
def test_a_tenth_of_the_vectors_memory_is_enough(namespaces: int, memories: int, questions: int, least: float) -> None:
    store = Alike(memories)
    tenth = namespaces * memories * 384 * 4 // 10
    keeper = FollowingKeeper(store, lambda: FlatIndex(384), tenth)  # type: ignore[arg-type]
    likely = np.arange(1, namespaces + 1) ** -1.1
    trace = np.random.default_rng(3).choice(namespaces, questions, p=likely / likely.sum())
    met, most, took = 0, 0, {"hot": [0.0], "warm": [0.0], "cold": [0.0]}
    for number, who in enumerate(trace.tolist()):
        space = Space("t", str(who))
        state, began = keeper.state_of(space), time.thread_time()
        with keeper.open(space) as index:
            assert len(index) == memories
        took[state].append(1000 * (time.thread_time() - began))
        most = max(most, keeper.held.nbytes)
        met += state != "cold" and 2 * number >= questions
    share = met / (questions - questions // 2)
    assert most <= tenth
    assert share >= least
    figure(
        "a tenth of their vectors' memory holds the indexes that are asked about",
        f"{namespaces:,} namespaces of {memories:,} memories, Zipf s = 1.1, {questions:,} questions",
        f"{100 * share:.1f} % of the second half met theirs in memory ({keeper.held.hot} hot, {keeper.held.warm} warm);"
        f" CPU at the median: {np.median(took['warm']):.1f} ms warm, {np.median(took['cold']):.1f} cold",
    )
