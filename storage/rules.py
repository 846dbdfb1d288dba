"""What both stores decide alike, as pure functions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aim_memory.errors import ConflictError, NotFoundError
from aim_memory.types import ChangeKind, NewMemory, Statement, StoredMemory

REPLIES_KEPT = timedelta(days=7)
"""How long a reply can be replayed under its idempotency key."""
JOBS_KEPT = timedelta(days=90)
"""How long a finished job can be looked up."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A statement of a memory with its ending."""

    memory_id: str
    position: int
    statement: Statement
    closed_by: str | None
    closed_at: datetime | None
    """Event time."""

    @property
    def key(self) -> tuple[str, str]:
        return self.statement.subject, self.statement.attribute


@dataclass(frozen=True, slots=True)
class Closing:
    """Who ended a statement, and when."""

    by: str
    at: datetime
    """Event time."""
    ordinal: int
    """Of the closing memory: breaks ties of event time."""
    known_at: datetime
    """When the closing memory was written or last changed."""


def validity_end(closings: Sequence[Closing | None]) -> Closing | None:
    """The closing that superseded a memory: the newest one, once every statement is closed."""
    closed = [closing for closing in closings if closing is not None]
    if not closings or len(closed) < len(closings):
        return None
    return max(closed, key=lambda closing: (closing.at, closing.ordinal))


def inheritance(closed: Stated, gone: Mapping[str, Sequence[Stated]]) -> tuple[str, datetime] | None:
    """Who closes a statement, and when, once the memories in ``gone`` take back what they state; None: nobody.

    Paris was closed by Rome, and Rome by Oslo: without Rome, it is Oslo that ends Paris.
    """
    by, at = closed.closed_by, closed.closed_at
    passed: set[str] = set()
    while by is not None and by in gone and by not in passed:
        passed.add(by)
        same = [stated for stated in gone[by] if stated.key == closed.key]
        by, at = (same[-1].closed_by, same[-1].closed_at) if same else (None, None)
    return None if by is None or at is None or by in gone or by == closed.memory_id else (by, at)


def agrees(closed: Stated, stated: Sequence[Stated]) -> bool:
    """Whether the same is stated: equal values never close each other."""
    return any(other.statement == closed.statement for other in stated)


def kind_of_update(old: StoredMemory, new: NewMemory) -> ChangeKind:
    """ "pin" when nothing but the pin changed, else "edit"."""
    same = (old.text, old.metadata, old.expires_at, old.timestamp) == (
        new.text,
        new.metadata,
        new.expires_at,
        new.timestamp,
    )
    return "pin" if same and old.pinned != new.pinned else "edit"


def states_the_same(old: StoredMemory, stated: Sequence[Statement], new: NewMemory) -> bool:
    """Whether an update leaves what was stated, and when, as it was; then closings stand as well."""
    return (old.text, old.timestamp, tuple(stated)) == (new.text, new.timestamp, new.statements)


def says_the_same(old: StoredMemory, new: NewMemory) -> bool:
    """Whether an update leaves what was derived from a memory true: relative dates count from its time."""
    return (old.text, old.timestamp) == (new.text, new.timestamp)


def missing(memory_id: str) -> NotFoundError:
    return NotFoundError(f"There is no memory '{memory_id}' here.")


def misfit(memory_id: str, segments: int, vectors: int) -> ConflictError:
    return ConflictError(f"{vectors} vectors do not fit the {segments} segments of memory '{memory_id}'.")


def refuse_repeated(ids: Sequence[str], known: Collection[str]) -> None:
    """Raises ConflictError if an id is ``known`` or comes twice."""
    seen = set(known)
    for memory_id in ids:
        if memory_id in seen:
            raise ConflictError(f"A memory with the id '{memory_id}' exists already.")
        seen.add(memory_id)


def waits_for_vectors(generation: object, current: object) -> bool:
    """Whether a memory with vectors of ``generation`` is pending under ``current``; without an embedder (None) only
    one that has none is."""
    return generation is None or (current is not None and generation != current)
