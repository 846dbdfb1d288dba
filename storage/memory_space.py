"""One namespace of the in-memory store, as values that are replaced and never changed."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np

from aim_memory.storage import codec
from aim_memory.storage.rules import Closing, Stated, waits_for_vectors
from aim_memory.types import (
    Change,
    ChangeKind,
    Head,
    IndexRow,
    NewMemory,
    Segment,
    StoredMemory,
    StoredStatement,
    TokenBits,
    Vector,
    Version,
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A memory with all that belongs to it."""

    memory: StoredMemory
    kind: ChangeKind
    """Of the change that made this version."""
    segments: tuple[Segment, ...]
    generation: str | None
    statements: tuple[StoredStatement, ...]
    closed_at: tuple[datetime | None, ...]
    """Per statement, in event time."""
    earlier: tuple[Version, ...] = ()
    spare: Mapping[str, tuple[Segment, ...]] = field(default_factory=dict)
    """The segments as embedded by other generations."""
    read: bool = False
    """Whether a language model has read it for facts."""

    def seen_by(self, generation: str | None) -> tuple[Segment, ...] | None:
        """The segments as a generation embedded them; None if it has not."""
        return self.segments if generation == self.generation else self.spare.get(generation or "")

    def waits_for(self, generation: str | None) -> bool:
        """Whether it is pending where this generation is in use."""
        return waits_for_vectors(self.generation, generation) and (generation or "") not in self.spare

    def embedded_by(self, generation: str, segments: tuple[Segment, ...]) -> Kept:
        """With the vectors of a generation, and those of others aside."""
        spare = {**self.spare} if self.generation is None else {**self.spare, self.generation: self.segments}
        spare.pop(generation, None)
        return replace(self, segments=segments, generation=generation, spare=spare)

    @property
    def present(self) -> Version:
        by = self.memory.superseded_by if self.kind == "supersede" else None
        return Version(self.memory.version, self.kind, self.memory.updated_at, self.memory.text, by)

    @property
    def stated(self) -> list[Stated]:
        ended = enumerate(zip(self.statements, self.closed_at, strict=True))
        return [Stated(self.memory.id, i, made.statement, made.closed_by, at) for i, (made, at) in ended]

    def next(self, kind: ChangeKind, at: datetime, **changed: Any) -> Kept:
        """The next version, the present state put into the history."""
        memory = replace(self.memory, version=self.memory.version + 1, updated_at=at, **changed)
        return replace(self, memory=memory, kind=kind, earlier=(*self.earlier, self.present))

    def following(self, old: Kept, kind: ChangeKind, at: datetime) -> Kept:
        """As the version after ``old``."""
        memory = replace(self.memory, version=old.memory.version + 1, updated_at=at)
        return replace(self, memory=memory, kind=kind, earlier=(*old.earlier, old.present))

    def stated_as(self, old: Kept) -> Kept:
        """With the statements and the validity of ``old``."""
        memory = replace(self.memory, valid_until=old.memory.valid_until, superseded_by=old.memory.superseded_by)
        return replace(self, memory=memory, statements=old.statements, closed_at=old.closed_at)

    def closed(self, position: int, by: str | None, at: datetime | None) -> Kept:
        """With one statement closed, or opened again."""
        statements, closed_at = list(self.statements), list(self.closed_at)
        statements[position] = replace(statements[position], closed_by=by)
        closed_at[position] = at
        return replace(self, statements=tuple(statements), closed_at=tuple(closed_at))


