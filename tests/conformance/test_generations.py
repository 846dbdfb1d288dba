"""The suite of what a store promises about embedder generations: every store passes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from aim_memory.ports import MemoryStore
from aim_memory.storage.memory_store import InMemoryStore
from aim_memory.storage.sql_store import SqlStore
from aim_memory.types import ChosenEmbedder, NewMemory, SessionState, Vector
from tests import postgres
from tests.memories import ADA, BOB, GENERATION, STRANGER, SteppingClock, day, new, vector_of

NEXT = "next-4"
LONG = "a text that is long enough to be cut into two segments"
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


def write(store: MemoryStore, *memories: NewMemory) -> None:
    with store.begin(ADA) as work:
        work.insert(memories)
        work.commit()


def next_vector(number: float) -> Vector:
    return np.array([number, 1, 0, 0], np.float32)


def embed(store: MemoryStore, memory_id: str, *numbers: float, generation: str = NEXT) -> None:
    vectors = np.stack([next_vector(number) for number in numbers])
    signs = [np.array([[int(number)]], np.uint8) for number in numbers]
    with store.begin(ADA) as work:
        work.embed(memory_id, vectors, generation, signs)
        work.commit()


def seen(store: MemoryStore, memory_id: str) -> list[list[float] | None]:
    """The vectors that are handed out, the same on both ways."""
    (row,) = store.index_rows(ADA, [memory_id])
    (same,) = (each for each in store.snapshot(ADA)[1] if each.id == memory_id)
    vectors = [None if own.vector is None else own.vector.tolist() for own in row.segments]
    assert vectors == [None if own.vector is None else own.vector.tolist() for own in same.segments]
    pending = vectors == [None] * len(vectors)
    assert store.get(ADA, [memory_id])[memory_id].pending == pending
    assert ((ADA, memory_id) in store.pending(99)) == pending
    assert bool(store.signs(ADA, [memory_id])) <= (not pending)
    return vectors


def in_turn(store: MemoryStore, memory_id: str) -> Sequence[list[list[float] | None]]:
    """What a memory shows to both generations."""
    shown = []
    for generation in (GENERATION, NEXT):
        store.use(generation)
        shown.append(seen(store, memory_id))
    return shown


def test_vectors_of_two_generations_lie_beside_each_other(store: MemoryStore) -> None:
    write(store, new("m", LONG), new("other"))
    first = seen(store, "m")
    assert list(store.pending(9, NEXT)) == [(ADA, "m"), (ADA, "other")]
    embed(store, "m", 3, 4)
    assert seen(store, "m") == first, "the one in use reads its own"
    assert in_turn(store, "m") == [first, [next_vector(3).tolist(), next_vector(4).tolist()]]
    assert in_turn(store, "other")[1] == [None]
    assert (store.count_pending(), store.count_pending(GENERATION)) == (1, 0)


def test_token_signs_are_those_of_the_generation_in_use(store: MemoryStore) -> None:
    write(store, new("m"))
    embed(store, "m", 5)
    assert not store.signs(ADA, ["m"]), "the first embedder showed none"
    store.use(NEXT)
    assert [own.tolist() for own in store.signs(ADA, ["m"])["m"]] == [[[5]]]
    embed(store, "m", 6, generation=GENERATION)
    assert [own.tolist() for own in store.signs(ADA, ["m"])["m"]] == [[[5]]]
    (row,) = store.index_rows(ADA, ["m"])
    assert row.segments[0].tokens is not None
    assert row.segments[0].tokens.tolist() == [[5]]


def test_embedding_again_replaces_what_the_same_generation_said(store: MemoryStore) -> None:
    write(store, new("m"))
    first = seen(store, "m")
    for number in (1, 2):
        embed(store, "m", number)
    embed(store, "m", 9, generation=GENERATION)
    assert in_turn(store, "m") == [[next_vector(9).tolist()], [next_vector(2).tolist()]]
    assert first != [next_vector(9).tolist()]


def test_an_edit_takes_the_vectors_of_all_generations(store: MemoryStore) -> None:
    write(store, new("m"))
    embed(store, "m", 3)
    with store.begin(ADA) as work:
        work.update(new("m", "another text"), day(9))
        work.commit()
    assert in_turn(store, "m") == [[vector_of("another text").tolist()], [None]]
    embed(store, "m", 4)
    with store.begin(ADA) as work:
        work.update(new("m", "a third text", embedded=False), day(9))
        work.commit()
    assert in_turn(store, "m") == [[None], [None]]


def test_what_happens_to_the_statements_of_a_memory_leaves_its_vectors(store: MemoryStore) -> None:
    write(store, new("m"))
    embed(store, "m", 3)
    store.reinforce(ADA, {"m": 1.0})
    store.use(NEXT)
    assert seen(store, "m") == [next_vector(3).tolist()]


def test_deleting_and_erasing_take_spare_vectors_along(store: MemoryStore) -> None:
    write(store, new("gone"), new("kept"))
    embed(store, "gone", 3)
    embed(store, "kept", 4)
    with store.begin(ADA) as work:
        work.delete(["gone"])
        work.commit()
    assert list(store.prunable(9, NEXT)) == [(ADA, "kept")]
    store.erase(ADA)
    assert not store.prunable(9, NEXT)
    write(store, new("kept"))
    assert in_turn(store, "kept")[1] == [None]


def test_pruning_keeps_the_generation_named_and_drops_no_memory_to_none(store: MemoryStore) -> None:
    write(store, new("both", LONG), new("late"))
    first, late = seen(store, "both"), seen(store, "late")
    embed(store, "both", 3, 4)
    embed(store, "late", 5, generation="third")
    assert (store.count_prunable(NEXT), store.count_prunable(GENERATION)) == (1, 2)
    assert list(store.prunable(9, NEXT)) == [(ADA, "both")]
    assert list(store.prunable(1, GENERATION)) == [(ADA, "both")]
    head = store.head(ADA)
    with store.begin(ADA) as work:
        assert work.prune(["both", "late", "ghost"], GENERATION) == 2
        work.commit()
    assert store.head(ADA) == head
    assert store.count_prunable(GENERATION) == 0
    assert in_turn(store, "both") == [first, [None, None]]
    assert in_turn(store, "late") == [late, [None]]
    with store.begin(ADA) as work:
        assert work.prune(["both"], NEXT) == 0, "better these vectors than none"
        work.commit()
    assert in_turn(store, "both") == [first, [None, None]]


def test_pending_ones_are_named_over_all_namespaces_from_the_oldest(store: MemoryStore) -> None:
    write(store, new("c", at=3), new("a", at=1, embedded=False))
    for space, at in ((BOB, 2), (STRANGER, 4)):
        with store.begin(space) as work:
            work.insert([new("m", at=at, generation="third")])
            work.commit()
    embed(store, "c", 3)
    assert list(store.pending(9, NEXT)) == [(ADA, "a"), (BOB, "m"), (STRANGER, "m")]
    assert list(store.pending(2, NEXT)) == [(ADA, "a"), (BOB, "m")]
    assert list(store.pending(9, "third")) == [(ADA, "a"), (ADA, "c")]
    assert [store.count_pending(name) for name in (NEXT, "third", GENERATION)] == [3, 2, 3]


def test_asking_about_an_embedder_that_nobody_used_names_everything(store: MemoryStore) -> None:
    write(store, new("m"))
    assert list(store.pending(9, "unheard of")) == [(ADA, "m")]
    assert (store.count_pending("unheard of"), store.count_prunable("unheard of")) == (1, 0)
    assert not store.prunable(9, "unheard of")


def test_the_embedders_whose_vectors_are_here_are_named(store: MemoryStore) -> None:
    write(store, new("m"), new("n"))
    embed(store, "m", 1)
    assert set(store.generations()) == {GENERATION, NEXT}


def test_the_last_embedder_chosen_holds_and_can_be_taken_back(store: MemoryStore) -> None:
    assert not store.chosen_embedders()
    store.unchoose_embedder()
    first = ChosenEmbedder(GENERATION, {"kind": "hashing", "dimension": 8})
    second = ChosenEmbedder(NEXT, {"model": "模型"})
    for number, chosen in enumerate((first, second, first, second)):
        store.choose_embedder(chosen, day(number))
    assert list(store.chosen_embedders()) == [second, first]
    store.unchoose_embedder()
    assert list(store.chosen_embedders()) == [first]
    store.unchoose_embedder()
    assert not store.chosen_embedders()


def test_a_session_says_whose_vectors_lead_it(store: MemoryStore) -> None:
    write(store, new("m"))
    state = SessionState(turns=2, direction=next_vector(1), recent=("q",), generation=NEXT)
    assert store.save_session(ADA, "s", state)
    loaded = store.load_session(ADA, "s")
    assert loaded is not None
    assert (loaded.turns, loaded.generation) == (2, NEXT)
