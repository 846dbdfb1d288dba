"""The suite of the MemoryStore port: every store and its twin pass it. One promise of the port per test."""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from aim_memory.errors import ConflictError, IdempotencyError, NotFoundError, StorageBusyError, StorageError
from aim_memory.ports import MemoryStore, UnitOfWork
from aim_memory.storage.memory_store import InMemoryStore
from aim_memory.storage.sql_store import SqlStore
from aim_memory.storage.wall import EVERY_TENANT
from aim_memory.types import (
    ApiKey,
    AuditEntry,
    Change,
    Head,
    NewMemory,
    Segment,
    SessionState,
    Space,
    Statement,
    Supersession,
)
from tests import postgres
from tests.memories import (
    ADA,
    BOB,
    GENERATION,
    STRANGER,
    SteppingClock,
    day,
    ids_of,
    lives_in,
    new,
    rich,
    vector_of,
)

HOME = ("ada", "home")
MANY = 1_300  # more than one IN list, more than one page of changes


@dataclass(frozen=True)
class Kind:
    """A kind of store: how one is opened in a folder, whether a second one sees what the first one wrote."""

    open: Callable[..., MemoryStore]
    """(folder, generation=..., busy_timeout_s=...) → a store; the same folder, the same contents."""
    lasting: bool


def _open_sqlite(folder: Path, generation: str | None = GENERATION, busy_timeout_s: float = 10.0) -> MemoryStore:
    url = f"sqlite:///{folder / 'store' / 'aim.db'}"
    return SqlStore(url, SteppingClock(), generation, busy_timeout_s=busy_timeout_s)


def _open_in_memory(folder: Path, generation: str | None = GENERATION, busy_timeout_s: float = 10.0) -> MemoryStore:
    return InMemoryStore(SteppingClock(), generation, busy_timeout_s=busy_timeout_s)


def _open_postgresql(folder: Path, generation: str | None = GENERATION, busy_timeout_s: float = 10.0) -> MemoryStore:
    return SqlStore(postgres.url(folder), SteppingClock(), generation, busy_timeout_s=busy_timeout_s)


