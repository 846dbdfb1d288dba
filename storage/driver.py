"""The driver below SQLAlchemy: bare cursors, and what its errors mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from typing import Any, NoReturn

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

from aim_memory.errors import StorageBusyError, StorageError, StorageFullError

_SQLITE_BUSY, _SQLITE_LOCKED, _SQLITE_FULL = 5, 6, 13
_POSTGRES_BUSY = {"40001", "40P01", "55P03"}  # serialization failure, deadlock, lock not available
_POSTGRES_FULL = {"53100"}


@contextmanager
def cursor_of(connection: Connection) -> Iterator[Any]:
    """A cursor of the driver inside a connection's transaction, for what is repeated so often that layers show."""
    try:
        with closing(connection.connection.cursor()) as cursor:
            yield cursor
    except connection.dialect.loaded_dbapi.Error as error:
        raise_translated(error)


@lru_cache(maxsize=256)
def spelling(query: sa.Select[Any], dialect: Dialect) -> tuple[str, Sequence[str] | None]:
    """A query in a database's words, and the names of its parameters in their places; None where it takes names."""
    compiled = query.compile(dialect=dialect)
    return str(compiled), getattr(compiled, "positiontup", None)


def bound(values: Mapping[str, Any], order: Sequence[str] | None) -> Any:
    """The values of a query's parameters as the driver takes them."""
    return values if order is None else [values[name] for name in order]


def rows_of(connection: Connection, query: sa.Select[Any], values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """All rows of a query inside a connection's transaction, as the driver gives them, without types."""
    text, order = spelling(query, connection.dialect)
    with cursor_of(connection) as cursor:
        rows: list[tuple[Any, ...]] = cursor.execute(text, bound(values, order)).fetchall()
        return rows


def raise_translated(error: BaseException) -> NoReturn:
    """Raises the StorageError that says what a driver's error means."""
    raise translated(error) from error


def translated(error: BaseException) -> StorageError:
    """What a driver's error means."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    state = getattr(error, "sqlstate", None)
    if code in (_SQLITE_BUSY, _SQLITE_LOCKED) or state in _POSTGRES_BUSY:
        return StorageBusyError()
    if code == _SQLITE_FULL or state in _POSTGRES_FULL:
        return StorageFullError()
    # The first line names the fault; what PostgreSQL adds below it may quote stored values.
    return StorageError(f"The store could not complete the operation: {str(error).partition(chr(10))[0]}")
