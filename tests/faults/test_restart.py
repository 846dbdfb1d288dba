"""After a restart a large namespace answers at once, by words alone, until its index is built."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from aim_memory.bodies import QueryRequest
from aim_memory.config import AIMConfig
from aim_memory.engine import MemoryEngine, Parts
from aim_memory.llm.hashing import HashingEmbedder
from aim_memory.sessions import Sessions
from aim_memory.settings import LimitSettings
from aim_memory.storage.index import FlatIndex
from aim_memory.storage.keeper import FollowingKeeper
from aim_memory.storage.sql_store import SqlStore
from aim_memory.text import index_terms
from aim_memory.types import IndexRow, NewMemory, Segment
from tests.figures import figure
from tests.memories import ADA, SteppingClock, day

EMBEDDER = HashingEmbedder(384)
WORDS = [f"{first}{second}{third}" for first in ("ka", "lo", "mi", "ru") for second in "bdgptz" for third in "aeiou"]
GO = threading.Event()


class SlowIndex(FlatIndex):
    """Takes until GO for many rows."""

    def upsert(self, rows: Sequence[IndexRow]) -> None:
        assert len(rows) <= 400 or GO.wait(60)
        super().upsert(rows)


def _fill(url: str, count: int) -> None:
    chance = np.random.default_rng(1)
    store = SqlStore(url, SteppingClock(), EMBEDDER.generation)
    for start in range(0, count, 2_000):
        with store.begin(ADA) as work:
            work.insert([_memory(number, chance) for number in range(start, min(start + 2_000, count))])
            work.commit()
    store.close()


def _memory(number: int, chance: np.random.Generator) -> NewMemory:
    text = f"note{number} " + " ".join(chance.choice(WORDS, 12))
    vector = chance.standard_normal(384).astype(np.float32)
    return NewMemory(
        id=f"m{number}",
        text=text,
        summary=text[:20],
        digest=text,
        timestamp=day(0),
        created_at=day(0),
        segments=(Segment(0, len(text), index_terms(text), vector / np.linalg.norm(vector)),),
        generation=EMBEDDER.generation,
    )


def _engine(url: str, at_once: int) -> MemoryEngine:
    store = SqlStore(url, SteppingClock(), EMBEDDER.generation)
    return MemoryEngine(
        Parts(
            store=store,
            keeper=FollowingKeeper(store, lambda: SlowIndex(384), at_once=at_once),
            sessions=Sessions(store),
            embedder=EMBEDDER,
            generators={},
            clock=SteppingClock(),
            config=AIMConfig(),
            limits=LimitSettings(),
        )
    )


@pytest.mark.parametrize("count", [1_000, pytest.param(100_000, marks=pytest.mark.deep)])
def test_the_first_question_after_a_restart_does_not_wait_for_the_index(tmp_path: Path, count: int) -> None:
    url = f"sqlite:///{tmp_path / 'aim.db'}"
    _fill(url, count)
    GO.clear()
    began = time.perf_counter(), time.process_time()
    engine = _engine(url, at_once=500)
    asked = QueryRequest(query=f"what about note{count // 2}?", namespace=ADA.namespace)
    first = engine.query(ADA.tenant, asked)
    wall, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
    assert first.degraded
    assert first.results[0].id == f"m{count // 2}"
    page = engine.list(ADA.tenant, ADA.namespace, limit=3)
    rest = engine.list(ADA.tenant, ADA.namespace, limit=3, cursor=page.next_cursor)
    assert [item.id for item in (*page.items, *rest.items)] == [f"m{number}" for number in range(6)]
    again = engine.query(ADA.tenant, asked)
    assert (again.degraded, [hit.id for hit in again.results]) == (True, [hit.id for hit in first.results])
    GO.set()
    keeper = engine._parts.keeper
    with keeper.open(ADA) as index:
        assert len(index) == count
    whole = engine.query(ADA.tenant, asked)
    assert not whole.degraded
    assert whole.results[0].id == f"m{count // 2}"
    assert whole.work.stored == count
    engine.close()
    figure(
        "the first question after a restart is answered, by words at the latest",
        f"{count:,} memories in one namespace",
        f"after {wall:.2f} s, {cpu:.2f} s of CPU time, from opening the store",
    )