KINDS = {
    "sqlite": Kind(_open_sqlite, lasting=True),
    "postgresql": Kind(_open_postgresql, lasting=True),
    "memory": Kind(_open_in_memory, lasting=False),
}
"""A database joins the suite by one more line here."""


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture(params=[name for name, kind in KINDS.items() if kind.lasting])
def lasting(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def store(kind: Kind, tmp_path: Path) -> Iterator[MemoryStore]:
    opened = kind.open(tmp_path)
    yield opened
    opened.close()


def write(store: MemoryStore, *memories: NewMemory, space: Space = ADA) -> Head:
    with store.begin(space) as work:
        work.insert(memories)
        return work.commit()


def delete(store: MemoryStore, *ids: str, space: Space = ADA) -> int:
    with store.begin(space) as work:
        gone = work.delete(ids)
        work.commit()
    return gone


def close(store: MemoryStore, old: NewMemory, closer: NewMemory) -> None:
    """Has ``closer`` end what ``old`` states."""
    with store.begin(ADA) as work:
        ended = [Supersession(old.id, closer.id, stated, closer.timestamp) for stated in old.statements]
        work.supersede(ended)
        work.commit()


def kinds_of(store: MemoryStore, space: Space = ADA, after: int = 0) -> list[tuple[str, str]]:
    return [(change.kind, change.memory_id) for change in store.changes(space, after)]


# --- writing and reading -------------------------------------------------------------------------------------------


def test_a_memory_comes_back_as_it_went_in(store: MemoryStore) -> None:
    given = rich("m")
    write(store, given)
    got = store.get(ADA, ["m"])["m"]
    same = [name for name in asdict(got) if hasattr(given, name)]
    assert {name: getattr(got, name) for name in same} == {name: getattr(given, name) for name in same}
    assert (got.ordinal, got.version, got.pending) == (1, 1, False)
    assert (got.valid_from, got.valid_until, got.superseded_by) == (given.timestamp, None, None)
    assert got.updated_at == given.created_at
    assert got.timestamp.utcoffset() == timedelta(0)


def test_evidence_holds_the_memory_at_its_offsets(store: MemoryStore) -> None:
    given = rich("m")
    write(store, given)
    found = store.evidence(ADA, "m")
    assert found is not None
    original, start, end = found
    assert original[start:end] == given.text
    assert store.evidence(ADA, "nobody") is None


def test_an_index_row_has_everything_but_the_text(store: MemoryStore) -> None:
    given = rich("m")
    write(store, given)
    (row,) = store.index_rows(ADA, ["m"])
    same = ["timestamp", "created_at", "session_id", "speaker", "role", "source", "pinned", "expires_at", "anchors"]
    assert {name: getattr(row, name) for name in same} == {name: getattr(given, name) for name in same}
    assert dict(row.metadata) == given.metadata
    assert (row.ordinal, row.length, row.uses) == (1, len(given.text), 0.0)
    for kept, segment in zip(row.segments, given.segments, strict=True):
        assert (kept.start, kept.end, dict(kept.terms)) == (segment.start, segment.end, dict(segment.terms))
        assert kept.vector is not None
        assert kept.vector.dtype == np.float32
        np.testing.assert_array_equal(kept.vector, segment.vector)


def test_what_is_read_cannot_change_what_is_stored(store: MemoryStore) -> None:
    metadata = {"tags": ["a"]}
    vector = vector_of("x").copy()
    given = new("m", metadata=metadata)
    write(store, replace(given, segments=(replace(given.segments[0], vector=vector),)))
    metadata["tags"].append("changed by the writer")
    vector[:] = 0
    store.get(ADA, ["m"])["m"].metadata["tags"].append("changed by a reader")
    store.index_rows(ADA, ["m"])[0].metadata["tags"].append("changed by a reader")
    assert store.get(ADA, ["m"])["m"].metadata == {"tags": ["a"]}
    kept = store.index_rows(ADA, ["m"])[0].segments[0].vector
    assert kept is not None
    np.testing.assert_array_equal(kept, vector_of("x"))
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 1.0


def test_a_space_that_does_not_exist_reads_as_empty(store: MemoryStore) -> None:
    assert store.head(ADA) is None
    assert list(store.changes(ADA, 0)) == []
    assert list(store.index_rows(ADA, ["m"])) == []
    assert store.snapshot(ADA) == (Head(0, 0, 0), [])
    assert dict(store.get(ADA, ["m"])) == {}
    assert list(store.history(ADA, "m")) == []
    assert store.evidence(ADA, "m") is None
    assert (store.load_session(ADA, "s"), list(store.sessions(ADA)), dict(store.uses(ADA))) == (None, [], {})
    assert not store.delete_session(ADA, "s")


def test_spaces_are_apart(store: MemoryStore) -> None:
    write(store, new("m", "ada's"))
    write(store, new("m", "bob's"), space=BOB)
    write(store, new("m", "a stranger's"), space=STRANGER)
    assert [store.get(space, ["m"])["m"].text for space in (ADA, BOB, STRANGER)] == ["ada's", "bob's", "a stranger's"]
    delete(store, "m", space=BOB)
    assert dict(store.get(BOB, ["m"])) == {}
    assert set(store.get(ADA, ["m"])) == set(store.get(STRANGER, ["m"])) == {"m"}


def test_get_keeps_the_order_of_the_ids(store: MemoryStore) -> None:
    write(store, new("a"), new("b"), new("c"))
    assert list(store.get(ADA, ["c", "nobody", "a"])) == ["c", "a"]


def test_locate_finds_an_id_that_one_namespace_of_the_tenant_has(store: MemoryStore) -> None:
    write(store, new("one"), new("twin"))
    write(store, new("twin"), space=BOB)
    assert store.locate("acme", "one") == ADA
    assert store.locate("acme", "twin") is None
    assert store.locate("acme", "nobody") is None
    assert store.locate("other", "one") is None


# --- the transaction -----------------------------------------------------------------------------------------------


def test_ordinals_and_seq_count_up_in_order(store: MemoryStore) -> None:
    with store.begin(ADA) as work:
        assert (work.head.seq, work.head.ordinal) == (0, 0)
        assert dict(work.insert([new("b"), new("a")])) == {"b": 1, "a": 2}
        assert (work.head.seq, work.head.ordinal) == (2, 2)
        head = work.commit()
    assert store.head(ADA) == head
    assert head.epoch > 0
    assert list(store.changes(ADA, 0)) == [Change(1, "write", "b"), Change(2, "write", "a")]
    delete(store, "a")
    with store.begin(ADA) as work:
        assert dict(work.insert([new("c")])) == {"c": 3}, "an ordinal is never given twice"


def test_a_transaction_sees_its_own_changes_and_others_do_not(store: MemoryStore) -> None:
    write(store, new("old"))
    with store.begin(ADA) as work:
        work.insert([new("fresh")])
        work.delete(["old"])
        assert set(work.existing(["old", "fresh"])) == {"fresh"}
        assert set(store.get(ADA, ["old", "fresh"])) == {"old"}
        work.commit()
    assert set(store.get(ADA, ["old", "fresh"])) == {"fresh"}


def test_leaving_without_commit_rolls_everything_back(store: MemoryStore) -> None:
    before = write(store, lives_in("old", "paris", at=0))
    closer = lives_in("closer", "rome", at=1)
    with store.begin(ADA) as work:
        work.insert([closer])
        work.supersede([Supersession("old", "closer", Statement("ada", "home", "paris"), day(1))])
        work.keep_reply("key", "print", b"reply", day(1))
    with store.begin(ADA) as work:
        assert work.head == before
        assert work.replay("key", "print") is None
    old = store.get(ADA, ["old", "closer"])
    assert list(old) == ["old"]
    assert (old["old"].version, old["old"].superseded_by) == (1, None)
    assert store.head(ADA) == before
    assert len(store.changes(ADA, 0)) == 1


def _insert_and_fail(work: UnitOfWork) -> None:
    work.insert([new("m")])
    raise LookupError("mine")


def test_an_error_inside_rolls_back_and_passes(store: MemoryStore) -> None:
    with pytest.raises(LookupError, match="mine"), store.begin(ADA) as work:
        _insert_and_fail(work)
    assert store.head(ADA) is None
    write(store, new("m"))
    assert set(store.get(ADA, ["m"])) == {"m"}


def test_a_namespace_is_created_by_its_first_commit(store: MemoryStore) -> None:
    with store.begin(ADA):
        pass
    assert store.head(ADA) is None
    with store.begin(ADA) as work:
        work.commit()
    assert store.head(ADA) is not None


def test_an_id_is_taken_once(store: MemoryStore) -> None:
    write(store, new("m", "first"))
    with pytest.raises(ConflictError, match="'m'"), store.begin(ADA) as work:
        work.insert([new("other"), new("m", "second")])
    with pytest.raises(ConflictError, match="'x'"), store.begin(ADA) as work:
        work.insert([new("x"), new("x")])
    assert store.get(ADA, ["m"])["m"].text == "first"
    assert ids_of(store.snapshot(ADA)[1]) == ["m"]


def test_the_same_text_may_be_said_often(store: MemoryStore) -> None:
    write(store, new("a", "ok"), new("b", "ok"))
    delete(store, "a")
    assert store.evidence(ADA, "b") == ("ok", 0, 2)


def test_many_memories_at_once(store: MemoryStore) -> None:
    ids = [f"m{i:05d}" for i in range(MANY)]
    write(store, *(new(memory_id) for memory_id in ids))
    assert list(store.get(ADA, ids)) == ids
    assert ids_of(store.index_rows(ADA, ids[::-1])) == ids, "index rows come in ordinal order"
    assert [change.seq for change in store.changes(ADA, 0)] == list(range(1, 1001)), "a page holds 1000"
    assert [change.seq for change in store.changes(ADA, 1000)] == list(range(1001, MANY + 1))
    assert [change.seq for change in store.changes(ADA, 5, limit=2)] == [6, 7]
    with store.begin(ADA) as work:
        assert len(work.existing(ids)) == MANY
        assert work.delete(ids) == MANY
        work.commit()
    assert store.snapshot(ADA)[1] == []


def test_repeat_of_finds_the_newest_in_the_same_session(store: MemoryStore) -> None:
    again = {"digest": "same", "session_id": "s"}
    write(store, new("old", at=0, **again), new("mid", at=1, **again), new("new", at=2, **again))
    write(store, new("loose", at=2, digest="same"), new("other", at=3, digest="other", session_id="s"))
    with store.begin(ADA) as work:
        assert work.repeat_of("s", "same", day(0)) == "new"
        assert work.repeat_of("s", "same", day(2)) == "new", "at or after"
        assert work.repeat_of("s", "same", day(2.5)) is None
        assert work.repeat_of(None, "same", day(0)) == "loose"
        assert work.repeat_of("t", "same", day(0)) is None


def test_a_writer_that_waits_too_long_is_told_so(kind: Kind, tmp_path: Path) -> None:
    store = kind.open(tmp_path, busy_timeout_s=0.05)

    def second() -> None:
        with store.begin(ADA) as work:
            work.commit()

    with store.begin(ADA) as work, ThreadPoolExecutor(1) as pool:
        with pytest.raises(StorageBusyError) as caught:
            pool.submit(second).result()
        assert caught.value.retryable
        work.insert([new("m")])
        work.commit()
    assert set(store.get(ADA, ["m"])) == {"m"}
    store.close()


def test_what_is_begun_together_is_kept_or_taken_back_one_by_one(store: MemoryStore) -> None:
    with store.together() as begin:
        for name, space in (("a", ADA), ("b", BOB), ("c", ADA)):
            with begin(space) as work:
                work.insert([new(name)])
                work.commit()
        with suppress(LookupError), begin(ADA) as work:
            work.insert([new("lost")])
            raise LookupError
        with begin(BOB) as work:
            work.insert([new("left")])
    assert ids_of(store.snapshot(ADA)[1]) == ["a", "c"]
    assert ids_of(store.snapshot(BOB)[1]) == ["b"]
    assert [change.seq for change in store.changes(ADA, 0)] == [1, 2]


# --- idempotency ---------------------------------------------------------------------------------------------------


def test_a_reply_is_replayed(store: MemoryStore) -> None:
    with store.begin(ADA) as work:
        assert work.replay("key", "print") is None
        work.keep_reply("key", "print", b"\x00reply", day(0))
        assert work.replay("key", "print") == b"\x00reply"
        work.commit()
    with store.begin(BOB) as work:
        assert work.replay("key", "print") == b"\x00reply", "a key belongs to the tenant"
        assert work.replay("other", "print") is None
    with store.begin(STRANGER) as work:
        assert work.replay("key", "anything") is None, "another tenant's key is another key"


def test_a_key_with_another_payload_is_refused(store: MemoryStore) -> None:
    with store.begin(ADA) as work:
        work.keep_reply("key", "print", b"reply", day(0))
        work.commit()
    with pytest.raises(IdempotencyError), store.begin(ADA) as work:
        work.replay("key", "another print")


def test_replies_are_kept_for_a_week(store: MemoryStore) -> None:
    for number in (0, 6.9, 7.1):
        with store.begin(ADA) as work:
            work.keep_reply(f"key {number}", "print", b"reply", day(number))
            work.commit()
    with store.begin(ADA) as work:
        kept = [work.replay(f"key {number}", "print") for number in (0, 6.9, 7.1)]
    assert kept == [None, b"reply", b"reply"]


# --- statements and supersession -----------------------------------------------------------------------------------


def test_statements_come_by_event_time_then_ordinal(store: MemoryStore) -> None:
    write(store, lives_in("late", "oslo", at=5), lives_in("early", "rome", at=1), lives_in("tie", "bonn", at=5))
    write(store, lives_in("bob", "kyiv", at=0, who="bob"), new("nothing stated"))
    with store.begin(ADA) as work:
        found = work.statements([HOME, HOME, ("nobody", "home")])
        assert [made.memory_id for made in found] == ["early", "late", "tie"]
        assert found[0].statement == Statement("ada", "home", "rome")
        assert (found[0].event_time, found[0].ordinal, found[0].closed_by) == (day(1), 2, None)
        assert [made.memory_id for made in work.statements([HOME, ("bob", "home")])] == ["bob", "early", "late", "tie"]


def test_a_superseded_memory_says_by_whom_and_since_when(store: MemoryStore) -> None:
    old, closer = lives_in("old", "paris", at=0), lives_in("new", "rome", at=3)
    write(store, old, closer)
    close(store, old, closer)
    got = store.get(ADA, ["old", "new"])
    assert (got["old"].superseded_by, got["old"].valid_until, got["old"].version) == ("new", day(3), 2)
    assert got["new"].superseded_by is None
    assert kinds_of(store, after=2) == [("supersede", "old")]
    first, second = store.history(ADA, "old")
    assert (first.version, first.kind, first.by, first.text) == (1, "write", None, "ada lives in paris")
    assert (second.version, second.kind, second.by, second.at) == (2, "supersede", "new", day(3))
    with store.begin(ADA) as work:
        assert [made.closed_by for made in work.statements([HOME])] == ["new", None]
    (row,) = store.index_rows(ADA, ["old"])
    assert (row.superseded_by, row.valid_until, row.valid_from) == ("new", day(3), day(0))


def test_a_memory_stays_valid_while_one_statement_is_open(store: MemoryStore) -> None:
    home, work_at = Statement("ada", "home", "paris"), Statement("ada", "employer", "acme")
    write(store, new("old", statements=(home, work_at)), new("b", at=2), new("c", at=1))
    with store.begin(ADA) as work:
        work.supersede([Supersession("old", "b", home, day(2))])
        work.commit()
    assert store.get(ADA, ["old"])["old"].superseded_by is None
    assert kinds_of(store, after=3) == [], "nothing visible changed"
    with store.begin(ADA) as work:
        work.supersede([Supersession("old", "c", work_at, day(1))])
        work.commit()
    old = store.get(ADA, ["old"])["old"]
    assert (old.superseded_by, old.valid_until) == ("b", day(2)), "by the newest closer"


def test_superseding_again_alike_changes_nothing(store: MemoryStore) -> None:
    old, closer = lives_in("old", "paris", at=0), lives_in("new", "rome", at=3)
    write(store, old, closer)
    close(store, old, closer)
    head = store.head(ADA)
    close(store, old, closer)
    assert store.head(ADA) == head
    assert len(store.history(ADA, "old")) == 2


def test_a_closing_may_be_moved_to_another(store: MemoryStore) -> None:
    old, late, between = lives_in("a", "paris", at=0), lives_in("c", "oslo", at=5), lives_in("b", "rome", at=2)
    write(store, old, late, between)
    close(store, old, late)
    close(store, old, between)
    kept = store.get(ADA, ["a"])["a"]
    assert (kept.superseded_by, kept.valid_until, kept.version) == ("b", day(2), 3)


def test_only_what_exists_supersedes(store: MemoryStore) -> None:
    old = lives_in("old", "paris", at=0)
    write(store, old)
    with pytest.raises(NotFoundError, match="ghost"), store.begin(ADA) as work:
        work.supersede([Supersession("old", "ghost", old.statements[0], day(1))])
    assert store.get(ADA, ["old"])["old"].superseded_by is None


def test_deleting_the_closer_reopens(store: MemoryStore) -> None:
    old, closer = lives_in("old", "paris", at=0), lives_in("new", "rome", at=3)
    write(store, old, closer)
    close(store, old, closer)
    delete(store, "new")
    kept = store.get(ADA, ["old"])["old"]
    assert (kept.superseded_by, kept.valid_until) == (None, None)
    assert kinds_of(store, after=3) == [("reopen", "old"), ("delete", "new")]
    assert [version.kind for version in store.history(ADA, "old")] == ["write", "supersede", "reopen"]
    assert store.history(ADA, "old")[1].by == "new"
    with store.begin(ADA) as work:
        assert [made.closed_by for made in work.statements([HOME])] == [None]


def test_deleting_the_middle_of_a_chain_hands_over(store: MemoryStore) -> None:
    paris, rome, oslo = (lives_in(city, city, at=at) for at, city in enumerate(["paris", "rome", "oslo"]))
    write(store, paris, rome, oslo)
    close(store, paris, rome)
    close(store, rome, oslo)
    delete(store, "rome")
    kept = store.get(ADA, ["paris"])["paris"]
    assert (kept.superseded_by, kept.valid_until) == ("oslo", day(2))
    assert kinds_of(store, after=5) == [("supersede", "paris"), ("delete", "rome")]
    delete(store, "oslo")
    assert store.get(ADA, ["paris"])["paris"].superseded_by is None


def test_editing_the_middle_of_a_chain_hands_over(store: MemoryStore) -> None:
    paris, rome, oslo = (lives_in(city, city, at=at) for at, city in enumerate(["paris", "rome", "oslo"]))
    write(store, paris, rome, oslo)
    close(store, paris, rome)
    close(store, rome, oslo)
    with store.begin(ADA) as work:
        work.update(new("rome", "ada likes rome", at=1), day(9))
        work.commit()
    assert store.get(ADA, ["paris"])["paris"].superseded_by == "oslo"
    assert store.history(ADA, "paris")[-1].at == day(9)


def test_nothing_is_handed_to_who_says_the_same(store: MemoryStore) -> None:
    before, between, again = lives_in("a", "paris", at=0), lives_in("b", "rome", at=1), lives_in("c", "paris", at=2)
    write(store, before, between, again)
    close(store, before, between)
    close(store, between, again)
    delete(store, "b")
    assert store.get(ADA, ["a"])["a"].superseded_by is None


def test_deleting_both_reopens_nothing(store: MemoryStore) -> None:
    old, closer = lives_in("old", "paris", at=0), lives_in("new", "rome", at=3)
    write(store, old, closer)
    close(store, old, closer)
    delete(store, "new", "old")
    assert kinds_of(store, after=3) == [("delete", "new"), ("delete", "old")]


def test_editing_the_closer_reopens_and_withdraws_what_it_said(store: MemoryStore) -> None:
    old, closer = lives_in("old", "paris", at=0), lives_in("new", "rome", at=3)
    write(store, old, closer)
    close(store, old, closer)
    with store.begin(ADA) as work:
        work.update(new("new", "ada likes rome", at=3), day(4))
        work.commit()
    assert store.get(ADA, ["old"])["old"].superseded_by is None
    assert kinds_of(store, after=3) == [("reopen", "old"), ("edit", "new")]
    assert store.history(ADA, "old")[-1].at == day(4)
    with store.begin(ADA) as work:
        assert [made.memory_id for made in work.statements([HOME])] == ["old"]


def test_editing_a_superseded_memory_opens_it(store: MemoryStore) -> None:
    old, closer = lives_in("old", "paris", at=0), lives_in("new", "rome", at=3)
    write(store, old, closer)
    close(store, old, closer)
    with store.begin(ADA) as work:
        work.update(lives_in("old", "lyon", at=0), day(4))
        work.commit()
    kept = store.get(ADA, ["old"])["old"]
    assert (kept.superseded_by, kept.valid_until, kept.text) == (None, None, "ada lives in lyon")


def test_an_edit_that_says_the_same_leaves_supersession_alone(store: MemoryStore) -> None:
    old, closer = lives_in("old", "paris", at=0), lives_in("new", "rome", at=3)
    write(store, old, closer)
    close(store, old, closer)
    with store.begin(ADA) as work:
        work.update(replace(old, pinned=True), day(4))
        work.update(replace(closer, metadata={"checked": True}), day(4))
        work.commit()
    assert store.get(ADA, ["old"])["old"].superseded_by == "new"
    assert kinds_of(store, after=3) == [("pin", "old"), ("edit", "new")]


# --- edits and history ---------------------------------------------------------------------------------------------


def test_an_edit_replaces_content_and_keeps_age(store: MemoryStore) -> None:
    write(store, rich("m"), new("later"))
    edited = replace(new("m", "short now", at=9), summary="s", created_at=day(50), metadata={"k": 1})
    with store.begin(ADA) as work:
        returned = work.update(edited, day(10))
        work.commit()
    got = store.get(ADA, ["m"])["m"]
    assert returned == got
    assert (got.text, got.summary, got.metadata, got.pinned) == ("short now", "s", {"k": 1}, False)
    assert (got.ordinal, got.created_at, got.updated_at, got.version) == (1, day(0), day(10), 2)
    assert (got.timestamp, got.valid_from, got.anchors) == (day(9), day(9), ())
    (row,) = store.index_rows(ADA, ["m"])
    assert [dict(segment.terms) for segment in row.segments] == [{"short": 1, "now": 1}]
    assert kinds_of(store, after=2) == [("edit", "m")]


def test_history_is_newest_last_and_keeps_every_text(store: MemoryStore) -> None:
    write(store, new("m", "one"))
    for number, text in enumerate(["two", "three"], 1):
        with store.begin(ADA) as work:
            work.update(new("m", text), day(number))
            work.commit()
    versions = store.history(ADA, "m")
    assert [(v.version, v.kind, v.text, v.at) for v in versions] == [
        (1, "write", "one", day(0)),
        (2, "edit", "two", day(1)),
        (3, "edit", "three", day(2)),
    ]


def test_pinning_alone_is_a_change_of_its_own_kind(store: MemoryStore) -> None:
    given = new("m")
    write(store, given)
    with store.begin(ADA) as work:
        assert work.update(replace(given, pinned=True), day(1)).pinned
        work.commit()
    assert kinds_of(store, after=1) == [("pin", "m")]
    assert store.index_rows(ADA, ["m"])[0].pinned


def test_only_what_exists_is_edited(store: MemoryStore) -> None:
    with pytest.raises(NotFoundError, match="ghost"), store.begin(ADA) as work:
        work.update(new("ghost"), day(1))


# --- deleting and erasing ------------------------------------------------------------------------------------------


def test_a_deleted_memory_leaves_an_id_in_the_log_and_nothing_else(store: MemoryStore) -> None:
    write(store, rich("m"), new("other"))
    with store.begin(ADA) as work:
        work.update(replace(rich("m"), text="edited"), day(1))
        work.commit()
    store.reinforce(ADA, {"m": 1.0})
    assert delete(store, "m", "ghost", "m") == 1
    assert dict(store.get(ADA, ["m"])) == {}
    assert list(store.history(ADA, "m")) == []
    assert store.evidence(ADA, "m") is None
    assert dict(store.uses(ADA)) == {}
    assert ids_of(store.snapshot(ADA)[1]) == ["other"]
    assert kinds_of(store, after=3) == [("delete", "m")]
    with store.begin(ADA) as work:
        assert work.statements([("zoë", "employer")]) == []
        assert work.delete(["m"]) == 0


def test_an_id_may_be_used_again_after_it_was_deleted(store: MemoryStore) -> None:
    write(store, new("m", "first life"))
    delete(store, "m")
    write(store, new("m", "second life"))
    assert store.get(ADA, ["m"])["m"].version == 1
    assert [version.text for version in store.history(ADA, "m")] == ["second life"]


def test_erasing_takes_everything_and_says_what(store: MemoryStore) -> None:
    old, closer = lives_in("old", "paris", at=0), lives_in("new", "rome", at=3)
    write(store, old, closer, new("long", "a text that is long enough to be cut into two segments"))
    close(store, old, closer)
    store.save_session(ADA, "s", SessionState(turns=1, recent=("where does ada live?",)))
    store.reinforce(ADA, {"new": 2.0})
    with store.begin(ADA) as work:
        work.keep_reply("key", "print", b"reply", day(0))
        work.commit()
    assert dict(store.erase(ADA)) == {
        "memories": 3,
        "segments": 4,
        "statements": 2,
        "derivations": 0,
        "versions": 1,
        "evidence": 3,
        "uses": 1,
        "sessions": 1,
        "changes": 4,
        "idempotency": 1,
    }
    assert store.head(ADA) is None
    assert store.snapshot(ADA)[1] == []
    assert list(store.sessions(ADA)) == []
    assert list(store.changes(ADA, 0)) == []
    assert list(store.namespaces("acme")) == []
    with store.begin(ADA) as work:
        assert work.replay("key", "print") is None


def _canaries() -> dict[str, bytes]:
    """What a memory and a session leave on a disk: text, escaped text, compressed text, terms and vectors."""
    texts = ["canary-text", "canary-summary", "canary-metadata-你", "canary-question", "canary-name", "canary-id"]
    written = {text: text.encode() for text in texts}
    escaped = {f"{text} escaped": json.dumps(text)[1:-1].encode() for text in texts}
    vector = vector_of("canary-vector").tobytes()
    return written | escaped | {"vector": vector, "evidence": zlib.compress(b"canary-text alone")}


def _found_in(folder: Path) -> set[str]:
    bodies = [file.read_bytes() for file in folder.rglob("*") if file.is_file()]
    return {name for name, canary in _canaries().items() if any(canary in body for body in bodies)}


def test_erased_bytes_are_gone_from_sqlite_s_files(tmp_path: Path) -> None:
    store, space = _open_sqlite(tmp_path), Space("acme", "canary-name")
    said = replace(
        new("canary-id", "canary-text alone", summary="canary-summary", metadata={"k": "canary-metadata-你"}),
        segments=(Segment(0, 11, {"canary-text": 1}, vector_of("canary-vector")),),
    )
    for _ in range(20):  # enough for pages to be split and freed
        write(store, said, *(new(f"m{i}", f"filler {i} " * 50) for i in range(50)), space=space)
        delete(store, "canary-id", *(f"m{i}" for i in range(50)), space=space)
    assert _found_in(tmp_path) <= {"canary-name", "canary-id", "canary-name escaped", "canary-id escaped"}
    write(store, said, space=space)
    store.save_session(space, "s", SessionState(turns=1, recent=("canary-question",)))
    assert len(_found_in(tmp_path)) >= 12, "the canaries sing"
    store.erase(space)
    assert _found_in(tmp_path) == set()
    store.close()
    assert _found_in(tmp_path) == set()


def test_an_erased_namespace_comes_back_as_another(store: MemoryStore) -> None:
    before = write(store, new("m"))
    write(store, new("m"), space=BOB)
    store.erase(ADA)
    after = write(store, new("n"))
    assert after.epoch > before.epoch
    assert ids_of(store.snapshot(ADA)[1]) == ["n"]
    assert ids_of(store.snapshot(BOB)[1]) == ["m"]


def test_only_what_exists_is_erased(store: MemoryStore) -> None:
    with pytest.raises(NotFoundError, match="user/ada"):
        store.erase(ADA)


# --- following -----------------------------------------------------------------------------------------------------


def test_a_snapshot_is_all_rows_in_order_with_their_head(store: MemoryStore) -> None:
    write(store, new("b", at=5), new("a", at=1))
    delete(store, "b")
    head = write(store, new("c", at=0))
    found, rows = store.snapshot(ADA)
    assert found == head
    assert ids_of(rows) == ["a", "c"]
    assert [row.ordinal for row in rows] == [2, 3]


def test_memories_are_found_by_their_words_without_an_index(store: MemoryStore) -> None:
    write(store, new("a", "red kettle"), new("b", "red harbour kettle"), new("c", "blue"))
    write(store, new("d", "50%_off \\ kettle"))
    write(store, new("e", "red kettle harbour"), space=BOB)
    assert list(store.matching(ADA, ["red", "kettle", "harbour"], 10)) == ["b", "a", "d"]
    assert list(store.matching(ADA, ["red", "kettle"], 2)) == ["b", "a"], "the greatest id first"
    assert list(store.matching(ADA, ["50%_off", "\\"], 10)) == ["d"]
    assert list(store.matching(ADA, ["%", "_", "kettl", '"'], 10)) == [], "whole words"
    assert list(store.matching(ADA, [], 10)) == []
    assert list(store.matching(STRANGER, ["red"], 10)) == []


def test_concurrent_committers_leave_a_gapless_log_in_commit_order(store: MemoryStore) -> None:
    writers, rounds = 8, 12
    acknowledged: list[tuple[int, str]] = []
    seen: list[Change] = []
    done = threading.Event()

    def commit(writer: int) -> None:
        for number in range(rounds):
            memory_id = f"{writer}-{number}"
            with store.begin(ADA) as work:
                work.insert([new(memory_id)])
                seq = work.commit().seq
            acknowledged.append((seq, memory_id))

    def follow() -> None:
        while not done.is_set() or len(seen) < len(acknowledged):
            seen.extend(store.changes(ADA, seen[-1].seq if seen else 0, limit=7))

    with ThreadPoolExecutor(writers + 1) as pool:
        follower = pool.submit(follow)
        for each in [pool.submit(commit, writer) for writer in range(writers)]:
            each.result()
        done.set()
        follower.result()
    expected = [Change(seq, "write", memory_id) for seq, memory_id in sorted(acknowledged)]
    assert [change.seq for change in expected] == list(range(1, writers * rounds + 1))
    assert seen == expected, "a follower that asks for what is after its last seq misses nothing"


# --- embedding -----------------------------------------------------------------------------------------------------


def test_a_pending_memory_waits_for_its_vectors(store: MemoryStore) -> None:
    long = "a text that is long enough to be cut into two segments"
    write(store, new("late", at=2, embedded=False), new("early", long, at=1, embedded=False), new("done"))
    assert list(store.pending(10)) == [(ADA, "early"), (ADA, "late")]
    assert list(store.pending(1)) == [(ADA, "early")]
    assert store.get(ADA, ["early"])["early"].pending
    assert [segment.vector for segment in store.index_rows(ADA, ["early"])[0].segments] == [None, None]
    vectors = np.stack([vector_of("x"), vector_of("y")])
    with store.begin(ADA) as work:
        work.embed("early", vectors, GENERATION)
        work.commit()
    assert list(store.pending(10)) == [(ADA, "late")]
    kept = store.get(ADA, ["early"])["early"]
    assert (kept.pending, kept.version) == (False, 1)
    np.testing.assert_array_equal(
        np.stack([segment.vector for segment in store.index_rows(ADA, ["early"])[0].segments]), vectors
    )
    assert kinds_of(store, after=3) == [("embed", "early")]


def test_vectors_have_to_fit(store: MemoryStore) -> None:
    write(store, new("m", embedded=False))
    with pytest.raises(ConflictError, match="2 vectors"), store.begin(ADA) as work:
        work.embed("m", np.stack([vector_of("x"), vector_of("y")]), GENERATION)
    with pytest.raises(NotFoundError, match="ghost"), store.begin(ADA) as work:
        work.embed("ghost", np.stack([vector_of("x")]), GENERATION)


def test_token_signs_go_with_the_vectors(store: MemoryStore) -> None:
    signs = np.array([[1], [255], [0]], np.uint8)
    told = replace(new("m").segments[0], tokens=signs)
    write(store, new("told", segments=(told,)), new("silent"), new("late", embedded=False))
    write(store, new("foreign", segments=(told,), generation="another"))
    with store.begin(ADA) as work:
        work.embed("late", vector_of("x")[None, :], GENERATION, [signs[:2]])
        work.commit()
    told_row, silent, late, foreign = store.index_rows(ADA, ["told", "silent", "late", "foreign"])
    np.testing.assert_array_equal(told_row.segments[0].tokens, signs)
    assert silent.segments[0].tokens is None
    np.testing.assert_array_equal(late.segments[0].tokens, signs[:2])
    assert (foreign.segments[0].vector, foreign.segments[0].tokens) == (None, None)
    kept = late.segments[0].tokens
    assert kept is not None
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 9


def test_memories_are_listed_page_by_page_as_they_were_written(store: MemoryStore) -> None:
    write(store, *(new(f"m{9 - number}") for number in range(9)), new("brief", expires_at=day(2)), new("last"))
    assert store.page(ADA, -1, 4, day(1)) == ["m9", "m8", "m7", "m6"]
    fourth = store.get(ADA, ["m6"])["m6"].ordinal
    assert store.page(ADA, fourth, 99, day(1)) == ["m5", "m4", "m3", "m2", "m1", "brief", "last"]
    assert store.page(ADA, fourth, 99, day(2))[-2:] == ["m1", "last"]
    assert store.page(BOB, -1, 9, day(1)) == store.page(STRANGER, -1, 9, day(1)) == []


def test_token_signs_are_read_by_themselves(store: MemoryStore) -> None:
    long, signs = (
        new("long", "a text that is long enough to be cut into two segments"),
        np.array([[1], [255]], np.uint8),
    )
    one, two = long.segments
    write(store, replace(long, segments=(replace(one, tokens=signs), replace(two, tokens=signs[:1]))), new("silent"))
    write(store, replace(new("foreign", generation="another"), segments=(replace(one, tokens=signs),)))
    assert all(segment.tokens is None for row in store.snapshot(ADA)[1] for segment in row.segments)
    read = store.signs(ADA, ["foreign", "ghost", "silent", "long"])
    assert [own.tolist() for own in read.pop("long")] == [[[1], [255]], [[1]]]
    assert not read
    assert not store.signs(BOB, ["long"])
    assert not store.signs(STRANGER, ["long"])


def test_token_signs_are_those_of_the_present_text(store: MemoryStore) -> None:
    def signed(sign: int) -> NewMemory:
        own = new("m", f"text {sign}")
        return replace(own, segments=(replace(own.segments[0], tokens=np.array([[sign]], np.uint8)),))

    write(store, signed(1))
    with store.begin(ADA) as work:
        work.update(signed(2), day(1))
        work.commit()
    assert [own.tolist() for own in store.signs(ADA, ["m"])["m"]] == [[[2]]]
    with store.begin(ADA) as work:
        work.update(new("m", "text 3", embedded=False), day(2))
        work.commit()
    assert not store.signs(ADA, ["m"])
    delete(store, "m")
    assert not store.signs(ADA, ["m"])


def test_token_signs_are_those_of_the_generation_in_use(store: MemoryStore) -> None:
    told = replace(new("m").segments[0], tokens=np.array([[1]], np.uint8))
    write(store, new("m", segments=(told,)), new("other", segments=(told,)))
    with store.begin(ADA) as work:
        work.embed("m", vector_of("x")[None, :], "another", [np.array([[2]], np.uint8)])
        work.commit()
    for generation, seen in ((GENERATION, {"m": 1, "other": 1}), ("another", {"m": 2}), (None, {})):
        store.use(generation)
        signs = store.signs(ADA, ["m", "other"])
        assert {memory_id: own.tolist() for memory_id, (own,) in signs.items()} == {
            memory_id: [[sign]] for memory_id, sign in seen.items()
        }


def test_many_token_signs_are_read_at_once(store: MemoryStore) -> None:
    own = new("m").segments[0]
    ids = [f"m{number}" for number in range(MANY)]
    write(store, *(replace(new(id_), segments=(replace(own, tokens=np.array([[1]], np.uint8)),)) for id_ in ids))
    assert store.signs(ADA, ids).keys() == set(ids)


def test_vectors_of_another_generation_are_left_out_and_waited_for(store: MemoryStore) -> None:
    write(store, new("ours", at=1), new("theirs", generation="another"))
    ours, theirs = store.snapshot(ADA)[1]
    assert ours.segments[0].vector is not None
    assert theirs.segments[0].vector is None
    assert dict(theirs.segments[0].terms) == {"text": 1, "of": 1, "theirs": 1}
    assert store.get(ADA, ["theirs"])["theirs"].pending
    assert list(store.pending(10)) == [(ADA, "theirs")]


# --- jobs and listing ----------------------------------------------------------------------------------------------


def test_expired_memories_are_found_over_all_tenants(store: MemoryStore) -> None:
    write(store, new("b", expires_at=day(2)), new("a", expires_at=day(1)), new("never"))
    write(store, new("c", expires_at=day(3)), space=STRANGER)
    assert list(store.expired(day(2), 10)) == [(ADA, "a"), (ADA, "b")], "at or before"
    assert list(store.expired(day(9), 10)) == [(ADA, "a"), (ADA, "b"), (STRANGER, "c")]
    assert list(store.expired(day(9), 1)) == [(ADA, "a")]


def test_namespaces_are_listed_by_name(store: MemoryStore) -> None:
    heads = {name: write(store, new("x"), new("y"), space=Space("acme", name)) for name in ("b", "a", "Ω", "c")}
    write(store, new("x"), space=STRANGER)
    assert list(store.namespaces("acme")) == [(name, heads[name], 2) for name in ("a", "b", "c", "Ω")]
    assert [name for name, *_ in store.namespaces("acme", after="a", limit=2)] == ["b", "c"]
    assert list(store.namespaces("nobody")) == []


# --- sessions and uses ---------------------------------------------------------------------------------------------


def test_a_session_comes_back_as_it_went_in(store: MemoryStore) -> None:
    write(store, new("m"))
    state = SessionState(2, vector_of("d"), vector_of("e"), ("first?", "第二？"), day(1))
    assert store.save_session(ADA, "s", state)
    got = store.load_session(ADA, "s")
    assert got is not None
    assert (got.turns, got.recent, got.updated_at) == (2, ("first?", "第二？"), day(1))
    np.testing.assert_array_equal(got.direction, state.direction)
    np.testing.assert_array_equal(got.drift, state.drift)
    assert store.load_session(BOB, "s") is None
    assert store.head(ADA).seq == 1, "outside seq"


def test_the_newest_turn_wins(store: MemoryStore) -> None:
    write(store, new("m"))
    assert store.save_session(ADA, "s", SessionState(turns=3, recent=("third",)))
    assert not store.save_session(ADA, "s", SessionState(turns=2, recent=("second",)))
    assert store.load_session(ADA, "s") == SessionState(turns=3, recent=("third",))
    assert store.save_session(ADA, "s", SessionState(turns=3, recent=("third, again",)))
    assert store.load_session(ADA, "s") == SessionState(turns=3, recent=("third, again",))


def test_a_session_that_was_stored_and_reset_is_not_brought_back(store: MemoryStore) -> None:
    write(store, new("m"))
    store.save_session(ADA, "s", SessionState(turns=1))
    stored = store.load_session(ADA, "s")
    assert stored is not None
    assert store.save_session(ADA, "s", replace(stored, turns=2))
    assert not store.save_session(ADA, "s", stored), "the newest turn wins"
    store.delete_session(ADA, "s")
    assert not store.save_session(ADA, "s", replace(stored, turns=3))
    assert store.load_session(ADA, "s") is None
    assert store.save_session(ADA, "s", SessionState(turns=1)), "begun anew"


def test_a_session_creates_no_namespace(store: MemoryStore) -> None:
    assert not store.save_session(ADA, "s", SessionState(turns=1))
    assert store.head(ADA) is None
    assert store.load_session(ADA, "s") is None


def test_a_session_of_an_erased_namespace_is_not_its_successor_s(store: MemoryStore) -> None:
    write(store, new("a"))
    store.save_session(ADA, "s", SessionState(turns=1))
    begun = store.load_session(ADA, "s")
    store.erase(ADA)
    write(store, new("b"))
    assert not store.save_session(ADA, "s", begun)
    assert store.load_session(ADA, "s") is None
    assert store.save_session(ADA, "s", SessionState(turns=1, epoch=store.head(ADA).epoch))
    assert store.load_session(ADA, "s").epoch == store.head(ADA).epoch


def test_sessions_are_listed_latest_first_and_deleted(store: MemoryStore) -> None:
    write(store, new("m"))
    for name, number in (("a", 1), ("b", 3), ("c", 2)):
        store.save_session(ADA, name, SessionState(turns=1, updated_at=day(number)))
    assert [name for name, _ in store.sessions(ADA)] == ["b", "c", "a"]
    assert [name for name, _ in store.sessions(ADA, limit=1)] == ["b"]
    assert store.delete_session(ADA, "b")
    assert not store.delete_session(ADA, "b")
    assert [name for name, _ in store.sessions(ADA)] == ["c", "a"]


def test_uses_add_up_outside_seq(store: MemoryStore) -> None:
    head = write(store, new("a"), new("b"), new("c"))
    store.reinforce(ADA, {"a": 1.0, "b": -0.5, "ghost": 9.0})
    store.reinforce(ADA, {"a": 0.5, "b": 0.5})
    store.reinforce(BOB, {"a": 1.0})
    assert dict(store.uses(ADA)) == {"a": 1.5}
    assert dict(store.uses(BOB)) == {}
    assert [row.uses for row in store.snapshot(ADA)[1]] == [1.5, 0.0, 0.0]
    assert store.head(ADA) == head


# --- keys ----------------------------------------------------------------------------------------------------------


def test_keys_are_found_by_their_hash_and_revoked_once(store: MemoryStore) -> None:
    key = ApiKey("k1", "acme", "laptop", "admin", day(1), expires_at=day(30))
    store.add_key(key, "hash-1")
    store.add_key(ApiKey("k2", "other", "phone", "reader", day(0)), "hash-2")
    assert store.find_key("hash-1") == key
    assert store.find_key("hash-3") is None
    assert ids_of(store.keys()) == ["k2", "k1"]
    assert ids_of(store.keys("acme")) == ["k1"]
    assert store.revoke_key("k1", day(2))
    assert not store.revoke_key("k1", day(3))
    assert not store.revoke_key("ghost", day(3))
    assert store.find_key("hash-1") == replace(key, revoked_at=day(2))
    with pytest.raises(StorageError):
        store.add_key(key, "hash-4")


# --- the whole -----------------------------------------------------------------------------------------------------


def test_check_counts(store: MemoryStore) -> None:
    write(store, new("a"), new("b"))
    found = store.check()
    assert (found["namespaces"], found["memories"]) == (1, 2)


def test_everything_committed_outlives_the_store(lasting: Kind, tmp_path: Path) -> None:
    first = lasting.open(tmp_path)
    head = write(first, rich("m"))
    first.save_session(ADA, "s", SessionState(turns=1, recent=("q",)))
    first.reinforce(ADA, {"m": 1.0})
    before = first.get(ADA, ["m"]), first.load_session(ADA, "s"), first.uses(ADA)
    first.close()
    second = lasting.open(tmp_path)
    assert second.head(ADA) == head
    assert (second.get(ADA, ["m"]), second.load_session(ADA, "s"), second.uses(ADA)) == before
    second.close()


def test_a_change_of_embedder_makes_everything_pending(lasting: Kind, tmp_path: Path) -> None:
    first = lasting.open(tmp_path)
    write(first, new("m"))
    first.close()
    second = lasting.open(tmp_path, generation="another")
    assert list(second.pending(10)) == [(ADA, "m")]
    assert second.snapshot(ADA)[1][0].segments[0].vector is None
    with second.begin(ADA) as work:
        work.embed("m", np.stack([vector_of("x")]), "another")
        work.commit()
    assert list(second.pending(10)) == []
    second.close()
    bare = lasting.open(tmp_path, generation=None)
    assert list(bare.pending(10)) == []
    assert not bare.get(ADA, ["m"])["m"].pending
    assert bare.snapshot(ADA)[1][0].segments[0].vector is None
    bare.close()


# --- administration ------------------------------------------------------------------------------------------------


def test_the_audit_log_is_read_backwards_by_tenant_and_by_page(store: MemoryStore) -> None:
    for number in range(5):
        tenant = "acme" if number % 2 == 0 else "other"
        store.note(AuditEntry(day(number), tenant, "k", "key", "erase", f"t{number}", "ok"))
    assert [entry.target for entry in store.noted()] == ["t4", "t3", "t2", "t1", "t0"]
    first = store.noted("acme", limit=2)
    assert [entry.target for entry in first] == ["t4", "t2"]
    assert [entry.target for entry in store.noted("acme", before=first[-1].id)] == ["t0"]
    assert replace(first[0], id=0) == AuditEntry(day(4), "acme", "k", "key", "erase", "t4", "ok")


@pytest.mark.parametrize("statement", ["UPDATE audit SET outcome = 'ok'", "DELETE FROM audit"])
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_the_audit_log_cannot_be_changed(database: str, statement: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'aim.db'}" if database == "sqlite" else postgres.url(tmp_path)
    opened = SqlStore(url, SteppingClock(), GENERATION)
    opened.note(AuditEntry(day(0), "acme", "k", "key", "erase", None, "denied"))
    with opened._database.writing(EVERY_TENANT) as connection, pytest.raises(StorageError, match="only be added to"):
        connection.exec_driver_sql(statement)
    assert len(opened.noted()) == 1
    opened.close()


def test_amounts_are_of_a_tenant_or_of_a_namespace(store: MemoryStore) -> None:
    write(store, new("a"), new("b"))
    write(store, new("c"), space=BOB)
    write(store, new("d"), space=STRANGER)
    store.save_session(ADA, "s", SessionState(turns=1))
    whole, one, none = store.amounts("acme"), store.amounts("acme", ADA.namespace), store.amounts("acme", "nowhere")
    assert (whole["namespaces"], whole["memories"], whole["sessions"], whole["changes"]) == (2, 3, 1, 3)
    assert (one["namespaces"], one["memories"], one["sessions"]) == (1, 2, 1)
    assert set(none.values()) == {0}
    assert set(whole) == {"namespaces", *store.erase(ADA)}
