"""What every question looks up: the head of its namespace, and memories with their token signs.

The statements are spelled once and their rows come as the driver gives them: through the layers of SQLAlchemy a look-up
takes ten times as long as in SQLite.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import chain, repeat
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa

from aim_memory.storage import codec
from aim_memory.storage.bulk import chunks
from aim_memory.storage.reading import NAMESPACE, named
from aim_memory.storage.rules import waits_for_vectors
from aim_memory.storage.tables import (
    derivations,
    evidence,
    generations,
    memories,
    moment,
    namespaces,
    segments,
    spare_vectors,
)
from aim_memory.types import Head, Space, StoredMemory, TokenBits

Look: TypeAlias = Callable[[sa.Select[Any], Mapping[str, Any]], list[tuple[Any, ...]]]
"""Asks a query with bound parameters for all rows, as the driver gives them."""
_M = memories.c


def find_head(look: Look, space: Space) -> Head | None:
    """The head of a namespace as of now; its epoch is the namespace's id."""
    found = look(NAMESPACE, named(space))
    return Head(*found[0]) if found else None


# --- memories ------------------------------------------------------------------------------------------------------


def find_memories(
    look: Look, namespace_id: int, ids: Iterable[str], generation_id: int | None
) -> dict[str, StoredMemory]:
    """The memories that exist among ``ids``, in their order."""
    ids = list(ids)
    found: dict[str, StoredMemory] = {}
    for some in chunks(ids):
        rows = look(_memories(_width(some)), {"namespace": namespace_id, **_slotted(some)})
        others = [row[0] for row in rows if row[-1] not in (None, generation_id)]
        spared = _spared(look, namespace_id, others, generation_id)
        origins = _origins(look, namespace_id, [row[0] for row in rows if row[_TRUST] == "derived"])
        for row in rows:
            pending = waits_for_vectors(row[-1], generation_id) and row[0] not in spared
            found[row[0]] = _memory(row, pending, tuple(origins.get(row[0], ())))
    return {memory_id: found[memory_id] for memory_id in ids if memory_id in found}


@cache
def _memories(width: int) -> sa.Select[Any]:
    """Asks for so many memories, in the order of ``_memory``."""
    body = memories.join(evidence, sa.and_(evidence.c.namespace_id == _M.namespace_id, evidence.c.id == _M.evidence_id))
    columns = (
        *(_M.id, _M.ordinal, evidence.c.body, _M.start, _M.end, _M.summary, _M.digest),
        *(_M.timestamp, _M.created_at, _M.updated_at),
        *(_M.session_id, _M.speaker, _M.role, _M.source, _M.trust, _M.author, _M.metadata),
        *(_M.pinned, _M.expires_at, _M.version, _M.evidence_id),
        *(_M.valid_from, _M.valid_until, _M.superseded_by, _M.anchors, _M.generation_id),
    )
    query = sa.select(*columns).select_from(body)
    return query.where(_M.namespace_id == sa.bindparam("namespace"), _M.id.in_(_slots(width)))


_TRUST = 14
"""The place of a memory's trust in its row."""


def _memory(row: Sequence[Any], pending: bool, origins: tuple[str, ...]) -> StoredMemory:
    memory_id, ordinal, body, start, end, summary, digest, said, created, updated, *row_rest = row
    *who, metadata, pinned, expires, version, evidence_id, since, until, closer, anchors, _ = row_rest
    fields: tuple[Any, ...] = (
        *(memory_id, ordinal, codec.decompress(body)[start:end], summary, digest),
        *(moment(said), moment(created), moment(updated), *who),
        *(codec.NOTHING if metadata == "{}" else json.loads(metadata), bool(pinned), moment(expires), version),
        *(evidence_id.hex(), moment(since), moment(until), closer),
        *(codec.anchors_from_text(anchors), pending, origins),
    )
    return StoredMemory(*fields)


