"""Memories held as values: never older than the change log says, and never more than there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aim_memory.storage.recent import RecentMemories
from aim_memory.types import Change, Head, StoredMemory
from tests.rows import START

MEMORY = StoredMemory(
    id="m1", ordinal=1, text="first", summary="", digest="", timestamp=START, created_at=START, updated_at=START,
    session_id=None, speaker=None, role=None, source=None, trust="user", author=None, metadata={}, pinned=False,
    expires_at=None, version=1, evidence_id="", valid_from=START, valid_until=None, superseded_by=None, anchors=(),
    pending=False,
)  # fmt: skip
OTHER = replace(MEMORY, id="m2")
LOG = [Change(seq, "edit", "m1") for seq in range(1, 4)]


def log(after: int) -> Sequence[Change]:
    return [change for change in LOG if change.seq > after]


def at(seq: int, epoch: int = 1) -> Head:
    return Head(epoch, seq, 0)


def recent(room: int = 10_000) -> RecentMemories:
    made = RecentMemories(room)
    made.hold(at(2), {"m1": MEMORY, "m2": OTHER})
    return made


def test_what_has_not_changed_is_held() -> None:
    assert recent().held(at(2), ["m2", "m1", "m3"], log) == {"m1": MEMORY, "m2": OTHER}


def test_what_has_changed_since_is_dropped_and_the_rest_stays() -> None:
    assert recent().held(at(3), ["m1", "m2"], log) == {"m2": OTHER}


def test_nothing_is_held_for_a_place_before() -> None:
    assert recent().held(at(1), ["m2"], log) == {}


def test_what_was_read_before_others_moved_on_is_not_kept() -> None:
    held = recent()
    held.held(at(3), [], log)
    held.hold(at(2), {"m1": MEMORY})
    assert held.held(at(3), ["m1"], log) == {}


def test_a_gap_in_the_log_drops_the_namespace() -> None:
    assert recent().held(at(9), ["m1", "m2"], lambda after: [Change(8, "edit", "m9")]) == {}


def test_namespaces_are_apart_and_forgotten_alone() -> None:
    held = recent()
    held.hold(at(2, epoch=7), {"m1": OTHER})
    held.forget(1)
    assert held.held(at(2), ["m1"], log) == {}
    assert held.held(at(2, epoch=7), ["m1"], log) == {"m1": OTHER}


def test_what_was_not_read_for_longest_makes_room() -> None:
    held = recent(room=3000)
    held.held(at(2), ["m1"], log)
    held.hold(at(2), {"m3": replace(MEMORY, id="m3")})
    assert list(held.held(at(2), ["m1", "m2", "m3"], log)) == ["m1", "m3"]
    held.hold(at(2), {"m4": replace(MEMORY, id="m4", text="long" * 1000)})
    assert held.held(at(2), ["m1", "m3", "m4"], log) == {}


def test_a_reader_s_changes_stay_the_reader_s() -> None:
    held = RecentMemories()
    held.hold(at(2), {"m1": replace(MEMORY, metadata={"tags": ["a"]})})
    held.held(at(2), ["m1"], log)["m1"].metadata["tags"].append("b")
    assert held.held(at(2), ["m1"], log)["m1"].metadata == {"tags": ["a"]}


def test_metadata_takes_room_and_gives_it_back() -> None:
    held = recent(room=5000)
    heavy = replace(MEMORY, id="m3", metadata={"note": "x" * 3500})
    for _ in range(3):
        held.hold(at(2), {"m3": heavy})
    assert set(held.held(at(2), ["m1", "m2", "m3"], log)) == {"m3"}
    held.hold(at(2), {"m3": MEMORY, "m1": MEMORY, "m2": OTHER})
    assert set(held.held(at(2), ["m1", "m2", "m3"], log)) == {"m1", "m2", "m3"}
