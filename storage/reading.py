"""Reading rows into values. Every function works on a connection whose transaction somebody else holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aim_memory.storage import codec
from aim_memory.storage.bulk import chunks, collector_paused
from aim_memory.storage.database import Database
from aim_memory.storage.rules import waits_for_vectors
from aim_memory.storage.tables import (
    changes,
    evidence,
    memories,
    namespaces,
    segments,
    statements,
    uses,
    versions,
)
from aim_memory.types import (
    Change,
    Head,
    IndexRow,
    Segment,
    Space,
    Statement,
    StoredMemory,
    StoredStatement,
    Version,
)

_M = memories.c
_BODY = memories.join(evidence, sa.and_(evidence.c.namespace_id == _M.namespace_id, evidence.c.id == _M.evidence_id))
_USE = memories.outerjoin(uses, sa.and_(uses.c.namespace_id == _M.namespace_id, uses.c.memory_id == _M.id))
_INDEX_COLUMNS = (
    _M.id,
    _M.ordinal,
    _M.timestamp,
    _M.created_at,
    _M.session_id,
    _M.speaker,
    _M.role,
    _M.source,
    _M.metadata,
    _M.pinned,
    _M.expires_at,
    _M.valid_from,
    _M.valid_until,
    _M.superseded_by,
    _M.anchors,
    _M.generation_id,
    (_M.end - _M.start).label("length"),
    uses.c.amount,
)


# In the order of StoredMemory's fields; stated once, because stating it takes longer than SQLite takes to answer.
_MEMORIES = (
    sa.select(
        *(_M.id, _M.ordinal, evidence.c.body, _M.start, _M.end),
        *(_M.summary, _M.digest, _M.timestamp, _M.created_at, _M.updated_at),
        *(_M.session_id, _M.speaker, _M.role, _M.source, _M.trust, _M.author),
        *(_M.metadata, _M.pinned, _M.expires_at, _M.version),
        *(_M.evidence_id, _M.valid_from, _M.valid_until, _M.superseded_by, _M.anchors, _M.generation_id),
    )
    .select_from(_BODY)
    .where(_M.namespace_id == sa.bindparam("namespace"), _M.id.in_(sa.bindparam("ids", expanding=True)))
)

_NAMESPACE = sa.select(namespaces.c.id, namespaces.c.seq, namespaces.c.ordinal).where(
    namespaces.c.tenant == sa.bindparam("tenant"), namespaces.c.path == sa.bindparam("path")
)


def namespace_of(space: Space) -> sa.Select[int, int, int]:
    """(id, seq, ordinal) of a namespace, or no row."""
    return _NAMESPACE.params(_named(space))


def find_head(database: Database, space: Space) -> Head | None:
    """The head of a namespace as of now; its epoch is the namespace's id."""
    row = database.first(_NAMESPACE, _named(space), space.tenant)
    return None if row is None else Head(*row)


def find_namespace(connection: Connection, space: Space) -> Head | None:
    """The same, as a transaction sees it."""
    row = connection.execute(_NAMESPACE, _named(space)).one_or_none()
    return None if row is None else Head(*row)


def _named(space: Space) -> dict[str, str]:
    return {"tenant": space.tenant, "path": space.namespace}


def read_changes(connection: Connection, namespace_id: int, after: int, limit: int) -> Sequence[Change]:
    found = connection.execute(
        sa.select(changes.c.seq, changes.c.kind, changes.c.memory_id)
        .where(changes.c.namespace_id == namespace_id, changes.c.seq > after)
        .order_by(changes.c.seq)
        .limit(limit)
    )
    return [Change(*row) for row in found]


def read_memories(
    connection: Connection, namespace_id: int, ids: Iterable[str], generation_id: int | None
) -> dict[str, StoredMemory]:
    """The memories that exist among ``ids``, in their order."""
    ids = list(ids)
    found: dict[str, StoredMemory] = {}
    for some in chunks(ids):
        rows = connection.execute(_MEMORIES, {"namespace": namespace_id, "ids": some})
        found.update((row[0], _memory(row, generation_id)) for row in rows)
    return {memory_id: found[memory_id] for memory_id in ids if memory_id in found}


def _memory(row: Sequence[Any], generation_id: int | None) -> StoredMemory:
    memory_id, ordinal, body, start, end, *same, evidence_id, since, until, closer, anchors, generation = row
    fields: tuple[Any, ...] = (
        *(memory_id, ordinal, codec.decompress(body)[start:end], *same),
        *(evidence_id.hex(), since, until, closer),
        *(codec.anchors_from_text(anchors), waits_for_vectors(generation, generation_id)),
    )
    return StoredMemory(*fields)


def read_index_rows(
    connection: Connection, namespace_id: int, ids: Iterable[str] | None, generation_id: int | None
) -> list[IndexRow]:
    """Rows in ordinal order; all of the namespace if ``ids`` is None. Vectors of ``generation_id`` only."""
    rows: list[IndexRow] = []
    with collector_paused():
        for some in [None] if ids is None else chunks(set(ids)):
            own = _segments(connection, namespace_id, some)
            query = sa.select(*_INDEX_COLUMNS).select_from(_USE).where(_M.namespace_id == namespace_id)
            query = query if some is None else query.where(_M.id.in_(some))
            rows += _index_rows(connection.execute(query), own, generation_id)
    rows.sort(key=lambda row: row.ordinal)
    return rows


def _segments(connection: Connection, namespace_id: int, ids: Sequence[str] | None) -> dict[str, list[Segment]]:
    s = segments.c
    query = sa.select(s.memory_id, s.start, s.end, s.terms, s.vector, s.tokens).where(s.namespace_id == namespace_id)
    query = query if ids is None else query.where(s.memory_id.in_(ids))
    found: dict[str, list[Segment]] = defaultdict(list)
    for memory_id, *own in connection.execute(query.order_by(s.memory_id, s.position)):
        found[memory_id].append(codec.segment_from_columns(*own))
    return found


