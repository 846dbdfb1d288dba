"""Conversations in and out: broken lines harm no other, the same file twice adds nothing, an export reads back."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim_memory.bodies import MemoryItem, MemoryView, WriteReply, WriteResult
from aim_memory.errors import ConflictError, InvalidInputError, OverloadedError
from aim_memory.transfer import (
    BATCH_BYTES,
    BATCH_ITEMS,
    LINE_BYTES,
    WAITING_ITEMS,
    Entry,
    Problem,
    Report,
    export_line,
    import_entries,
    read_entries,
)

NOON = datetime(2025, 5, 1, 12, tzinfo=UTC)


class Store:
    """Keeps what is written by namespace and id. Refuses texts that say so, as the service would."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, MemoryItem]] = defaultdict(dict)
        self.batches: list[tuple[str, int]] = []

    def write(self, *, namespace: str, memories: list[MemoryItem]) -> WriteReply:
        self.batches.append((namespace, len(memories)))
        if any(item.text == "down" for item in memories):
            raise OverloadedError
        if all(item.text == "bad" for item in memories):
            raise InvalidInputError("text is bad.")
        if any(self._other(namespace, item) for item in memories):
            raise ConflictError("that id has other content.")
        return WriteReply(results=[self._take(namespace, item) for item in memories], seq=1)

    def _other(self, namespace: str, item: MemoryItem) -> bool:
        return self.kept[namespace].get(str(item.id), item) != item

    def _take(self, namespace: str, item: MemoryItem) -> WriteResult:
        if item.text == "bad":
            return WriteResult(id=str(item.id), status="rejected", reason="text is bad.")
        status = "unchanged" if str(item.id) in self.kept[namespace] else "created"
        self.kept[namespace][str(item.id)] = item
        return WriteResult(id=str(item.id), status=status)  # type: ignore[arg-type]


def load(text: str | bytes, store: Store, namespace: str | None = "n") -> Report:
    content = text if isinstance(text, bytes) else text.encode()
    return import_entries(read_entries(io.BytesIO(content), namespace), store)


def lines(*items: object) -> str:
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items)


def test_a_line_becomes_a_memory_with_all_that_it_says() -> None:
    store = Store()
    fields = {"id": "t1", "text": "你好", "session": "s", "speaker": "Ada", "role": "user", "metadata": {"a": 1}}
    load(lines({**fields, "namespace": "elsewhere", "timestamp": "2025-05-01T12:00:00"}), store, namespace=None)
    assert store.kept["elsewhere"]["t1"] == MemoryItem(
        id="t1",
        text="你好",
        session_id="s",
        speaker="Ada",
        role="user",
        metadata={"a": 1},
        timestamp=NOON,
        source="import",
    )


def test_the_same_file_twice_adds_nothing_even_without_ids() -> None:
    store, file = Store(), lines({"text": "yes"}, {"text": "no"}, {"text": "yes"})
    assert load(file, store).counts == {"created": 3}
    assert load(file, store).counts == {"unchanged": 3}


def test_a_file_that_grew_adds_what_is_new() -> None:
    store, file = Store(), lines({"text": "yes"}, {"text": "no"})
    load(file, store)
    assert load(file + lines({"text": "maybe"}), store).counts == {"unchanged": 2, "created": 1}


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("{", "not JSON"),
        ('["text"]', "not a JSON object"),
        ('{"speaker": "Ada"}', "text: Field required"),
        ('{"text": "a", "colour": "red"}', "unknown field 'colour'"),
        ('{"text": "a", "timestamp": "soon"}', "timestamp: "),
        ('{"text": 7}', "text: "),
        ("[" * 100_000, "not JSON"),
        ("\ufffd".encode().decode() + "\x00", "not JSON"),
        ("x" * (LINE_BYTES + 1), "longer than 256 KiB"),
        ("x" * (3 * LINE_BYTES), "longer than 256 KiB"),
        ('{"text": "bad"}', "text is bad."),
    ],
)
def test_a_broken_line_is_reported_and_harms_no_other(broken: str, reason: str) -> None:
    store = Store()
    report = load(lines({"text": "before"}) + "\n" + broken + "\n" + lines({"text": "after"}), store)
    assert report.counts == {"created": 2, "rejected": 1}
    (problem,) = report.problems
    assert problem.line == 3
    assert problem.reason.startswith(reason)


