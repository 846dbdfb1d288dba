"""Any sequence of writes, edits, deletions, supersessions and restarts leaves a store as an exact model says.

The model knows one statement per memory: where Ada lives.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from aim_memory.errors import ConflictError
from aim_memory.ports import MemoryStore, UnitOfWork
from aim_memory.storage.keeper import FollowingKeeper
from aim_memory.storage.memory_store import InMemoryStore
from aim_memory.storage.sql_store import SqlStore
from aim_memory.types import Head, NewMemory, Statement, Supersession
from tests import postgres
from tests.memories import ADA, GENERATION, RowsById, SteppingClock, day, segment_of, vector_of

CITIES = ("paris", "rome", "oslo")
TEXTS = st.sampled_from(["", "hello", "你好 世界", "a\x00b", "😀 " * 20, "same", "same again"])
TIMES = st.integers(0, 5)
HOMES = st.none() | st.sampled_from(CITIES)


@dataclass
class Said:
    """A memory as it has to be."""

    ordinal: int
    text: str
    at: datetime
    home: str | None
    pinned: bool = False
    embedded: bool = True
    history: list[tuple[str, str]] = field(default_factory=list)
    """(kind, text) of every version."""
    closed: tuple[str, datetime] | None = None


class Model:
    """A namespace, written down as plainly as possible."""

    def __init__(self) -> None:
        self.said: dict[str, Said] = {}
        self.log: list[tuple[str, str]] = []
        self.written = 0

    def write(self, memory_id: str, text: str, at: datetime, home: str | None, *, embedded: bool) -> None:
        self.written += 1
        self.said[memory_id] = Said(self.written, text, at, home, embedded=embedded, history=[("write", text)])
        self.log.append(("write", memory_id))

    def edit(self, memory_id: str, text: str, home: str | None, *, pinned: bool) -> None:
        old = self.said[memory_id]
        kind = "pin" if text == old.text and pinned != old.pinned else "edit"
        if (text, home) != (old.text, old.home):
            self._withdraw([memory_id])
            old.closed = None
        old.text, old.home, old.pinned, old.embedded = text, home, pinned, True
        self._change(memory_id, kind)

    def supersede(self, old_id: str, new_id: str) -> None:
        old, closing = self.said[old_id], (new_id, self.said[new_id].at)
        if old.home is not None and old.closed != closing:
            old.closed = closing
            self._change(old_id, "supersede")

    def delete(self, ids: Sequence[str]) -> None:
        self._withdraw(ids)
        for memory_id in ids:
            del self.said[memory_id]
            self.log.append(("delete", memory_id))

    def embed(self, memory_id: str) -> None:
        self.said[memory_id].embedded = True
        self.log.append(("embed", memory_id))

    def _withdraw(self, ids: Sequence[str]) -> None:
        """What the memories had closed is closed by who had closed them on the same matter, or by nobody."""
        for memory_id, said in self.said.items():
            if not said.closed or said.closed[0] not in ids or memory_id in ids:
                continue
            closed, steps = said.closed, 0
            while closed and closed[0] in ids and steps <= len(ids):
                closer = self.said[closed[0]]
                closed, steps = (closer.closed if closer.home else None), steps + 1
            lost = not closed or closed[0] in ids or closed[0] == memory_id
            said.closed = None if lost or self.said[closed[0]].home == said.home else closed
            self._change(memory_id, "supersede" if said.closed else "reopen")

    def _change(self, memory_id: str, kind: str) -> None:
        self.said[memory_id].history.append((kind, self.said[memory_id].text))
        self.log.append((kind, memory_id))


class StoreMachine(RuleBasedStateMachine):
    """A store, a follower that looks now and then, and the model."""

    known = Bundle("known")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock = SteppingClock()
        self.store = self.open()
        self.keeper = FollowingKeeper(self.store, RowsById)
        self.model = Model()
        self.epoch = 0
        self.ever = 0

    def open(self) -> MemoryStore:
        return SqlStore(f"sqlite:///{self.folder / 'aim.db'}", self.clock, GENERATION)

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    def _commit(self, *steps: Callable[[UnitOfWork], object]) -> None:
        with self.store.begin(ADA) as work:
            for step in steps:
                step(work)
            head = work.commit()
        assert head.epoch >= self.epoch
        self.epoch = head.epoch

    @initialize()
    def begin_empty(self) -> None:
        assert self.store.head(ADA) is None

    @rule(target=known, texts=st.lists(TEXTS, min_size=1, max_size=3), at=TIMES, home=HOMES, embedded=st.booleans())
    def write(self, texts: list[str], at: int, home: str | None, embedded: bool) -> object:
        given = []
        for text in texts:
            self.ever += 1
            given.append(_memory(f"m{self.ever}", text, day(at), home, embedded=embedded))
        self._commit(lambda work: work.insert(given))
        for memory in given:
            self.model.write(memory.id, memory.text, memory.timestamp, home, embedded=embedded)
        return multiple(*(memory.id for memory in given))

    @rule(memory_id=known)
    def write_a_taken_id(self, memory_id: str) -> None:
        with pytest.raises(ConflictError):
            self._commit(lambda work: work.insert([_memory("fresh", "x", day(0)), _memory(memory_id, "x", day(0))]))

    @rule(memory_id=known, text=st.none() | TEXTS, home=HOMES, pinned=st.booleans())
    def edit(self, memory_id: str, text: str | None, home: str | None, pinned: bool) -> None:
        old = self.model.said[memory_id]
        text, home = (old.text, old.home) if text is None else (text, home)
        edited = replace(_memory(memory_id, text, old.at, home), pinned=pinned)
        self._commit(lambda work: work.update(edited, self.clock.now()))
        self.model.edit(memory_id, text, home, pinned=pinned)

    @rule(old_id=known, new_id=known)
    def supersede(self, old_id: str, new_id: str) -> None:
        old, new = self.model.said[old_id], self.model.said[new_id]
        if old_id != new_id and old.home is not None:
            ended = Supersession(old_id, new_id, Statement("ada", "home", old.home), new.at)
            self._commit(lambda work: work.supersede([ended]))
            self.model.supersede(old_id, new_id)

    @rule(ids=st.lists(consumes(known), min_size=1, max_size=3, unique=True))
    def delete(self, ids: list[str]) -> None:
        self._commit(lambda work: work.delete(["ghost", *ids]))
        self.model.delete(ids)

    @rule(memory_id=known)
    def embed(self, memory_id: str) -> None:
        said = self.model.said[memory_id]
        vectors = vector_of(said.text)[None, :]
        self._commit(lambda work: work.embed(memory_id, vectors, GENERATION))
        self.model.embed(memory_id)

    @rule(memory_id=known, text=TEXTS)
    def change_one_s_mind(self, memory_id: str, text: str) -> None:
        with self.store.begin(ADA) as work:
            work.insert([_memory("fresh", text, day(0), "rome")])
            work.update(_memory(memory_id, text, day(1), "oslo"), self.clock.now())
            work.delete([memory_id])

    @rule()
    def restart(self) -> None:
        self.store.close()
        self.store = self.open()
        self.keeper = FollowingKeeper(self.store, RowsById)

    @precondition(lambda self: self.epoch)
    @rule()
    def erase_and_begin_again(self) -> None:
        self.store.erase(ADA)
        again = [_memory(memory_id, memory_id, day(0)) for memory_id in self.model.said]
        self.model = Model()
        self._commit(lambda work: work.insert(again))
        for memory in again:
            self.model.write(memory.id, memory.text, memory.timestamp, None, embedded=True)

    @rule()
    def follow(self) -> None:
        with self.keeper.open(ADA) as index:
            rows = dict(index.rows)
        assert rows.keys() == self.model.said.keys()
        for memory_id, said in self.model.said.items():
            row = rows[memory_id]
            until = None if said.closed is None else said.closed[1]
            assert (row.ordinal, row.length, row.pinned) == (said.ordinal, len(said.text), said.pinned)
            assert (row.timestamp, row.valid_until) == (said.at, until)
            assert (row.segments[0].vector is not None) == said.embedded
        assert [row.id for row in self.store.snapshot(ADA)[1]] == list(self.model.said)

    @invariant()
    def memories_are_as_the_model_says(self) -> None:
        got = self.store.get(ADA, ["fresh", *self.model.said])
        assert list(got) == list(self.model.said)
        for memory_id, said in self.model.said.items():
            memory, closed = got[memory_id], said.closed or (None, None)
            assert (memory.text, memory.ordinal, memory.pinned) == (said.text, said.ordinal, said.pinned)
            assert (memory.superseded_by, memory.valid_until) == closed
            assert (memory.version, memory.pending) == (len(said.history), not said.embedded)

    @invariant()
    def histories_are_whole(self) -> None:
        for memory_id, said in list(self.model.said.items())[-3:]:
            versions = self.store.history(ADA, memory_id)
            assert [(version.kind, version.text) for version in versions] == said.history
            assert [version.version for version in versions] == list(range(1, len(versions) + 1))

    @invariant()
    def the_log_is_whole(self) -> None:
        changes = self.store.changes(ADA, 0)
        assert [(change.kind, change.memory_id) for change in changes] == self.model.log
        assert [change.seq for change in changes] == list(range(1, len(changes) + 1))
        head = Head(self.epoch, len(changes), self.model.written) if self.epoch else None
        assert self.store.head(ADA) == head


class PostgresMachine(StoreMachine):
    """The same on PostgreSQL."""

    def open(self) -> MemoryStore:
        return SqlStore(postgres.url(self.folder), self.clock, GENERATION)

    def teardown(self) -> None:
        super().teardown()
        postgres.take_back()


class TwinMachine(StoreMachine):
    """The same for the twin in memory, which does not outlive a restart."""

    def open(self) -> MemoryStore:
        return getattr(self, "store", None) or InMemoryStore(self.clock, GENERATION)


def _memory(memory_id: str, text: str, at: datetime, home: str | None = None, *, embedded: bool = True) -> NewMemory:
    shown = text.replace("\0", " ")  # PostgreSQL takes NUL in evidence only, and the service's door not at all
    return NewMemory(
        id=memory_id,
        text=text,
        summary=shown[:10],
        digest=shown,
        timestamp=at,
        created_at=at,
        segments=(segment_of(shown, 0, len(shown), embedded=embedded),),
        statements=() if home is None else (Statement("ada", "home", home),),
        generation=GENERATION if embedded else None,
    )


_QUIET = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}


@pytest.mark.parametrize(("machine", "examples"), [(StoreMachine, 25), (PostgresMachine, 5), (TwinMachine, 25)])
def test_the_store_does_what_the_model_says(machine: type[StoreMachine], examples: int) -> None:
    run_state_machine_as_test(
        machine, settings=settings(max_examples=examples, stateful_step_count=25, derandomize=True, **_QUIET)
    )


@pytest.mark.deep
@pytest.mark.parametrize("machine", [StoreMachine, PostgresMachine, TwinMachine])
def test_the_store_does_what_the_model_says_500_times(machine: type[StoreMachine]) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=500, stateful_step_count=100, **_QUIET))
