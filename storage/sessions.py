"""What is written behind, outside ``seq`` and not synced: session states and use counts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from aim_memory.storage import codec
from aim_memory.storage.bulk import chunks
from aim_memory.storage.tables import memories, sessions, uses
from aim_memory.types import SessionState

_S = sessions.c
_COLUMNS = (_S.turns, _S.direction, _S.drift, _S.recent, _S.updated_at, _S.generation)
_Insert = sqlite.Insert | postgresql.Insert


def _insert(connection: Connection, table: sa.Table) -> _Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def save(connection: Connection, namespace_id: int, session_id: str, state: SessionState) -> bool:
    """Writes a state unless the stored one has more turns, it is of a namespace that was erased, or it was stored
    before and is no more."""
    if namespace_id == 0 or state.epoch not in (0, namespace_id):
        return False
    values = {
        "turns": state.turns,
        "direction": codec.vector_to_bytes(state.direction),
        "drift": codec.vector_to_bytes(state.drift),
        "recent": list(state.recent),
        "updated_at": state.updated_at,
        "generation": state.generation,
    }
    newest: sa.Update | _Insert
    if state.stored:
        own = sa.and_(_S.namespace_id == namespace_id, _S.id == session_id, _S.turns <= state.turns)
        newest = sa.update(sessions).where(own).values(**values)
    else:
        statement = _insert(connection, sessions).values(namespace_id=namespace_id, id=session_id, **values)
        newest = statement.on_conflict_do_update(
            index_elements=[_S.namespace_id, _S.id], set_=values, where=_S.turns <= statement.excluded.turns
        )
    return connection.execute(newest, execution_options={"preserve_rowcount": True}).rowcount == 1


def load(connection: Connection, namespace_id: int, session_id: str) -> SessionState | None:
    query = sa.select(*_COLUMNS).where(sessions.c.namespace_id == namespace_id, sessions.c.id == session_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else _state(namespace_id, *row)


def listed(connection: Connection, namespace_id: int, limit: int) -> list[tuple[str, SessionState]]:
    """Latest first; sessions of unknown time last."""
    query = sa.select(sessions.c.id, *_COLUMNS).where(sessions.c.namespace_id == namespace_id)
    order = (sessions.c.updated_at.desc().nulls_last(), sessions.c.id)
    return [
        (session_id, _state(namespace_id, *state))
        for session_id, *state in connection.execute(query.order_by(*order).limit(limit))
    ]


def remove(connection: Connection, namespace_id: int, session_id: str) -> bool:
    gone = sa.delete(sessions).where(sessions.c.namespace_id == namespace_id, sessions.c.id == session_id)
    return connection.execute(gone).rowcount == 1


def reinforce(connection: Connection, namespace_id: int, amounts: Mapping[str, float]) -> None:
    """Adds to use counts; ids that do not exist are ignored."""
    for some in chunks(amounts):
        own = sa.select(memories.c.id).where(memories.c.namespace_id == namespace_id, memories.c.id.in_(some))
        added = [
            {"namespace_id": namespace_id, "memory_id": memory_id, "amount": amounts[memory_id]}
            for memory_id in connection.scalars(own)
        ]
        if added:
            statement = _insert(connection, uses)
            total = {"amount": uses.c.amount + statement.excluded.amount}
            key = [uses.c.namespace_id, uses.c.memory_id]
            connection.execute(statement.on_conflict_do_update(index_elements=key, set_=total), added)


def used(connection: Connection, namespace_id: int) -> dict[str, float]:
    query = sa.select(uses.c.memory_id, uses.c.amount).where(uses.c.namespace_id == namespace_id, uses.c.amount != 0)
    return {row.memory_id: row.amount for row in connection.execute(query)}


def _state(
    namespace_id: int,
    turns: int,
    direction: bytes | None,
    drift: bytes | None,
    recent: list[str],
    updated_at: datetime | None,
    generation: str | None,
) -> SessionState:
    directions = codec.vector_from_bytes(direction), codec.vector_from_bytes(drift)
    return SessionState(turns, *directions, tuple(recent), updated_at, generation, namespace_id, stored=True)
