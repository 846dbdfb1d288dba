"""The engine's write, query, edit, supersede and delete with a fault at every call that it makes of its store.

Only one step fails, so two ends are right: that of all steps, and, if the step was not acknowledged, that of the
others.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from aim_memory.bodies import FeedbackRequest, QueryRequest, UpdateRequest, WriteRequest
from aim_memory.config import AIMConfig
from aim_memory.engine import MemoryEngine, Parts
from aim_memory.errors import AIMMemoryError, StorageError
from aim_memory.llm.hashing import HashingEmbedder
from aim_memory.ports import Clock, MemoryStore
from aim_memory.sessions import Sessions
from aim_memory.settings import LimitSettings
from aim_memory.storage.index import FlatIndex
from aim_memory.storage.keeper import FollowingKeeper
from aim_memory.storage.sql_store import SqlStore
from aim_memory.types import Space
from tests.faults.faulty import Faults, JumpingClock, When, faulty
from tests.figures import figure
from tests.memories import START, RowsById, SteppingClock

TENANT, NAMESPACE = "acme", "user/ada"
SPACE = Space(TENANT, NAMESPACE)
EMBEDDER = HashingEmbedder(32)
Step = Callable[[MemoryEngine], object]
End = frozenset[tuple[str, str, int, str | None]]
"""(id, text, version, superseded by) of every memory."""


def _writing(key: str, day: int, **texts: str) -> Step:
    said = f"2026-03-{day:02d}T12:00:00Z"
    rows = [{"id": memory_id, "text": text, "speaker": "Ada", "timestamp": said} for memory_id, text in texts.items()]
    request = WriteRequest.model_validate({"namespace": NAMESPACE, "memories": rows})
    return lambda engine: engine.write(TENANT, request, idempotency_key=key, author=None)


def _asking(text: str) -> Step:
    request = QueryRequest(query=text, namespace=NAMESPACE, session_id="s")
    return lambda engine: engine.query(TENANT, request)


def _editing(memory_id: str, text: str) -> Step:
    request = UpdateRequest(text=text)
    return lambda engine: engine.update(TENANT, memory_id, request, namespace=NAMESPACE, if_match=None, author=None)


def _rating(memory_id: str) -> Step:
    request = FeedbackRequest.model_validate(
        {"namespace": NAMESPACE, "ratings": [{"memory_id": memory_id, "value": 1.0}]}
    )
    return lambda engine: engine.feedback(TENANT, request)


STEPS: tuple[Step, ...] = (
    _writing("k0", 1, paris="I live in Paris.", kettle="The kettle is red."),
    _asking("Where does Ada live?"),
    _writing("k2", 2, rome="I live in Rome now.", harbour="The harbour was closed."),
    _editing("kettle", "The kettle is blue."),
    _asking("What colour is the kettle?"),
    _rating("paris"),
    lambda engine: engine.delete(TENANT, "harbour", namespace=NAMESPACE),
    _asking("Was the harbour closed?"),
)
KEYED = {0, 2}
"""Steps that may be sent again with their key."""


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store's file before anything is written."""
    file = tmp_path_factory.mktemp("empty") / "aim.db"
    SqlStore(f"sqlite:///{file}", SteppingClock(), EMBEDDER.generation).close()
    return file


class Flow:
    """A fresh store, and an engine over it whose calls may fail."""

    def __init__(self, file: Path, faults: Faults, clock: Clock) -> None:
        self.store = SqlStore(f"sqlite:///{file}", clock, EMBEDDER.generation)
        seen = faulty(self.store, faults)
        self.engine = _engine(seen, clock)
        self.follower = FollowingKeeper(seen, RowsById)

    def run(self, skipped: int | None = None) -> list[int]:
        """The steps that were not acknowledged."""
        failed = []
        for number, step in enumerate(STEPS):
            if number == skipped:
                continue
            try:
                step(self.engine)
                with self.follower.open(SPACE):
                    pass
            except AIMMemoryError:
                failed.append(number)
        return failed

    def end(self) -> End:
        rows = self.store.snapshot(SPACE)[1]
        kept = self.store.get(SPACE, [row.id for row in rows]).values()
        return frozenset((one.id, one.text, one.version, one.superseded_by) for one in kept)

    def check_followers(self) -> None:
        """Whatever failed on the way, the indexes are as if they were built now."""
        with self.follower.open(SPACE) as old, FollowingKeeper(self.store, RowsById).open(SPACE) as new:
            assert old.rows.keys() == new.rows.keys()
            assert {id_: row.superseded_by for id_, row in old.rows.items()} == {
                id_: row.superseded_by for id_, row in new.rows.items()
            }
        question = QueryRequest(query="the red kettle in Rome", namespace=NAMESPACE, top_k=20)
        asked, afresh = (
            engine.query(TENANT, question) for engine in (self.engine, _engine(self.store, SteppingClock()))
        )
        assert [hit.id for hit in asked.results] == [hit.id for hit in afresh.results]
        head = self.store.head(SPACE)
        assert head is not None
        assert [change.seq for change in self.store.changes(SPACE, 0)] == list(range(1, head.seq + 1))


