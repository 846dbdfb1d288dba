"""The one seam to SQLAlchemy's engine: connections, the three kinds of transaction, and translated errors.

Python's sqlite3 opens transactions by its own rules (before DML, not before SELECT or DDL). It is told not to
(``isolation_level = None``), and every transaction begins explicitly here: readers with a snapshot, writers with
BEGIN IMMEDIATE, so that two writers queue at the door and never meet in the middle.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine, ExceptionContext, make_url
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from aim_memory.errors import ConfigurationError, StorageBusyError
from aim_memory.extras import needs
from aim_memory.storage.driver import bound, raise_translated, spelling, translated
from aim_memory.storage.wall import Whose, opening
from aim_memory.storage.write_line import LARGEST, WriteLine

_SYNCHRONOUS = {
    "write": "PRAGMA synchronous = FULL",
    # Ordered and atomic as any commit, but not waited for: it becomes durable with the next full one.
    "relaxed": "PRAGMA synchronous = NORMAL",
}
_KNOCK_S = 0.001
"""Between two tries to become the writer while another process is: SQLite itself waits up to 0.1 s, and starves."""


class Database:
    """An engine and the rules for using it. Thread-safe."""

    def __init__(self, url: str, busy_timeout_s: float = 10.0, *, shared_by: int = LARGEST) -> None:
        """Opens ``url``; for SQLite creates the folder (readable by its owner only) and the file.

        ``shared_by``: how many writers of this process may share one commit (SQLite only: PostgreSQL sees to it).
        """
        self.busy_timeout_s = busy_timeout_s
        self.engine = _connectable(url, busy_timeout_s)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._driver_error: type[Exception] = self.engine.dialect.loaded_dbapi.Error
        self.owes_scrub = False
        """Whether erased bytes may still lie in the write-ahead log."""
        self._shared_by = shared_by
        self._line = WriteLine(lambda: self._transaction("write"), busy_timeout_s, shared_by)
        self._at_hand: list[Any] = []  # connections for look-ups
        event.listen(self.engine, "handle_error", _translate)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _configure)
            event.listen(self.engine, "begin", self._begin_sqlite)
            self._switch_to_wal()

    @contextmanager
    def reading(self, whose: Whose = None) -> Iterator[Connection]:
        """A transaction that sees one state of the store, as far as it is ``whose``."""
        with self._transaction("read", whose) as connection:
            yield connection

    def all(self, query: sa.Select[Any], values: Mapping[str, Any], whose: Whose = None) -> list[tuple[Any, ...]]:
        """All rows of a query with bound parameters, as the driver gives them, without types.

        For what every request looks up: through SQLAlchemy's layers it takes ten times as long as in SQLite.
        """
        text, order = spelling(query, self.engine.dialect)
        if self.is_sqlite:
            return self._looked_up(text, bound(values, order))
        with self._outside_transactions() as cursor:
            self._begin_work(cursor.execute, whose)
            rows: list[tuple[Any, ...]] = cursor.execute(text, bound(values, order)).fetchall()
            return rows

    def _looked_up(self, text: str, values: Any) -> list[tuple[Any, ...]]:
        """A connection is kept for the next look-up: the pool takes longer to hand one out and take it back than SQLite
        takes to answer."""
        try:
            connection = self._at_hand.pop()
        except IndexError:
            connection = self._outside_the_pool()
        try:
            rows: list[tuple[Any, ...]] = connection.execute(text, values).fetchall()
            return rows
        except self._driver_error as error:
            raise_translated(error)
        finally:
            self._at_hand.append(connection)

    def _outside_the_pool(self) -> Any:
        """A connection of the driver, which the pool knows nothing of."""
        pooled = self.engine.raw_connection()
        connection = pooled.driver_connection
        pooled.detach()
        return connection

    @contextmanager
    def writing(self, whose: Whose = None, *, synced: bool = True) -> Iterator[Connection]:
        """A transaction that commits on leaving (unless its user has ended it before) and rolls back on an error.

        Writers of this process are served in order. Raises StorageBusyError after the busy timeout.
        """
        with self._my_turn(), self._transaction("write" if synced else "relaxed", whose) as connection:
            yield connection

    @contextmanager
    def unit(self, whose: Whose) -> Iterator[tuple[Connection, Callable[[], None]]]:
        """A transaction of its own, as far as its user can tell, and how to commit it; left without, it is taken back.

        When that returns, the commit has been synced. On SQLite units of work that wait for each other share a commit.
        Raises StorageBusyError after the busy timeout.
        """
        if self.is_sqlite:
            with self._line.unit() as unit:
                yield unit.connection, unit.commit
            return
        with self._transaction("write", whose) as connection:
            yield connection, connection.commit
            connection.rollback()

    @contextmanager
    def units(self) -> Iterator[Callable[[Whose], AbstractContextManager[tuple[Connection, Callable[[], None]]]]]:
        """Opens units of work, as ``unit`` does, one after the other.

        On SQLite they are one turn of the line: what was committed is synced when this is left, or this raises.
        """
        if not self.is_sqlite or self._shared_by == 1:
            yield self.unit
            return
        with self._line.turn() as begin:

            @contextmanager
            def unit(_: Whose) -> Iterator[tuple[Connection, Callable[[], None]]]:
                with begin() as opened:
                    yield opened.connection, opened.commit

            yield unit

    @property
    def committed(self) -> tuple[int, int]:
        """(commits of this process, units of work in them); not counted on PostgreSQL, where each has its own."""
        return self._line.commits, self._line.units

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
        while self._at_hand:
            self._at_hand.pop().close()
        self.engine.dispose()

    @contextmanager
    def _transaction(self, kind: str, whose: Whose = None) -> Iterator[Connection]:
        with self._connected() as plain:
            connection = plain.execution_options(**self._isolation(kind), aim_transaction=kind)
            with connection.begin():
                self._begin_work(connection.exec_driver_sql, whose, synced=kind != "relaxed")
                yield connection

    def _isolation(self, kind: str) -> dict[str, Any]:
        """Readers see one state. Writers see, after they have waited for a row, what the one before them committed."""
        if self.is_sqlite:
            return {}
        return {"isolation_level": "REPEATABLE READ" if kind == "read" else "READ COMMITTED"}

    def _begin_work(self, execute: Callable[..., object], whose: Whose, *, synced: bool = True) -> None:
        if not self.is_sqlite and (statement := opening(whose, synced=synced)):
            execute(*statement)

    def _connected(self) -> Connection:
        try:
            return self.engine.connect()
        except PoolTimeoutError as error:
            raise StorageBusyError from error

    def _my_turn(self) -> AbstractContextManager[None]:
        """SQLite has one writer at a time; waiting here is fair, waiting at its file lock is a lottery."""
        return self._line.alone() if self.is_sqlite else nullcontext()

    def _begin_sqlite(self, connection: Connection) -> None:
        kind = connection.get_execution_options().get("aim_transaction", "write")
        with closing(connection.connection.cursor()) as cursor:
            try:
                if kind == "read":
                    cursor.execute("BEGIN")
                else:
                    cursor.execute(_SYNCHRONOUS[kind])
                    self._become_the_writer(cursor)
            except self._driver_error as error:
                raise_translated(error)

    def _become_the_writer(self, cursor: Any) -> None:
        """Knocks until no other process writes; the busy timeout long."""
        deadline = time.monotonic() + self.busy_timeout_s
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            while not _begun(cursor, last=time.monotonic() > deadline):
                time.sleep(_KNOCK_S)
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {_milliseconds(self.busy_timeout_s)}")

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
        with needs("postgres"):
            return sa.create_engine(
                address, connect_args=patience, pool_pre_ping=True, pool_timeout=busy_timeout_s, hide_parameters=True
            )
    if not address.database or address.database == ":memory:":
        raise ConfigurationError("A SQLite store needs a file: sqlite:////absolute/path/aim.db")
    Path(address.database).absolute().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Callers bound their own threads; a second bound here could only fail requests that would have been served.
    return sa.create_engine(
        address, connect_args={"timeout": busy_timeout_s}, pool_size=8, max_overflow=-1, hide_parameters=True
    )


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _configure(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _begun(cursor: Any, *, last: bool) -> bool:
    """Whether the writing transaction has begun; False while another process has one, unless this try is the last."""
    try:
        cursor.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if last or not isinstance(translated(error), StorageBusyError):
            raise
        return False
    return True


def _translate(context: ExceptionContext) -> None:
    if context.sqlalchemy_exception is not None:
        raise_translated(context.original_exception)


def insert_unless_there(connection: Connection, table: sa.Table) -> sa.Insert:
    """An INSERT that leaves a row alone that exists already."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()
