"""Late interaction over a store: token signs are read when they are needed, and are never older than the index."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from aim_memory.ports import MemoryStore
from aim_memory.storage.index import FlatIndex
from aim_memory.storage.keeper import FollowingKeeper
from aim_memory.storage.memory_store import InMemoryStore
from aim_memory.storage.sql_store import SqlStore
from aim_memory.types import NewMemory, Space, TokenBits
from tests import postgres
from tests.memories import ADA, GENERATION, SteppingClock, day, new, vector_of

STORES: dict[str, Callable[[Path], MemoryStore]] = {
    "sqlite": lambda folder: SqlStore(f"sqlite:///{folder / 'aim.db'}", SteppingClock(), GENERATION),
    "postgresql": lambda folder: SqlStore(postgres.url(folder), SteppingClock(), GENERATION),
    "memory": lambda folder: InMemoryStore(SteppingClock(), GENERATION),
}
OLD, NEW = (np.array([[signs]], np.uint8) for signs in (0b11110000, 0b11111111))
QUESTION = np.ones((1, 8), np.float32)


class Reading:
    """A store that counts which signs were asked of it."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.asked: list[list[str]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def signs(self, space: Space, ids: Sequence[str]) -> Mapping[str, Sequence[TokenBits]]:
        self.asked.append(list(ids))
        return self._store.signs(space, ids)


@pytest.fixture(params=list(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reading]:
    opened = STORES[request.param](tmp_path)
    yield Reading(opened)
    opened.close()


@pytest.fixture
def keeper(store: Reading) -> FollowingKeeper[FlatIndex]:
    return FollowingKeeper(cast(MemoryStore, store), lambda: FlatIndex(8))


def signed(memory_id: str, signs: TokenBits, text: str = "") -> NewMemory:
    own = new(memory_id, text)
    return replace(own, segments=tuple(replace(segment, tokens=signs) for segment in own.segments))


def write(store: Reading, *memories: NewMemory) -> None:
    with store.begin(ADA) as work:
        work.insert(memories)
        work.commit()


def edit(store: Reading, memory: NewMemory) -> None:
    with store.begin(ADA) as work:
        work.update(memory, day(1))
        work.commit()


def match(index: FlatIndex, *ids: str) -> list[float]:
    """What the question's one token finds, times √8: the sum of a memory's signs."""
    rows = np.array([index.row_of(memory_id) for memory_id in ids], np.int64)
    return [round(float(value) * np.sqrt(8)) for value in index.late(QUESTION, rows)[:, 0]]


def test_signs_are_read_for_the_candidates_alone_and_once(store: Reading, keeper: FollowingKeeper[FlatIndex]) -> None:
    write(store, *(signed(f"m{number}", NEW) for number in range(50)))
    with keeper.open(ADA) as index:
        assert not store.asked
        assert match(index, "m3", "m7") == [8, 8]
        assert match(index, "m7", "m9") == [8, 8]
    assert store.asked == [["m3", "m7"], ["m9"]]


def test_an_edited_memory_is_not_scored_by_its_old_signs(store: Reading, keeper: FollowingKeeper[FlatIndex]) -> None:
    write(store, signed("m", OLD), signed("other", OLD))
    with keeper.open(ADA) as index:
        assert match(index, "m", "other") == [0, 0]
    edit(store, signed("m", NEW, "m, edited"))
    with keeper.open(ADA) as index:
        assert match(index, "m", "other") == [8, 0]
    edit(store, new("m", "m, edited again", embedded=False))
    with keeper.open(ADA) as index:
        assert match(index, "m") == [0]
    with store.begin(ADA) as work:
        work.embed("m", vector_of("x")[None, :], GENERATION, [NEW])
        work.commit()
    with keeper.open(ADA) as index:
        assert match(index, "m") == [8]


def test_signs_may_be_newer_than_an_index_but_never_older(store: Reading, keeper: FollowingKeeper[FlatIndex]) -> None:
    write(store, signed("kept", OLD), signed("unread", OLD))
    with keeper.open(ADA) as index:
        assert match(index, "kept") == [0]
        edit(store, signed("kept", NEW, "kept, edited"))
        edit(store, signed("unread", NEW, "unread, edited"))
        assert match(index, "kept", "unread") == [0, 8], "of one moment or of a later one"
    with keeper.open(ADA) as index:
        assert match(index, "kept", "unread") == [8, 8]


def test_a_deleted_memory_has_no_signs(store: Reading, keeper: FollowingKeeper[FlatIndex]) -> None:
    write(store, signed("m", NEW))
    with keeper.open(ADA) as index:
        with store.begin(ADA) as work:
            work.delete(["m"])
            work.commit()
        assert match(index, "m") == [0]
    write(store, signed("m", OLD))
    with keeper.open(ADA) as index:
        assert match(index, "m") == [0]


def test_a_text_of_several_segments_counts_by_its_best(store: Reading, keeper: FollowingKeeper[FlatIndex]) -> None:
    long = signed("m", OLD, "a text that is long enough to be cut into two segments")
    write(store, replace(long, segments=(long.segments[0], replace(long.segments[1], tokens=NEW))))
    with keeper.open(ADA) as index:
        assert match(index, "m") == [8]
