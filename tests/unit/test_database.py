"""The seam to SQLAlchemy: how SQLite is set up, how transactions begin, what its errors become."""

from __future__ import annotations

import sqlite3
import stat
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aim_memory.errors import ConfigurationError, StorageBusyError, StorageError
from aim_memory.storage.database import Database
from aim_memory.storage.fair_lock import FairLock
from tests.interrupting import interrupted_when

FULL, NORMAL = 2, 1


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'home' / 'aim.db'}", busy_timeout_s=0.1)
    yield opened
    opened.close()


def _pragma(connection: Connection, name: str) -> object:
    return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_the_folder_is_its_owner_s_alone(database: Database, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


def test_what_fails_does_not_tell_what_it_was_given(database: Database) -> None:
    with pytest.raises(StorageError) as caught, database.writing() as connection:
        connection.execute(sa.text("INSERT INTO nowhere VALUES (:text)"), {"text": "canary"})
    told = "".join(traceback.format_exception(caught.value))
    assert "nowhere" in told
    assert "canary" not in told.replace('{"text": "canary"}', "")  # the line of this test


def test_sqlite_is_set_up_for_safety(database: Database) -> None:
    with database.writing() as connection:
        assert _pragma(connection, "journal_mode") == "wal"
        assert _pragma(connection, "synchronous") == FULL
        assert _pragma(connection, "foreign_keys") == 1
        assert _pragma(connection, "secure_delete") == 1
        assert _pragma(connection, "busy_timeout") == 100


def test_what_is_written_behind_is_not_waited_for(database: Database) -> None:
    with database.writing(synced=False) as connection:
        assert _pragma(connection, "synchronous") == NORMAL
    with database.writing() as connection:
        assert _pragma(connection, "synchronous") == FULL, "the same connection, synced again"


def _create_and_fail(connection: Connection) -> None:
    connection.exec_driver_sql("CREATE TABLE t (x INTEGER)")
    raise LookupError


def test_ddl_is_part_of_the_transaction(database: Database) -> None:
    with pytest.raises(LookupError), database.writing() as connection:
        _create_and_fail(connection)
    with database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar() == 0


def test_a_reader_sees_one_state(database: Database) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x INTEGER)")
    with database.reading() as reader:
        assert reader.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0
        with database.writing() as writer:
            writer.exec_driver_sql("INSERT INTO t VALUES (1)")
        assert reader.exec_driver_sql("SELECT count(*) FROM t").scalar() == 0
    with database.reading() as reader:
        assert reader.exec_driver_sql("SELECT count(*) FROM t").scalar() == 1


def test_a_file_locked_by_another_program_is_busy(database: Database, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "home" / "aim.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageBusyError), database.writing():
            pytest.fail("the file was locked")
        other.execute("ROLLBACK")
    with database.writing():
        pass


def test_other_errors_say_what_happened(database: Database) -> None:
    with pytest.raises(StorageError, match="no such table: nowhere") as caught, database.reading() as connection:
        connection.exec_driver_sql("SELECT * FROM nowhere")
    assert type(caught.value) is StorageError
    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "aim.db").write_bytes(b"no database " * 100)
    with pytest.raises(StorageError, match="not a database"):
        Database(f"sqlite:///{tmp_path / 'aim.db'}")


def test_the_log_is_emptied_unless_somebody_reads_it(database: Database, tmp_path: Path) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE t (x INTEGER)")
    with database.reading() as reader:
        reader.exec_driver_sql("SELECT * FROM t").all()
        with database.writing() as writer:
            writer.exec_driver_sql("INSERT INTO t VALUES (1)")
        assert not database.scrub()
        assert database.owes_scrub
    assert database.scrub()
    assert not database.owes_scrub
    assert (tmp_path / "home" / "aim.db-wal").stat().st_size == 0


def test_a_database_in_memory_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="needs a file"):
        Database("sqlite:///:memory:")


def test_the_fair_lock_serves_in_order() -> None:
    lock, served, asked = FairLock(), [], threading.Semaphore(0)
    assert lock.acquire(0)

    def take(number: int) -> None:
        asked.release()
        assert lock.acquire(30)
        served.append(number)
        lock.release()

    with ThreadPoolExecutor(5) as pool:
        for number in range(5):
            pool.submit(take, number)
            asked.acquire()
            while len(lock) <= number:  # in line, not merely about to be
                pass
        lock.release()
    assert served == [0, 1, 2, 3, 4]


def test_who_is_interrupted_in_the_line_keeps_nobody_waiting() -> None:
    lock = FairLock()
    assert lock.acquire(0)

    with interrupted_when(lambda: len(lock)), pytest.raises(KeyboardInterrupt):
        lock.acquire(30)
    lock.release()
    assert lock.acquire(0)


def test_the_fair_lock_gives_up_in_time() -> None:
    lock = FairLock()
    assert lock.acquire(0)
    assert not lock.acquire(0.01)
    lock.release()
    assert lock.acquire(0), "who gave up is not served"