def _spared(look: Look, namespace_id: int, ids: Sequence[str], generation_id: int | None) -> set[str]:
    """The memories among ``ids`` that have spare vectors of a generation."""
    if generation_id is None or not ids:
        return set()
    asked = {"namespace": namespace_id, "generation": generation_id, **_slotted(ids)}
    return {memory_id for (memory_id,) in look(_spares(_width(ids)), asked)}


@cache
def _spares(width: int) -> sa.Select[Any]:
    v = spare_vectors.c
    own = (v.namespace_id == sa.bindparam("namespace"), v.generation_id == sa.bindparam("generation"))
    return sa.select(v.memory_id).where(*own, v.memory_id.in_(_slots(width)), v.position == sa.literal_column("0"))


def _origins(look: Look, namespace_id: int, ids: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """What memories were derived from, per memory."""
    found: dict[str, list[str]] = defaultdict(list)
    if ids:
        for memory_id, origin in look(_derivations(_width(ids)), {"namespace": namespace_id, **_slotted(ids)}):
            found[memory_id].append(origin)
    return found


@cache
def _derivations(width: int) -> sa.Select[Any]:
    d = derivations.c
    query = sa.select(d.memory_id, d.origin_id).where(d.namespace_id == sa.bindparam("namespace"))
    return query.where(d.memory_id.in_(_slots(width))).order_by(d.memory_id, d.origin_id)


# --- token signs ---------------------------------------------------------------------------------------------------


def find_signs(look: Look, space: Space, ids: Iterable[str], generation_id: int | None) -> dict[str, list[TokenBits]]:
    """Token signs of a generation, per segment that has some, of the memories that have any."""
    place = look(_PLACE, {**named(space), "generation": generation_id}) if generation_id is not None else ()
    if not place:
        return {}
    [(namespace_id, several)] = place
    asked = {"namespace": namespace_id, "generation": generation_id}
    found: dict[str, list[TokenBits]] = defaultdict(list)
    for some in chunks(dict.fromkeys(ids)):
        for kind in ("own", "spare") if several else ("only",):
            for memory_id, size, body in look(_signs(kind, _width(some)), {**asked, **_slotted(some)}):
                if body:
                    found[memory_id].append(codec.tokens_from_bytes(body, size))
    return found


_PLACE = sa.select(
    namespaces.c.id, sa.exists().where(generations.c.id != sa.bindparam("generation")).label("several")
).where(namespaces.c.tenant == sa.bindparam("tenant"), namespaces.c.path == sa.bindparam("path"))
"""The id of a namespace, and whether its store has known another generation."""


@cache
def _signs(kind: Literal["only", "own", "spare"], width: int) -> sa.Select[Any]:
    """Asks for the signs of so many ids: where all are of one generation, or of one of several, among the memories' own
    and among the spare ones."""
    rows = spare_vectors if kind == "spare" else segments
    s = rows.c
    query = sa.select(s.memory_id, sa.func.length(s.vector), s.tokens).order_by(s.memory_id, s.position)
    query = query.where(s.namespace_id == sa.bindparam("namespace"), s.memory_id.in_(_slots(width)))
    query = query.where(s.tokens.is_not(None))
    if kind == "only":
        return query
    if kind == "own":
        query = query.join(memories, sa.and_(_M.namespace_id == s.namespace_id, _M.id == s.memory_id))
    return query.where((_M if kind == "own" else s).generation_id == sa.bindparam("generation"))


# --- lists of ids --------------------------------------------------------------------------------------------------
# A few widths, each spelled once, are cheaper than an IN list made for every question.


def _width(ids: Sequence[str]) -> int:
    return 1 << (len(ids) - 1).bit_length()


@cache
def _names(width: int) -> list[str]:
    return [f"id_{number}" for number in range(width)]


def _slots(width: int) -> list[sa.BindParameter[str]]:
    return [sa.bindparam(name) for name in _names(width)]


def _slotted(ids: Sequence[str]) -> dict[str, str]:
    """The ids as the values of so many slots, the last one repeated."""
    return dict(zip(_names(_width(ids)), chain(ids, repeat(ids[-1])), strict=False))
