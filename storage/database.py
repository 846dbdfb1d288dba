"""The one seam to SQLAlchemy's engine: connections, the three kinds of transaction, and translated errors.

Python's sqlite3 opens transactions by its own rules (before DML, not before SELECT or DDL). It is told not to
(``isolation_level = None``), and every transaction begins explicitly here: readers with a snapshot, writers with
BEGIN IMMEDIATE, so that two writers queue at the door and never meet in the middle.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine, ExceptionContext, make_url
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from aim_memory.errors import ConfigurationError, StorageBusyError, StorageError, StorageFullError
from aim_memory.storage.fair_lock import FairLock

_BEGIN = {
    "read": ("BEGIN",),
    "write": ("PRAGMA synchronous = FULL", "BEGIN IMMEDIATE"),
    # Ordered and atomic as any commit, but not waited for: it becomes durable with the next full one.
    "relaxed": ("PRAGMA synchronous = NORMAL", "BEGIN IMMEDIATE"),
}
_SQLITE_BUSY, _SQLITE_LOCKED, _SQLITE_FULL = 5, 6, 13
_POSTGRES_BUSY = {"40001", "40P01", "55P03"}  # serialization failure, deadlock, lock not available
_POSTGRES_FULL = {"53100"}


class Database:
    """An engine and the rules for using it. Thread-safe."""

    def __init__(self, url: str, busy_timeout_s: float = 10.0) -> None:
        """Opens ``url``; for SQLite creates the folder (readable by its owner only) and the file."""
        self.busy_timeout_s = busy_timeout_s
        self.engine = _connectable(url, busy_timeout_s)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._driver_error: type[Exception] = self.engine.dialect.loaded_dbapi.Error
        self.owes_scrub = False
        """Whether erased bytes may still lie in the write-ahead log."""
        self._turn = FairLock()
        self._spelled: dict[sa.Select[Any], tuple[str, Sequence[str] | None]] = {}
        event.listen(self.engine, "handle_error", _translate)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _configure)
            event.listen(self.engine, "begin", _begin_sqlite)
            self._switch_to_wal()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the store."""
        with self._transaction("read") as connection:
            yield connection

    def first(self, query: sa.Select[Any], values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The first row of a query with bound parameters, or None; as the driver gives it, without types.

        For what every request looks up: through SQLAlchemy's layers it takes ten times as long as in SQLite.
        """
        if query not in self._spelled:
            compiled = query.compile(self.engine)
            self._spelled[query] = str(compiled), getattr(compiled, "positiontup", None)
        text, order = self._spelled[query]
        with self._outside_transactions() as cursor:
            cursor.execute(text, values if order is None else [values[name] for name in order])
            row: tuple[Any, ...] | None = cursor.fetchone()
            return row

    @contextmanager
    def writing(self, *, synced: bool = True) -> Iterator[Connection]:
        """A transaction that commits on leaving (unless its user has ended it before) and rolls back on an error.

        Writers of this process are served in order. Raises StorageBusyError after the busy timeout.
        """
        with self._my_turn(), self._transaction("write" if synced else "relaxed") as connection:
            if not self.is_sqlite and not synced:
                connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
            yield connection

    def scrub(self, patience_s: float | None = None) -> bool:
        """Empties SQLite's write-ahead log, where erased bytes may linger. Whether nothing is left of it.

        Waits for readers of old states, ``patience_s`` or the busy timeout; what could not be done now is owed.
        """
        if not self.is_sqlite:
            return True
        try:
            self.owes_scrub = not self._truncate_log(self.busy_timeout_s if patience_s is None else patience_s)
        except StorageBusyError:
            self.owes_scrub = True
        return not self.owes_scrub

    def _truncate_log(self, patience_s: float) -> bool:
        with self._my_turn(), self._outside_transactions() as cursor:
            cursor.execute(f"PRAGMA busy_timeout = {_milliseconds(patience_s)}")
            try:
                return not cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {_milliseconds(self.busy_timeout_s)}")

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _transaction(self, kind: str) -> Iterator[Connection]:
        with self._connected() as plain:
            connection = plain.execution_options(aim_transaction=kind)
            with connection.begin():
                yield connection

    def _connected(self) -> Connection:
        try:
            return self.engine.connect()
        except PoolTimeoutError as error:
            raise StorageBusyError from error

    @contextmanager
    def _my_turn(self) -> Iterator[None]:
        """SQLite has one writer at a time; waiting here is fair, waiting at its file lock is a lottery."""
        if not self.is_sqlite:
            yield
            return
        if not self._turn.acquire(self.busy_timeout_s):
            raise StorageBusyError
        try:
            yield
        finally:
            self._turn.release()

    @contextmanager
    def _outside_transactions(self) -> Iterator[Any]:
        """A bare cursor of the driver: for single look-ups, and for pragmas that refuse to run inside a transaction."""
        try:
            with closing(self.engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
                yield cursor
        except PoolTimeoutError as error:
            raise StorageBusyError from error
        except self._driver_error as error:
            raise_translated(error)

    def _switch_to_wal(self) -> None:
        """WAL is a property of the file. The switch needs the file alone and does not wait for that by itself."""
        deadline = time.monotonic() + self.busy_timeout_s
        while not self._in_wal():
            if time.monotonic() > deadline:
                raise StorageBusyError
            time.sleep(0.01)

    def _in_wal(self) -> bool:
        try:
            with self._outside_transactions() as cursor:
                return bool(cursor.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal")
        except StorageBusyError:
            return False


def _connectable(url: str, busy_timeout_s: float) -> Engine:
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        patience = {"options": f"-c lock_timeout={_milliseconds(busy_timeout_s)}"}
        return sa.create_engine(address, connect_args=patience, pool_pre_ping=True, pool_timeout=busy_timeout_s)
    if not address.database or address.database == ":memory:":
        raise ConfigurationError("A SQLite store needs a file: sqlite:////absolute/path/aim.db")
    Path(address.database).absolute().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Callers bound their own threads; a second bound here could only fail requests that would have been served.
    return sa.create_engine(address, connect_args={"timeout": busy_timeout_s}, pool_size=8, max_overflow=-1)


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _configure(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    for statement in _BEGIN[connection.get_execution_options().get("aim_transaction", "write")]:
        connection.exec_driver_sql(statement)


def _translate(context: ExceptionContext) -> None:
    if context.sqlalchemy_exception is not None:
        raise_translated(context.original_exception)


def raise_translated(error: BaseException) -> NoReturn:
    """Raises the StorageError that says what a driver's error means."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    state = getattr(error, "sqlstate", None)
    if code in (_SQLITE_BUSY, _SQLITE_LOCKED) or state in _POSTGRES_BUSY:
        raise StorageBusyError from error
    if code == _SQLITE_FULL or state in _POSTGRES_FULL:
        raise StorageFullError from error
    # The first line names the fault; what PostgreSQL adds below it may quote stored values.
    raise StorageError(f"The store could not complete the operation: {str(error).partition(chr(10))[0]}") from error


def insert_unless_there(connection: Connection, table: sa.Table) -> sa.Insert:
    """An INSERT that leaves a row alone that exists already."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()
