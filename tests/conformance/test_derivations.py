"""The suite of what a store promises about memories that were made of others: every store passes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aim_memory.errors import NotFoundError
from aim_memory.ports import MemoryStore
from aim_memory.storage.memory_store import InMemoryStore
from aim_memory.storage.sql_store import SqlStore
from aim_memory.types import Job, NewMemory, Space
from tests import postgres
from tests.memories import ADA, BOB, GENERATION, STRANGER, SteppingClock, day, new

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


def write(store: MemoryStore, *memories: NewMemory, space: Space = ADA) -> None:
    with store.begin(space) as work:
        work.insert(memories)
        work.commit()


def edit(store: MemoryStore, memory: NewMemory) -> None:
    with store.begin(ADA) as work:
        work.update(memory, day(2))
        work.commit()


def derived(memory_id: str, *origins: str) -> NewMemory:
    return new(memory_id, trust="derived", derived_from=origins)


def ids(store: MemoryStore) -> list[str]:
    return [row.id for row in store.snapshot(ADA)[1]]


def test_a_memory_says_what_it_was_made_of(store: MemoryStore) -> None:
    write(store, new("b"), new("a"), new("other"))
    write(store, derived("fact", "b", "a", "b"))
    held = store.get(ADA, ["fact", "a"])
    assert (held["fact"].derived_from, held["fact"].trust) == (("a", "b"), "derived")
    assert held["a"].derived_from == ()
    assert list(store.derivatives(ADA, ["a", "other"])) == ["fact"]
    assert list(store.derivatives(ADA, ["other", "fact"])) == []
    assert list(store.derivatives(BOB, ["a"])) == []


def test_it_is_made_of_what_exists_only(store: MemoryStore) -> None:
    write(store, new("a"))
    write(store, new("b"), space=BOB)
    with pytest.raises(NotFoundError, match="'b'"):
        write(store, derived("fact", "a", "b"))
    assert ids(store) == ["a"]


def test_it_goes_with_any_of_its_originals(store: MemoryStore) -> None:
    write(store, new("a"), new("b"), new("c"))
    write(store, derived("ab", "a", "b"), derived("b only", "b"), derived("c only", "c"))
    with store.begin(ADA) as work:
        assert work.delete(["b", "ab"]) == 2
        work.commit()
    assert ids(store) == ["a", "c", "c only"]
    assert {c.memory_id for c in store.changes(ADA, 0) if c.kind == "delete"} == {"ab", "b", "b only"}
    assert store.evidence(ADA, "ab") is None


def test_it_can_be_deleted_alone(store: MemoryStore) -> None:
    write(store, new("a"))
    write(store, derived("fact", "a"))
    with store.begin(ADA) as work:
        assert work.delete(["fact"]) == 1
        work.commit()
    assert ids(store) == ["a"]
    assert list(store.derivatives(ADA, ["a"])) == []


def test_it_goes_when_an_original_says_something_else(store: MemoryStore) -> None:
    write(store, new("a", "my rent is 900"))
    write(store, derived("fact", "a"))
    edit(store, replace(new("a", "my rent is 900"), pinned=True, metadata={"k": 1}))
    assert ids(store) == ["a", "fact"]
    edit(store, new("a", "my rent is 950"))
    assert ids(store) == ["a"]
    write(store, derived("fact", "a"))
    edit(store, new("a", "my rent is 950", at=9))  # relative dates mean other days now
    assert ids(store) == ["a"]


def test_an_edited_derivative_still_goes_with_its_original(store: MemoryStore) -> None:
    write(store, new("a"))
    write(store, derived("fact", "a"))
    edit(store, new("fact", "in better words", trust="derived"))
    assert store.get(ADA, ["fact"])["fact"].derived_from == ("a",)
    edit(store, new("a", "something else"))
    assert ids(store) == ["a"]


def test_what_was_read_is_not_to_be_read_again_until_it_changes(store: MemoryStore) -> None:
    write(store, new("a"), new("b"), new("c"))
    write(store, derived("fact", "a"))
    write(store, new("x"), space=STRANGER)
    assert list(store.unread(ADA, 0, 9)) == ["a", "b", "c"]
    assert list(store.unread(ADA, 1, 1)) == ["b"]
    with store.begin(ADA) as work:
        work.mark_read(["a", "b", "ghost"])
        work.commit()
    assert (list(store.unread(ADA, 0, 9)), store.count_unread(ADA)) == (["c"], 1)
    edit(store, replace(new("a"), pinned=True))
    assert store.count_unread(ADA) == 1
    edit(store, new("a", "something else"))
    assert (list(store.unread(ADA, 0, 9)), store.count_unread(ADA)) == (["a", "c"], 2)
    assert list(store.with_unread()) == [ADA, STRANGER]
    with store.begin(STRANGER) as work:
        work.mark_read(["x"])
        work.commit()
    assert list(store.with_unread()) == [ADA]


def test_marking_as_read_is_no_change(store: MemoryStore) -> None:
    write(store, new("a"))
    with store.begin(ADA) as work:
        work.mark_read(["a"])
        work.commit()
    assert len(store.changes(ADA, 0)) == 1
    assert store.get(ADA, ["a"])["a"].version == 1


def test_erasing_a_namespace_takes_derivatives_and_the_jobs_that_name_it(store: MemoryStore) -> None:
    write(store, new("a"))
    write(store, derived("fact", "a"))
    write(store, new("b"), space=BOB)
    for number, space in enumerate((ADA, BOB, STRANGER)):
        arguments = {"namespace": space.namespace}
        store.jobs.submit(Job(f"job-{number}", "extract", day(0), day(0), space.tenant, arguments))
    assert store.amounts(ADA.tenant, ADA.namespace)["derivations"] == 1
    erased = store.erase(ADA)
    assert (erased["derivations"], erased["memories"]) == (1, 2)
    assert [job.id for job in store.jobs.list()] == ["job-2", "job-1"]
    assert store.head(ADA) is None
