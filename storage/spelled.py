"""Statements that every write repeats, compiled once and given to the driver as they are.

Through SQLAlchemy's layers a small statement takes several times as long as in SQLite, and while one writer runs it,
all others wait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aim_memory.storage import tables
from aim_memory.storage.database import insert_unless_there
from aim_memory.storage.driver import cursor_of

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Spelling:
    """A statement in one database's words."""

    text: str
    order: Sequence[str] | None
    """Names of the parameters in their places; None where the driver takes them by name."""
    converters: Mapping[str, Callable[[Any], Any] | None]

    def bound(self, values: Values) -> Any:
        """The values as the driver takes them; what is not given is NULL."""
        known = {
            name: values.get(name) if convert is None else convert(values.get(name))
            for name, convert in self.converters.items()
        }
        return known if self.order is None else [known[name] for name in self.order]


class Spelled:
    """A statement with bound parameters, which binds types but gives columns as the driver does. Thread-safe."""

    def __init__(self, stated: Callable[[Connection], sa.ClauseElement]) -> None:
        """``stated``: makes the statement for a database."""
        self._stated = stated
        self._spellings: dict[str, _Spelling] = {}

    def first(self, connection: Connection, values: Values) -> tuple[Any, ...] | None:
        """The first row, or None."""
        spelling = self._spelling(connection)
        with cursor_of(connection) as cursor:
            cursor.execute(spelling.text, spelling.bound(values))
            row: tuple[Any, ...] | None = cursor.fetchone()
            return row

    def run(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Executes the statement once per row of values."""
        spelling = self._spelling(connection)
        with cursor_of(connection) as cursor:
            cursor.executemany(spelling.text, [spelling.bound(values) for values in rows])

    def _spelling(self, connection: Connection) -> _Spelling:
        dialect = connection.dialect
        if dialect.name not in self._spellings:
            compiled: Any = self._stated(connection).compile(dialect=dialect)
            converters = {
                name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in compiled.binds.items()
            }
            order = compiled.positiontup if compiled.positional else None
            self._spellings[dialect.name] = _Spelling(str(compiled), order, converters)
        return self._spellings[dialect.name]


_N, _M, _I = tables.namespaces.c, tables.memories.c, tables.idempotency.c


def _inserting(table: sa.Table) -> Spelled:
    return Spelled(lambda _: sa.insert(table))


LOCK = Spelled(
    lambda _: (
        sa.select(_N.id, _N.seq, _N.ordinal)
        .where(_N.tenant == sa.bindparam("tenant"), _N.path == sa.bindparam("path"))
        .with_for_update()
    )
)
"""(id, seq, ordinal) of a namespace, whose row is held from here on."""
COUNT = Spelled(
    lambda _: (
        sa.update(tables.namespaces)
        .where(_N.id == sa.bindparam("own"))
        .values(seq=sa.bindparam("counted_seq"), ordinal=sa.bindparam("counted_ordinal"))
    )
)
KNOWN = Spelled(
    lambda _: sa.select(_M.ordinal).where(_M.namespace_id == sa.bindparam("namespace"), _M.id == sa.bindparam("id"))
)
REPEAT = Spelled(
    lambda _: (
        sa.select(_M.id)
        .where(
            _M.namespace_id == sa.bindparam("namespace"),
            _M.digest == sa.bindparam("digest"),
            _M.session_id.is_not_distinct_from(sa.bindparam("session")),
            _M.created_at >= sa.bindparam("since"),
        )
        .order_by(_M.ordinal.desc())
    )
)
"""Memories with this digest in this session, since then, the newest first."""
REPLAY = Spelled(
    lambda _: sa.select(_I.fingerprint, _I.reply).where(
        _I.tenant == sa.bindparam("tenant"), _I.key == sa.bindparam("key")
    )
)
FORGET = Spelled(lambda _: sa.delete(tables.idempotency).where(_I.created_at < sa.bindparam("before")))
ADD_EVIDENCE = Spelled(lambda connection: insert_unless_there(connection, tables.evidence))
ADD = {
    table: _inserting(table)
    for table in (
        tables.memories,
        tables.segments,
        tables.statements,
        tables.derivations,
        tables.changes,
        tables.idempotency,
    )
}
"""These take rows with a value for each column that is not NULL."""
