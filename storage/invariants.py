"""What must hold between the rows of a store: each rule is the query that finds the rows that break it.

A query gives (number of the namespace or NULL, what it is about, what was found).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

import sqlalchemy as sa

from aim_memory.storage.tables import (
    api_keys,
    changes,
    derivations,
    evidence,
    memories,
    metadata,
    namespaces,
    segments,
    statements,
    versions,
)
from aim_memory.types import ChangeKind, Trust

RESTORE = "Restore the last backup that 'aimem backup verify' proves."
WRITE_AGAIN = "Note what it says ('aimem show ID'), forget it, and write it again; or restore a proved backup."
REINDEX = "Have vectors made anew from the text: 'aimem reindex'."
FORGET = "Forget it again: 'aimem forget ID'."
NEW_KEY = "Revoke the key ('aimem keys revoke ID') and make another."


@dataclass(frozen=True, slots=True)
class Invariant:
    code: str
    table: str
    remedy: str
    broken: sa.Select[Any]


_N, _E, _M, _G, _S, _V, _C, _D = (
    table.c for table in (namespaces, evidence, memories, segments, statements, versions, changes, derivations)
)
_Condition = sa.ColumnElement[bool]


def invariants() -> Iterator[Invariant]:
    """All rules."""
    yield from _links()
    yield _log_without_gaps()
    yield from _log_and_memories()
    yield from _memories()
    yield from _statements()
    yield from _parts()
    malformed = sa.or_(
        sa.func.length(api_keys.c.secret_hash) != 64,
        api_keys.c.role.not_in(["reader", "writer", "admin", "operator"]),
    )
    keys = sa.select(sa.null(), api_keys.c.id, _say("role ", api_keys.c.role)).where(malformed)
    yield Invariant("key", "api_keys", NEW_KEY, keys)


def _say(*parts: Any) -> sa.ColumnElement[str]:
    """Words and values, one after the other."""
    spelled = [sa.literal(part) if isinstance(part, str) else sa.cast(part, sa.Text) for part in parts]
    told: sa.ColumnElement[str] = sa.literal("")
    for part in spelled:
        told = told.concat(sa.func.coalesce(part, "none"))
    return told


def _of(columns: Any, about: Any, found: Any, *conditions: _Condition) -> sa.Select[Any]:
    said = sa.literal(found) if isinstance(found, str) else found
    return sa.select(columns.namespace_id, about, said).where(*conditions)


def _links() -> Iterator[Invariant]:
    """Every foreign key, whether or not the database looks after it."""
    for table in metadata.sorted_tables:
        for link in table.foreign_key_constraints:
            parent = link.referred_table.alias("parent")
            own = [element.parent for element in link.elements]
            pairs = zip(own, link.elements, strict=True)
            there = sa.exists().where(*(parent.c[element.column.name] == column for column, element in pairs))
            key = [column for column in table.primary_key.columns if not isinstance(column.type, sa.LargeBinary)]
            about = _say(*(part for column in key for part in (f"{column.name} ", column, " ")))
            whose = table.c.get("namespace_id", sa.null())
            query = sa.select(whose, about, sa.literal(f"there is no such row in {link.referred_table.name}"))
            yield Invariant("link", table.name, RESTORE, query.where(*(column.is_not(None) for column in own), ~there))


def _log_without_gaps() -> Invariant:
    log = _extent(_C.seq, _C.namespace_id)
    rows = sa.func.coalesce(log.c.rows, 0)
    broken = sa.or_(_N.seq != rows, sa.and_(rows > 0, sa.or_(log.c.least != 1, log.c.most != _N.seq)))
    found = _say("seq ", _N.seq, ", but ", rows, " changes, from ", log.c.least, " to ", log.c.most)
    joined = namespaces.outerjoin(log, log.c.namespace_id == _N.id)
    return Invariant("log", "changes", RESTORE, sa.select(_N.id, _N.path, found).select_from(joined).where(broken))


def _log_and_memories() -> Iterator[Invariant]:
    latest = _extent(_C.seq, _C.namespace_id, _C.memory_id)
    last = sa.and_(latest.c.namespace_id == _C.namespace_id, latest.c.most == _C.seq)
    there = _named(_C.namespace_id, _C.memory_id)
    lost = _of(_C, _C.memory_id, "was written, never deleted, and is gone", last, _C.kind != "delete", ~there)
    yield Invariant("lost", "memories", RESTORE, lost)
    undead = _of(_C, _C.memory_id, "was deleted and is there", last, _C.kind == "delete", there)
    yield Invariant("undead", "memories", FORGET, undead)
    joined = memories.outerjoin(latest, _same(latest.c))
    unlogged = _of(_M, _M.id, "no change tells of it, so no index has it", latest.c.most.is_(None)).select_from(joined)
    yield Invariant("unlogged", "memories", WRITE_AGAIN, unlogged)
    unknown = _of(_C, _C.memory_id, _say("kind ", _C.kind), _C.kind.not_in(get_args(ChangeKind)))
    yield Invariant("value", "changes", RESTORE, unknown)


def _memories() -> Iterator[Invariant]:
    head = sa.select(_N.ordinal).where(_N.id == _M.namespace_id).scalar_subquery()
    late = _of(_M, _M.id, _say("ordinal ", _M.ordinal, " of ", head), sa.or_(_M.ordinal < 1, _M.ordinal > head))
    yield Invariant("ordinal", "memories", RESTORE, late)
    gone = sa.and_(_M.superseded_by.is_not(None), ~_named(_M.namespace_id, _M.superseded_by))
    yield Invariant(
        "superseded",
        "memories",
        WRITE_AGAIN,
        _of(_M, _M.id, _say("by ", _M.superseded_by, ", which is not there"), gone),
    )
    half = _M.superseded_by.is_(None) != _M.valid_until.is_(None)
    ended = _say("superseded by ", _M.superseded_by, ", valid until ", _M.valid_until)
    yield Invariant(
        "validity", "memories", WRITE_AGAIN, _of(_M, _M.id, ended, sa.or_(half, _M.valid_from != _M.timestamp))
    )
    unknown = sa.or_(_M.trust.not_in(get_args(Trust)), _M.kind.not_in(get_args(ChangeKind)), _M.version < 1)
    yield Invariant("value", "memories", WRITE_AGAIN, _of(_M, _M.id, _say(_M.trust, " ", _M.kind), unknown))
    made = sa.exists().where(_D.namespace_id == _M.namespace_id, _D.memory_id == _M.id)
    rootless = _of(_M, _M.id, "what it was derived from is not there", _M.trust == "derived", ~made)
    yield Invariant("derived", "memories", FORGET, rootless)
    used = (sa.exists().where(c.namespace_id == _E.namespace_id, c.evidence_id == _E.id) for c in (_M, _V))
    orphan = _of(_E, sa.literal("an original"), "no memory and no version is a part of it", *(~each for each in used))
    yield Invariant("orphan", "evidence", "Erase the namespace, or restore a proved backup.", orphan)


def _statements() -> Iterator[Invariant]:
    closer = _say("by ", _S.closed_by)
    gone = sa.and_(_S.closed_by.is_not(None), ~_named(_S.namespace_id, _S.closed_by))
    half = _S.closed_by.is_(None) != _S.closed_at.is_(None)
    by_itself = _S.closed_by == _S.memory_id
    yield Invariant("closing", "statements", WRITE_AGAIN, _of(_S, _S.memory_id, closer, sa.or_(gone, half, by_itself)))
    differs = sa.or_(_S.ordinal != _M.ordinal, _S.event_time != _M.timestamp)
    found = "another time or place in the order than its memory"
    yield Invariant("statement", "statements", WRITE_AGAIN, _of(_S, _S.memory_id, found, _same(_S), differs))
    states, open_ = sa.exists().where(_same(_S)), sa.exists().where(_same(_S), _S.closed_by.is_(None))
    wrong = sa.or_(
        sa.and_(_M.superseded_by.is_not(None), sa.or_(open_, ~states)),
        sa.and_(_M.superseded_by.is_(None), states, ~open_),
    )
    found = "it is superseded exactly when all it states is closed; not so here"
    yield Invariant("closed", "memories", WRITE_AGAIN, _of(_M, _M.id, found, wrong))


def _parts() -> Iterator[Invariant]:
    """Segments and versions: from the first to the last, and with vectors or without."""
    for table, place, first, last in ((segments, _G.position, 0, None), (versions, _V.version, 1, _M.version - 1)):
        extent = _extent(place, table.c.namespace_id, table.c.memory_id)
        rows = sa.func.coalesce(extent.c.rows, 0)
        gaps = sa.and_(rows > 0, sa.or_(extent.c.least != first, extent.c.most - first + 1 != rows))
        wrong = sa.or_(gaps, rows == 0 if last is None else rows != last)
        joined = memories.outerjoin(extent, _same(extent.c))
        query = _of(_M, _M.id, _say(rows, f" {table.name}"), wrong).select_from(joined)
        yield Invariant("parts", table.name, WRITE_AGAIN, query)
    embedded = sa.and_(_same(_G), _G.vector.is_(None) != _M.generation_id.is_(None))
    yield Invariant("pending", "segments", REINDEX, _of(_M, _M.id, "with vectors, and without", embedded))
    whole = sa.and_(_V.namespace_id == _E.namespace_id, _V.evidence_id == _E.id)
    outside = sa.and_(whole, sa.or_(_V.start < 0, _V.start > _V.end, _V.end > _E.chars))
    yield Invariant("stretch", "versions", RESTORE, _of(_V, _V.memory_id, "outside its original", outside))


def _same(columns: Any) -> _Condition:
    """Of the memory of the outer query."""
    return sa.and_(columns.namespace_id == _M.namespace_id, columns.memory_id == _M.id)


def _named(namespace_id: sa.ColumnElement[int], memory_id: sa.ColumnElement[Any]) -> sa.Exists:
    """Whether there is a memory of that id."""
    other = memories.alias("other")
    return sa.exists().where(other.c.namespace_id == namespace_id, other.c.id == memory_id)


def _extent(counted: sa.Column[int], *by: sa.Column[Any]) -> sa.Subquery:
    """How many there are, the least and the most."""
    of = sa.func
    columns = (of.count(counted).label("rows"), of.min(counted).label("least"), of.max(counted).label("most"))
    return sa.select(*by, *columns).group_by(*by).subquery()
