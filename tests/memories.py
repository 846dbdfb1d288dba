"""New memories, a clock and an index for tests of the stores."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from aim_memory.ports import Clock, NamespaceIndex
from aim_memory.types import Anchor, IndexRow, NewMemory, Segment, Space, Statement, Vector

START = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
GENERATION = "test-8"
ADA = Space("acme", "user/ada")
BOB = Space("acme", "user/bob")
STRANGER = Space("other", "user/ada")


class SteppingClock(Clock):
    """A second passes at every look."""

    def __init__(self) -> None:
        self._looks = 0

    def now(self) -> datetime:
        self._looks += 1
        return START + timedelta(days=365, seconds=self._looks)

    def new_id(self) -> str:
        self._looks += 1
        return f"id-{self._looks:09d}"


class RowsById(NamespaceIndex):
    """The plainest index."""

    def __init__(self) -> None:
        self.rows: dict[str, IndexRow] = {}

    def upsert(self, rows: Sequence[IndexRow]) -> None:
        self.rows.update((row.id, row) for row in rows)

    def remove(self, ids: Sequence[str]) -> None:
        for memory_id in ids:
            self.rows.pop(memory_id, None)

    def __len__(self) -> int:
        return len(self.rows)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def vector_of(text: str) -> Vector:
    """A unit vector of eight parts that depends on the text alone."""
    raw = np.frombuffer(text.encode().ljust(32, b"\x01")[:32], np.uint32).astype(np.float32) + 1
    return raw / np.linalg.norm(raw)


def segment_of(text: str, start: int, end: int, *, embedded: bool = True) -> Segment:
    terms = {word: text.split().count(word) for word in text[start:end].split()}
    return Segment(start, end, terms, vector_of(text[start:end]) if embedded else None)


def new(memory_id: str, text: str = "", *, at: float = 0, embedded: bool = True, **fields: Any) -> NewMemory:
    """A memory said, and written, on the day ``at``; in two segments when it is long."""
    text = text or f"text of {memory_id}"
    cuts = [(0, len(text))] if len(text) < 40 else [(0, 30), (30, len(text))]
    given = {
        "summary": text[:20],
        "digest": f"digest of {text}",
        "timestamp": day(at),
        "created_at": day(at),
        "segments": tuple(segment_of(text, start, end, embedded=embedded) for start, end in cuts),
        "generation": GENERATION if embedded else None,
    }
    return NewMemory(id=memory_id, text=text, **(given | fields))


def lives_in(memory_id: str, city: str, *, at: float, who: str = "ada", **fields: Any) -> NewMemory:
    """A memory that states where somebody lives."""
    stated = (Statement(who, "home", city),)
    return new(memory_id, f"{who} lives in {city}", at=at, statements=stated, **fields)


def rich(memory_id: str) -> NewMemory:
    """A memory with something in every field."""
    anchors = (
        Anchor("number", "10000000", "10M", 4, 7, value=1e7, unit="token", slot="model"),
        Anchor("date", "2026-03-05", "Thursday 你", 10, 20, since=day(4), until=day(5)),
    )
    return new(
        memory_id,
        "the 10M model: 你好, Zoë — a text long enough for two segments \U0001f600",
        session_id="s1",
        speaker="Zoë",
        role="user",
        source="chat.jsonl",
        trust="import",
        author="key-1",
        metadata={"topic": "models", "tags": ["a", "b"], "deep": {"n": 1.5, "none": None}},
        pinned=True,
        expires_at=day(90),
        anchors=anchors,
        statements=(Statement("zoë", "employer", "acme"),),
    )


def ids_of(rows: Sequence[Any]) -> list[str]:
    return [row.id for row in rows]