@dataclass(slots=True)
class Contents:
    """All of a namespace. ``copy`` is cheap: what it holds is immutable."""

    epoch: int
    ordinal: int = 0
    kept: dict[str, Kept] = field(default_factory=dict)
    """In ordinal order."""
    changes: tuple[Change, ...] = ()

    @property
    def head(self) -> Head:
        return Head(self.epoch, len(self.changes), self.ordinal)

    def copy(self) -> Contents:
        return Contents(self.epoch, self.ordinal, dict(self.kept), self.changes)

    def derivatives(self, ids: Collection[str]) -> list[str]:
        """Ids of what was derived from memories, sorted."""
        return sorted(id_ for id_, kept in self.kept.items() if not set(ids).isdisjoint(kept.memory.derived_from))

    def log(self, kind: ChangeKind, ids: Sequence[str]) -> None:
        first = len(self.changes) + 1
        self.changes += tuple(Change(first + i, kind, memory_id) for i, memory_id in enumerate(ids))

    def closings(self, memory_id: str) -> list[Closing | None]:
        """Who closed each statement of a memory."""
        kept = self.kept[memory_id]
        return [
            None if stored.closed_by is None or at is None else self._closing(stored.closed_by, at)
            for stored, at in zip(kept.statements, kept.closed_at, strict=True)
        ]

    def _closing(self, by: str, at: datetime) -> Closing:
        closer = self.kept[by].memory
        return Closing(by, at, closer.ordinal, closer.updated_at)


def plain(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of metadata as a database would give it back."""
    copied: dict[str, Any] = json.loads(json.dumps(dict(metadata)))
    return copied


def frozen(vector: Vector | None) -> Vector | None:
    """A copy that cannot be written to."""
    return None if vector is None else codec.vector_from_bytes(np.asarray(vector, np.float32).tobytes())


def bare(segment: Segment) -> Segment:
    """Without what an embedder made of it."""
    return Segment(segment.start, segment.end, dict(segment.terms))


def embedded(segment: Segment, vector: Vector | None, tokens: TokenBits | None) -> Segment:
    """With copies of what an embedder made of it."""
    signs = None
    if tokens is not None:
        signs = tokens.copy()
        signs.setflags(write=False)
    return Segment(segment.start, segment.end, dict(segment.terms), frozen(vector), signs)


def kept_from(memory: NewMemory, ordinal: int) -> Kept:
    """A new memory as it is first kept."""
    stored = StoredMemory(
        id=memory.id,
        ordinal=ordinal,
        text=memory.text,
        summary=memory.summary,
        digest=memory.digest,
        timestamp=memory.timestamp,
        created_at=memory.created_at,
        updated_at=memory.created_at,
        session_id=memory.session_id,
        speaker=memory.speaker,
        role=memory.role,
        source=memory.source,
        trust=memory.trust,
        author=memory.author,
        metadata=plain(memory.metadata),
        pinned=memory.pinned,
        expires_at=memory.expires_at,
        version=1,
        evidence_id=codec.evidence_id(memory.text).hex(),
        valid_from=memory.timestamp,
        valid_until=None,
        superseded_by=None,
        anchors=memory.anchors,
        pending=memory.generation is None,
        derived_from=tuple(sorted(set(memory.derived_from))),
    )
    known = memory.generation is not None
    segments = tuple(embedded(one, one.vector, one.tokens) if known else bare(one) for one in memory.segments)
    statements = tuple(StoredStatement(made, memory.id, memory.timestamp, ordinal) for made in memory.statements)
    return Kept(stored, "write", segments, memory.generation, statements, (None,) * len(statements))


def read_memory(kept: Kept, generation: str | None) -> StoredMemory:
    return replace(kept.memory, metadata=plain(kept.memory.metadata), pending=kept.waits_for(generation))


def read_row(kept: Kept, uses: float, generation: str | None) -> IndexRow:
    memory, seen = kept.memory, kept.seen_by(generation)
    return IndexRow(
        id=memory.id,
        ordinal=memory.ordinal,
        timestamp=memory.timestamp,
        created_at=memory.created_at,
        session_id=memory.session_id,
        speaker=memory.speaker,
        role=memory.role,
        source=memory.source,
        metadata=plain(memory.metadata),
        pinned=memory.pinned,
        expires_at=memory.expires_at,
        valid_from=memory.valid_from,
        valid_until=memory.valid_until,
        superseded_by=memory.superseded_by,
        segments=seen or tuple(bare(segment) for segment in kept.segments),
        anchors=memory.anchors,
        uses=uses,
        length=len(memory.text),
    )


def unsigned(row: IndexRow) -> IndexRow:
    """Without its token signs."""
    return replace(row, segments=tuple(replace(segment, tokens=None) for segment in row.segments))
