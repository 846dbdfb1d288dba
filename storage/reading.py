"""Reading rows into values. Every function works on a connection whose transaction somebody else holds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aim_memory.storage import codec, spares
from aim_memory.storage.bulk import chunks, collector_paused
from aim_memory.storage.tables import (
    changes,
    derivations,
    evidence,
    generations,
    memories,
    namespaces,
    segments,
    spare_vectors,
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


_UNREAD = (_M.read_at.is_(None), _M.trust != "derived")

NAMESPACE = sa.select(namespaces.c.id, namespaces.c.seq, namespaces.c.ordinal).where(
    namespaces.c.tenant == sa.bindparam("tenant"), namespaces.c.path == sa.bindparam("path")
)


def namespace_of(space: Space) -> sa.Select[int, int, int]:
    """(id, seq, ordinal) of a namespace, or no row."""
    return NAMESPACE.params(named(space))


def find_namespace(connection: Connection, space: Space) -> Head | None:
    """The same, as a transaction sees it."""
    row = connection.execute(NAMESPACE, named(space)).one_or_none()
    return None if row is None else Head(*row)


def named(space: Space) -> dict[str, str]:
    return {"tenant": space.tenant, "path": space.namespace}


def read_changes(connection: Connection, namespace_id: int, after: int, limit: int) -> Sequence[Change]:
    found = connection.execute(
        sa.select(changes.c.seq, changes.c.kind, changes.c.memory_id)
        .where(changes.c.namespace_id == namespace_id, changes.c.seq > after)
        .order_by(changes.c.seq)
        .limit(limit)
    )
    return [Change(*row) for row in found]


def read_derivatives(connection: Connection, namespace_id: int, ids: Sequence[str]) -> list[str]:
    """Ids of what was derived from memories, sorted."""
    d = derivations.c
    found: set[str] = set()
    for some in chunks(ids):
        of = sa.select(d.memory_id).where(d.namespace_id == namespace_id, d.origin_id.in_(some))
        found.update(connection.scalars(of))
    return sorted(found)


def read_unread(connection: Connection, namespace_id: int, after: int, limit: int) -> list[str]:
    query = sa.select(_M.id).where(_M.namespace_id == namespace_id, _M.ordinal > after, *_UNREAD)
    return list(connection.scalars(query.order_by(_M.ordinal).limit(limit)))


def count_unread(connection: Connection, namespace_id: int) -> int:
    query = sa.select(sa.func.count()).select_from(memories).where(_M.namespace_id == namespace_id, *_UNREAD)
    return connection.execute(query).scalar_one()


def read_spaces_with_unread(connection: Connection) -> list[Space]:
    n = namespaces.c
    some = sa.exists().where(_M.namespace_id == n.id, *_UNREAD)
    return [Space(*row) for row in connection.execute(sa.select(n.tenant, n.path).where(some).order_by(n.id))]


def read_index_rows(
    connection: Connection, namespace_id: int, ids: Iterable[str] | None, generation_id: int | None
) -> list[IndexRow]:
    """Rows in ordinal order; all of the namespace, without token signs, if ``ids`` is None. Vectors of
    ``generation_id`` only."""
    rows: list[IndexRow] = []
    # All together they are read without their token signs, half of the bytes: few will ever be asked for.
    with collector_paused():
        for some in [None] if ids is None else chunks(set(ids)):
            own = _segments(connection, namespace_id, some)
            query = sa.select(*_INDEX_COLUMNS).select_from(_USE).where(_M.namespace_id == namespace_id)
            query = query if some is None else query.where(_M.id.in_(some))
            found = connection.execute(query).all()
            spared = _spared(connection, namespace_id, some, found, generation_id)
            rows += _index_rows(found, own, generation_id, spared)
    rows.sort(key=lambda row: row.ordinal)
    return rows


def _segments(connection: Connection, namespace_id: int, ids: Sequence[str] | None) -> dict[str, list[Segment]]:
    s = segments.c
    signs = sa.null() if ids is None else s.tokens
    query = sa.select(s.memory_id, s.start, s.end, s.terms, s.vector, signs).where(s.namespace_id == namespace_id)
    query = query if ids is None else query.where(s.memory_id.in_(ids))
    found: dict[str, list[Segment]] = defaultdict(list)
    for memory_id, *own in connection.execute(query.order_by(s.memory_id, s.position)):
        found[memory_id].append(codec.segment_from_columns(*own))
    return found


def _spared(
    connection: Connection,
    namespace_id: int,
    ids: Sequence[str] | None,
    rows: Iterable[Sequence[Any]],
    generation_id: int | None,
) -> Mapping[str, Sequence[spares.Seen]]:
    """Spare vectors of the generation, if the own vectors of a row are of another."""
    if generation_id is None or all(row[-3] in (None, generation_id) for row in rows):
        return {}
    return spares.read(connection, namespace_id, ids, generation_id)


def _index_rows(
    rows: Iterable[Sequence[Any]],
    own: Mapping[str, list[Segment]],
    generation_id: int | None,
    spared: Mapping[str, Sequence[spares.Seen]],
) -> Iterator[IndexRow]:
    for row in rows:
        *own_columns, anchors, generation, length, amount = row
        segments_of = tuple(own.get(row[0], ()))
        if generation != generation_id:
            seen = spared.get(row[0]) or repeat((None, None))
            segments_of = tuple(codec.seen_as(segment, *view) for segment, view in zip(segments_of, seen, strict=False))
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


def read_page(connection: Connection, namespace_id: int, after: int, limit: int, now: datetime) -> list[str]:
    """Ids after an ordinal, in ordinal order, of what has not expired."""
    there = sa.or_(_M.expires_at.is_(None), _M.expires_at > now)
    query = sa.select(_M.id).where(_M.namespace_id == namespace_id, _M.ordinal > after, there)
    return list(connection.scalars(query.order_by(_M.ordinal).limit(limit)))


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
    """Memories without vectors of ``generation_id``, oldest first.

    Each generation is asked for by itself: then an index gives its memories in their order.
    """
    known = connection.scalars(sa.select(generations.c.id)).all() if generation_id is not None else ()
    others = [_M.generation_id == number for number in known if number != generation_id]
    oldest = [_waiting(condition, generation_id, limit) for condition in (_M.generation_id.is_(None), *others)]
    if not others:
        return [(Space(row.tenant, row.path), row.id) for row in connection.execute(oldest[0])]
    found = sorted(row for query in oldest for row in connection.execute(query))
    return [(Space(row.tenant, row.path), row.id) for row in found[:limit]]


def _waiting(condition: sa.ColumnElement[bool], generation_id: int | None, limit: int) -> sa.Select[Any]:
    order, n = (_M.created_at, _M.namespace_id, _M.ordinal), namespaces.c
    query = sa.select(*order, _M.id, n.tenant, n.path).join(namespaces, n.id == _M.namespace_id).where(condition)
    query = query if generation_id is None else query.where(~spares.of_this_memory(generation_id))
    return query.order_by(*order).limit(limit)


def count_pending(connection: Connection, generation_id: int | None) -> int:
    """How many memories there are without vectors of ``generation_id``."""
    waits: sa.ColumnElement[bool] = _M.generation_id.is_(None)
    if generation_id is not None:
        waits = sa.or_(waits, _M.generation_id != generation_id)
        waits = sa.and_(waits, ~spares.of_this_memory(generation_id))
    return connection.execute(sa.select(sa.func.count()).select_from(memories).where(waits)).scalar_one()


def read_prunable(connection: Connection, generation_id: int, limit: int) -> list[tuple[Space, str]]:
    """Memories with vectors of ``generation_id`` and of others."""
    n = namespaces.c
    found = _prunable(generation_id).limit(limit).subquery()
    query = sa.select(n.tenant, n.path, found.c.memory_id).join(found, found.c.namespace_id == n.id)
    return [(Space(tenant, path), memory_id) for tenant, path, memory_id in connection.execute(query)]


def count_prunable(connection: Connection, generation_id: int) -> int:
    found = _prunable(generation_id).subquery()
    return connection.execute(sa.select(sa.func.count()).select_from(found)).scalar_one()


def _prunable(generation_id: int) -> sa.Select[Any]:
    v = spare_vectors.c
    both = sa.or_(v.generation_id == generation_id, _M.generation_id == generation_id)
    joined = sa.select(v.namespace_id, v.memory_id).join(
        memories, sa.and_(_M.namespace_id == v.namespace_id, _M.id == v.memory_id)
    )
    return joined.where(v.position == 0, both).distinct()


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
