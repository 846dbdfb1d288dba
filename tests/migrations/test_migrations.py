"""The migrations build the schema of the tables, in both directions, with rows in place."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from aim_memory.errors import StorageError
from aim_memory.storage import migrate, schema
from aim_memory.storage.database import Database
from aim_memory.storage.sql_store import SqlStore
from aim_memory.storage.tables import metadata
from aim_memory.types import SessionState
from tests.memories import ADA, GENERATION, SteppingClock, rich


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(_url(tmp_path))
    yield opened
    opened.close()


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'aim.db'}"


def _tables(database: Database) -> set[str]:
    with database.reading() as connection:
        return set(sa.inspect(connection).get_table_names())


def _rows(folder: Path) -> int:
    """How many rows a store with one rich memory and one session holds in all."""
    with closing(sqlite3.connect(folder / "aim.db")) as connection:
        return sum(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in metadata.tables)


def test_migrations_build_what_the_tables_say(database: Database) -> None:
    migrate.upgrade(database)
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_constraints_and_indexes_have_the_names_of_the_tables(database: Database) -> None:
    migrate.upgrade(database)
    twin = sa.create_engine("sqlite://")
    metadata.create_all(twin)
    with database.reading() as connection, twin.connect() as other:
        for table in metadata.tables:
            assert _constraints(sa.inspect(connection), table) == _constraints(sa.inspect(other), table)
    twin.dispose()


def _constraints(inspector: sa.Inspector, table: str) -> set[str | None]:
    found = [inspector.get_pk_constraint(table)["name"]]
    found += [each["name"] for each in inspector.get_foreign_keys(table)]
    found += [each["name"] for each in inspector.get_unique_constraints(table)]
    return {*found, *(each["name"] for each in inspector.get_indexes(table))}


def test_upgrading_twice_is_upgrading_once(database: Database) -> None:
    migrate.upgrade(database)
    migrate.upgrade(database)
    with database.reading() as connection:
        assert schema.revision(connection) == schema.HEAD == migrate.revisions()[0]


def test_up_down_up_with_rows(tmp_path: Path) -> None:
    for _ in range(2):
        store = SqlStore(_url(tmp_path), SteppingClock(), GENERATION)
        with store.begin(ADA) as work:
            work.insert([rich("m")])
            work.commit()
        store.save_session(ADA, "s", SessionState(turns=1))
        assert store.get(ADA, ["m"])["m"].text == rich("m").text
        store.close()
        assert _rows(tmp_path) > 7
        database = Database(_url(tmp_path))
        migrate.downgrade(database)
        assert _tables(database) == {"alembic_version"}
        database.close()


def test_a_migration_that_fails_leaves_nothing(database: Database) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE uses (other INTEGER)")  # stands in the way of the eighth table
    with pytest.raises(StorageError, match="uses"):
        migrate.upgrade(database)
    assert _tables(database) == {"uses"}
    with database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE uses")
    migrate.upgrade(database)
    assert _tables(database) == {"alembic_version", *metadata.tables}


def test_a_newer_schema_is_refused(database: Database) -> None:
    migrate.upgrade(database)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StorageError, match=r"'9999'.*Upgrade AIM-Memory"):
        migrate.upgrade(database)


def test_many_may_open_a_new_folder_at_once(tmp_path: Path) -> None:
    start = Barrier(6)

    def open_store() -> str | None:
        start.wait()
        store = SqlStore(_url(tmp_path / "new"), SteppingClock(), GENERATION)
        revision: str | None = store.check()["revision"]
        store.close()
        return revision

    with ThreadPoolExecutor(6) as pool:
        opened = [pool.submit(open_store) for _ in range(6)]
        assert [each.result() for each in opened] == [schema.HEAD] * 6
