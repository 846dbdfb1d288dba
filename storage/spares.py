"""Vectors of other generations than the one that a memory was embedded by last: kept beside them, to go back to.

A generation has a memory's vectors in one place: with its segments, or here. An edit removes the segments, and what is
here goes with them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aim_memory.storage.bulk import chunks
from aim_memory.storage.tables import memories, segments, spare_vectors

_M, _G, _V = memories.c, segments.c, spare_vectors.c
_PLACE = ("namespace_id", "memory_id", "position")
Seen = tuple[bytes, bytes | None]
"""A vector and its token signs, as bytes."""


def read(
    connection: Connection, namespace_id: int, ids: Sequence[str] | None, generation_id: int
) -> dict[str, list[Seen]]:
    """Spare vectors of a generation by memory, by position; all of the namespace, without token signs, if ``ids`` is
    None."""
    signs = sa.null() if ids is None else _V.tokens
    found: dict[str, list[Seen]] = defaultdict(list)
    for some in [None] if ids is None else chunks(ids):
        query = _of(namespace_id, some, generation_id, _V.memory_id, _V.vector, signs)
        for memory_id, vector, tokens in connection.execute(query.order_by(_V.memory_id, _V.position)):
            found[memory_id].append((vector, tokens))
    return found


def keep(connection: Connection, namespace_id: int, memory_id: str) -> None:
    """Puts a memory's vectors, which will be replaced by those of another generation, aside."""
    own = segments.join(memories, sa.and_(_M.namespace_id == _G.namespace_id, _M.id == _G.memory_id))
    columns = (*(_G[name] for name in _PLACE), _M.generation_id, _G.vector, _G.tokens)
    shown = sa.select(*columns).select_from(own).where(_G.namespace_id == namespace_id, _G.memory_id == memory_id)
    names = [*_PLACE, "generation_id", "vector", "tokens"]
    connection.execute(sa.insert(spare_vectors).from_select(names, shown.where(_G.vector.is_not(None))))


def remove(connection: Connection, namespace_id: int, memory_id: str, generation_id: int | None = None) -> None:
    """Removes a memory's spare vectors of a generation, or all."""
    own = (_V.namespace_id == namespace_id, _V.memory_id == memory_id)
    gone = sa.delete(spare_vectors).where(*own)
    connection.execute(gone if generation_id is None else gone.where(_V.generation_id == generation_id))


def of_this_memory(generation_id: int) -> sa.ColumnElement[bool]:
    """Whether a row of ``memories`` has spare vectors of a generation."""
    own = (_V.namespace_id == _M.namespace_id, _V.memory_id == _M.id, _V.position == 0)
    return sa.exists().where(*own, _V.generation_id == generation_id)


def _of(namespace_id: int, ids: Sequence[str] | None, generation_id: int, *columns: Any) -> sa.Select[Any]:
    query = sa.select(*columns).where(_V.namespace_id == namespace_id, _V.generation_id == generation_id)
    return query if ids is None else query.where(_V.memory_id.in_(ids))