def _engine(store: MemoryStore, clock: Clock) -> MemoryEngine:
    return MemoryEngine(
        Parts(
            store=store,
            keeper=FollowingKeeper(store, lambda: FlatIndex(EMBEDDER.dimension)),
            sessions=Sessions(store),
            embedder=EMBEDDER,
            generators={},
            clock=clock,
            config=AIMConfig(),
            limits=LimitSettings(),
        )
    )


@contextmanager
def _flow(empty: Path, folder: Path, faults: Faults, clock: Clock | None = None) -> Iterator[Flow]:
    file = folder / "aim.db"
    for old in folder.glob("aim.db*"):
        old.unlink()
    shutil.copy(empty, file)
    flow = Flow(file, faults, clock or SteppingClock())
    yield flow
    flow.engine.close()


def _end_without(empty: Path, folder: Path, skipped: int | None) -> End:
    with _flow(empty, folder, Faults()) as flow:
        flow.run(skipped)
        return flow.end()


EVERY = pytest.param(1, marks=pytest.mark.deep)


@pytest.mark.parametrize("step", [4, EVERY])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_fault_at_any_call_loses_nothing_and_halves_nothing(
    empty: Path, tmp_path: Path, when: When, step: int
) -> None:
    """At every call, or in the fast tier at every fourth."""
    whole = _end_without(empty, tmp_path, None)
    assert {(memory_id, closer) for memory_id, _, _, closer in whole} == {
        ("paris", "rome"),
        ("kettle", None),
        ("rome", None),
    }
    without: dict[int, End] = {}
    refused = 0
    for at in count(1, step):
        faults = Faults(at, when)
        with _flow(empty, tmp_path, faults) as flow:
            failed = flow.run()
            if not faults.rest():
                break
            refused += bool(failed)
            end = flow.end()
            flow.check_followers()
            if failed and failed[0] in KEYED and len(failed) == 1:
                STEPS[failed[0]](flow.engine)
                assert {one[0] for one in flow.end()} >= {one[0] for one in whole} - {"harbour"}, "sent again"
        first = failed[0] if failed else None
        if first is not None and first not in without:
            without[first] = _end_without(empty, tmp_path, first)
        assert end in ({whole} if first is None else {whole, without[first]}), (at, failed)
    assert at > 40
    assert refused > 20 / step
    size = f"each call{'' if step == 1 else f' in {step}'} of {at - step} {when} its effect"
    figure("a fault loses nothing acknowledged and leaves nothing halved", size, "0 lost, 0 halved, indexes as rebuilt")


@pytest.mark.parametrize("jump", [timedelta(days=3650), timedelta(days=-3650)])
def test_a_jump_of_the_clock_at_any_look_changes_nothing(empty: Path, tmp_path: Path, jump: timedelta) -> None:
    whole = _end_without(empty, tmp_path, None)
    for at in count(1):
        clock = JumpingClock(START, at, jump)
        with _flow(empty, tmp_path, Faults(), clock) as flow:
            assert flow.run() == []
            assert flow.end() == whole
            ordinals = [row.ordinal for row in flow.store.snapshot(SPACE)[1]]
            flow.check_followers()
        assert ordinals == [1, 2, 3]
        if not clock.jumped:
            break
    assert at >= 10
    figure("a jump of the clock changes no order", f"each of {at - 1} looks, {jump.days:+} days", "0 changed")


def test_the_faults_are_seen(empty: Path, tmp_path: Path) -> None:
    with _flow(empty, tmp_path, Faults(1)) as flow, pytest.raises(StorageError):
        STEPS[0](flow.engine)