def test_bytes_that_are_no_text_are_a_broken_line() -> None:
    report = load(b'{"text": "\xff\xfe"}\n' + lines({"text": "after"}).encode(), Store())
    assert report.counts == {"created": 1, "rejected": 1}


def test_the_last_line_needs_no_end() -> None:
    assert load(lines({"text": "a"}) + '{"text": "b"}', Store()).counts == {"created": 2}


def test_a_line_without_namespace_needs_one_from_outside() -> None:
    assert load(lines({"text": "a"}), Store(), namespace=None).problems[0].reason.startswith("names no namespace")
    assert load(lines({"text": "a", "namespace": "x"}), Store(), namespace="y").namespaces == {"y": 1}


def test_one_conflict_leaves_the_rest_of_its_batch_whole() -> None:
    store = Store()
    load(lines({"id": "2", "text": "two"}), store)
    report = load(lines(*({"id": str(number), "text": f"now {number}"} for number in range(5))), store)
    assert report.counts == {"created": 4, "rejected": 1}
    assert report.problems == [Problem(3, "that id has other content.")]


def test_what_ends_the_whole_import_is_raised() -> None:
    with pytest.raises(OverloadedError):
        load(lines({"text": "a"}, {"text": "down"}), Store())


def test_batches_keep_to_items_and_bytes() -> None:
    store = Store()
    load(lines(*({"text": f"turn {number}"} for number in range(BATCH_ITEMS + 1))), store)
    assert store.batches == [("n", BATCH_ITEMS), ("n", 1)]
    store.batches.clear()
    load(lines(*({"text": f"{number}" * (BATCH_BYTES // 2)} for number in range(3))), store)
    assert store.batches == [("n", 2), ("n", 1)]


def test_namespaces_that_take_turns_share_no_batch_and_wait_within_bounds() -> None:
    store = Store()
    many = [{"text": "a", "namespace": f"n{number % 1000}"} for number in range(WAITING_ITEMS + 500)]
    report = load(lines(*many), store, namespace=None)
    assert report.counts == {"created": WAITING_ITEMS + 500}
    assert store.batches[:1000] == [(f"n{number}", 2) for number in range(1000)]


def test_progress_counts_every_line_once() -> None:
    heard: list[int] = []
    file = lines({"text": "a"}, {"text": "bad"}, {"nonsense": 1}, {"text": "b"})
    import_entries(read_entries(io.BytesIO(file.encode()), "n"), Store(), heard.append)
    assert sum(heard) == 4


# --- and back ------------------------------------------------------------------------------------------------------


def view(item: MemoryItem) -> MemoryView:
    told: dict[str, Any] = item.model_dump()
    rest = {"namespace": "n", "summary": "", "created_at": NOON, "updated_at": NOON, "trust": "user", "version": 1}
    valid = {"current": True, "valid_from": NOON, "valid_until": None, "superseded_by": None}
    return MemoryView.model_validate({**told, **rest, **valid, "anchors": [], "indexing": "ready"})


moments = st.datetimes(datetime(1000, 1, 2), datetime(8999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
names = st.none() | st.text(min_size=1, max_size=8)
items = st.builds(
    MemoryItem,
    id=st.text("abc-._:", min_size=1, max_size=12),
    text=st.text(min_size=1),
    session_id=names,
    speaker=names,
    role=names,
    timestamp=moments,
    metadata=st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.integers() | st.text(max_size=5)),
    pinned=st.booleans(),
    expires_at=st.none() | moments,
    source=names,
)


@given(items)
def test_an_exported_memory_reads_back_as_itself(item: MemoryItem) -> None:
    (entry,) = read_entries(io.BytesIO(export_line(view(item)).encode()))
    assert entry == Entry(1, "n", item)
