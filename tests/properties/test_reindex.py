"""Moving to another embedder while the service runs, whatever happens meanwhile: nothing is mixed, nothing is left out,
and what comes out is what a service would say that never knew another embedder."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from aim_memory.engine.embedding import embed_pending
from aim_memory.storage.sql_store import SqlStore
from aim_memory.types import ChosenEmbedder
from tests import postgres
from tests.figures import figure
from tests.moving import WORDS, HalfEmbedder, Service, Ticking

OLD, NEXT = 0, 1
Step = tuple[str, str, str]
"""(what, memory, text)."""
Found = list[tuple[str, float]]
"""Memories with their scores, best first."""
URLS: dict[str, Callable[[Path], str]] = {
    "SQLite": lambda folder: f"sqlite:///{folder / 'aim.db'}",
    "PostgreSQL": postgres.url,
}


def story(rng: random.Random, length: int) -> list[Step]:
    """Writes, edits and deletions that can be done in their order."""
    steps: list[Step] = []
    there: list[str] = []
    for number in range(length):
        what = rng.choices(["write", "edit", "delete"], [5, 2, 1])[0] if there else "write"
        if what == "write":
            there.append(f"m{number}")
        memory_id = there[-1] if what == "write" else rng.choice(there)
        if what == "delete":
            there.remove(memory_id)
        steps.append((what, memory_id, f"{' '.join(rng.choices(WORDS, k=5))} {number}."))
    return steps


def take(service: Service, step: Step) -> None:
    what, memory_id, text = step
    match what:
        case "write":
            service.write((memory_id, text))
        case "edit":
            service.edit(memory_id, text)
        case "delete":
            service.delete(memory_id)


def told_from_the_start(folder: Path, half: int, steps: list[Step]) -> list[Found]:
    """The answers of a service that never knew another embedder."""
    clock = Ticking()
    with closing(SqlStore(f"sqlite:///{folder / f'fresh-{half}.db'}", clock, None)) as store:
        service = Service(store, HalfEmbedder(half), clock)
        for step in steps:
            take(service, step)
        return service.answers()


def agree(answers: list[Found], others: list[Found]) -> None:
    """The same memories in the same order; scores but for the last digits, for sums were taken in another order."""
    for found, other in zip(answers, others, strict=True):
        assert [memory_id for memory_id, _ in found] == [memory_id for memory_id, _ in other]
        assert [score for _, score in found] == pytest.approx([score for _, score in other], abs=1e-3)


class Move:
    """Two servers over one database, one with the old embedder, one with the next, and a reindexing beside them."""

    def __init__(self, url: str) -> None:
        clock = Ticking()
        self.stores = [SqlStore(url, clock, None) for _ in (OLD, NEXT)]
        self.servers = [Service(store, HalfEmbedder(half), clock) for half, store in enumerate(self.stores)]
        self.prepared = 0

    def disturb(self, rng: random.Random) -> None:
        """Something that goes on while the story is told."""
        old, following = self.servers
        match rng.choice(["reindex", "reindex", "ask", "keep up", "down", "follow"]):
            case "reindex":
                self.prepared += embed_pending(old.store, HalfEmbedder(NEXT), rng.randint(1, 6))
            case "ask":
                old.ask(f"Where is the {rng.choice(WORDS)}?", "shared")
            case "follow":
                following.ask(f"Where is the {rng.choice(WORDS)}?", "shared")
            case "keep up":
                rng.choice(self.servers).engine.upkeep()
            case "down":
                old.embedder.down = not old.embedder.down


def check(folder: Path, url: str, seed: int, length: int) -> tuple[int, int]:
    """One story. Returns how many vectors there are in the end, and how many were prepared while it was told."""
    rng = random.Random(seed)
    move, steps = Move(url), story(rng, length)
    old, following = move.servers
    for step in steps:
        # Mostly the old one is written to; during a rolling restart the next one as well.
        take(old if rng.random() < 0.8 else following, step)
        move.disturb(rng)
    old.embedder.down = False

    job = following.engine.jobs.submit("reindex")
    following.engine.jobs.run_next()
    assert following.engine.jobs.get(job.id).state == "done"
    assert following.store.count_pending() == 0
    vectors = following.check_vectors()
    agree(following.answers(), told_from_the_start(folder, NEXT, steps))
    assert not following.ask("Where is the kettle?").degraded

    old.keep_up()  # back again: what was written by the next one has no vectors of this one yet
    assert old.check_vectors() == vectors
    agree(old.answers(), told_from_the_start(folder, OLD, steps))

    following.engine.jobs.submit("prune", {"generation": following.embedder.generation})
    following.engine.jobs.run_next()
    assert following.check_vectors() == vectors
    assert following.store.count_prunable(following.embedder.generation) == 0
    assert following.store.count_pending(old.embedder.generation) == len(following.texts())
    for server in move.servers:
        server.engine.close()
    return vectors, move.prepared


@pytest.mark.parametrize("database", list(URLS))
def test_any_interleaving_ends_as_if_there_had_been_one_embedder(database: str, tmp_path: Path) -> None:
    _interleave(database, tmp_path, stories=3 if database == "SQLite" else 1, length=40)


@pytest.mark.deep
@pytest.mark.parametrize("database", list(URLS))
def test_many_interleavings_end_as_if_there_had_been_one_embedder(database: str, tmp_path: Path) -> None:
    _interleave(database, tmp_path, stories=60, length=200)


def _interleave(database: str, folder: Path, stories: int, length: int) -> None:
    vectors = prepared = 0
    for seed in range(stories):
        own = folder / str(seed)
        own.mkdir()
        found = check(own, URLS[database](own), seed, length)
        vectors, prepared = vectors + found[0], prepared + found[1]
    assert prepared > 0
    figure(
        "a change of embedder mixes nothing and leaves nothing out",
        f"{stories} interleavings of {length} writes, edits and deletions with reindexing, {database}",
        f"{vectors:,} vectors, each of the next embedder and of the present text; answers as of a fresh import, and "
        "after going back as before: 0 mixed, 0 missing",
    )


def test_the_choice_is_one_row_and_takes_effect_for_whoever_opens_the_store(tmp_path: Path) -> None:
    url, clock = URLS["SQLite"](tmp_path), Ticking()
    store = SqlStore(url, clock, None)
    service = Service(store, HalfEmbedder(OLD), clock, others=lambda named: HalfEmbedder(named["half"]))
    service.write(("m", "The kettle is red."))
    before = service.answers()
    job = service.engine.jobs.submit("reindex", {"to": {"half": NEXT}})
    service.engine.jobs.run_next()
    assert service.engine.jobs.get(job.id).result == {"generation": HalfEmbedder(NEXT).generation, "embedded": 1}
    assert service.answers() == before, "who runs goes on as before"
    other = SqlStore(url, clock, None)
    assert list(other.chosen_embedders()) == [ChosenEmbedder(HalfEmbedder(NEXT).generation, {"half": NEXT})]
    moved = Service(other, HalfEmbedder(NEXT), clock)
    assert moved.check_vectors() == 1
    for engine in (service.engine, moved.engine):
        engine.close()


def test_with_old_vectors_only_questions_are_answered_by_words(tmp_path: Path) -> None:
    clock = Ticking()
    store = SqlStore(URLS["SQLite"](tmp_path), clock, None)
    old = Service(store, HalfEmbedder(OLD), clock)
    old.write(*((f"m{number}", f"The {word} is number {number}.") for number, word in enumerate(WORDS)))
    assert not old.ask("Where is the violin?", "s").degraded
    following = Service(store, HalfEmbedder(NEXT), clock)
    reply = following.ask("Where is the violin?", "s")
    assert (reply.results[0].id, reply.degraded) == ("m2", True)
    assert following.keep_up() == len(WORDS)
    assert not following.ask("Where is the violin?", "s").degraded
    following.engine.close()