def _index_rows(
    rows: Iterable[Sequence[Any]], own: Mapping[str, list[Segment]], generation_id: int | None
) -> Iterator[IndexRow]:
    for row in rows:
        *own_columns, anchors, generation, length, amount = row
        segments_of = tuple(own.get(row[0], ()))
        if generation != generation_id:
            segments_of = tuple(Segment(segment.start, segment.end, segment.terms) for segment in segments_of)
        known: tuple[Any, ...] = (*own_columns, segments_of, codec.anchors_from_text(anchors), amount or 0.0, length)
        yield IndexRow(*known)


def read_matching(connection: Connection, namespace_id: int, terms: Sequence[str], limit: int) -> list[str]:
    """Ids of memories with most of the terms in a segment, by reading all of them."""
    if not terms:
        return []
    s = segments.c
    spelled = [codec.terms_to_text({term: 0}).removeprefix("{").removesuffix("0}") for term in terms]
    held = [sa.case((s.terms.contains(term, autoescape=True), 1), else_=0) for term in spelled]
    most = sa.func.max(sum(held[1:], start=held[0])).label("most")
    found = connection.execute(
        sa.select(s.memory_id, most)
        .where(s.namespace_id == namespace_id)
        .group_by(s.memory_id)
        .having(most > 0)
        .order_by(most.desc(), s.memory_id.desc())
        .limit(limit)
    )
    return [memory_id for memory_id, _ in found]


def read_statements(
    connection: Connection, namespace_id: int, condition: sa.ColumnElement[bool]
) -> list[StoredStatement]:
    """Statements by event time, then ordinal, then their place in the memory."""
    s = statements.c
    found = connection.execute(
        sa.select(s.subject, s.attribute, s.value, s.memory_id, s.event_time, s.ordinal, s.closed_by)
        .where(s.namespace_id == namespace_id, condition)
        .order_by(s.event_time, s.ordinal, s.position)
    )
    return [
        StoredStatement(Statement(subject, attribute, value), memory_id, event_time, ordinal, closed_by)
        for subject, attribute, value, memory_id, event_time, ordinal, closed_by in found
    ]


def read_history(connection: Connection, namespace_id: int, memory_id: str) -> list[Version]:
    """Earlier states from ``versions``, then the present one."""
    v = versions.c
    by = sa.case((_M.kind == "supersede", _M.superseded_by))
    earlier = sa.select(v.version, v.kind, v.at, v.by, v.start, v.end, v.evidence_id).where(
        v.namespace_id == namespace_id, v.memory_id == memory_id
    )
    present = sa.select(_M.version, _M.kind, _M.updated_at, by, _M.start, _M.end, _M.evidence_id).where(
        _M.namespace_id == namespace_id, _M.id == memory_id
    )
    states = sa.union_all(earlier, present).subquery()
    found = connection.execute(
        sa.select(
            states.c.version, states.c.kind, states.c.at, states.c.by, states.c.start, states.c.end, evidence.c.body
        )
        .join(evidence, sa.and_(evidence.c.namespace_id == namespace_id, evidence.c.id == states.c.evidence_id))
        .order_by(states.c.version)
    )
    return [
        Version(version, kind, at, codec.decompress(body)[start:end], by)
        for version, kind, at, by, start, end, body in found
    ]


def read_evidence(connection: Connection, namespace_id: int, memory_id: str) -> tuple[str, int, int] | None:
    row = connection.execute(
        sa.select(evidence.c.body, _M.start, _M.end)
        .select_from(_BODY)
        .where(_M.namespace_id == namespace_id, _M.id == memory_id)
    ).one_or_none()
    return None if row is None else (codec.decompress(row[0]), row[1], row[2])


def read_pending(connection: Connection, generation_id: int | None, limit: int) -> list[tuple[Space, str]]:
    """Memories without vectors of ``generation_id``, oldest first."""
    waits: sa.ColumnElement[bool] = _M.generation_id.is_(None)
    if generation_id is not None:
        waits = sa.or_(waits, _M.generation_id < generation_id, _M.generation_id > generation_id)
    return _located(connection, waits, (_M.created_at, _M.namespace_id, _M.ordinal), limit)


def read_expired(connection: Connection, now: datetime, limit: int) -> list[tuple[Space, str]]:
    return _located(connection, _M.expires_at <= now, (_M.expires_at, _M.namespace_id, _M.ordinal), limit)


def _located(
    connection: Connection, condition: sa.ColumnElement[bool], order: Sequence[sa.Column[Any]], limit: int
) -> list[tuple[Space, str]]:
    found = connection.execute(
        sa.select(namespaces.c.tenant, namespaces.c.path, _M.id)
        .join(namespaces, namespaces.c.id == _M.namespace_id)
        .where(condition)
        .order_by(*order)
        .limit(limit)
    )
    return [(Space(tenant, path), memory_id) for tenant, path, memory_id in found]


def read_namespaces(connection: Connection, tenant: str, after: str | None, limit: int) -> list[tuple[str, Head, int]]:
    n = namespaces.c
    counted = sa.select(sa.func.count()).where(_M.namespace_id == n.id).scalar_subquery()
    query = sa.select(n.path, n.id, n.seq, n.ordinal, counted).where(n.tenant == tenant).order_by(n.path).limit(limit)
    query = query if after is None else query.where(n.path > after)
    return [(path, Head(epoch, seq, ordinal), size) for path, epoch, seq, ordinal, size in connection.execute(query)]
