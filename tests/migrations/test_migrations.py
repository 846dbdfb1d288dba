"""The migrations build the schema of the tables, in both directions, with rows in place."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
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
from aim_memory.storage.tables import Json, metadata
from aim_memory.storage.wall import EVERY_TENANT
from aim_memory.types import SessionState
from tests import postgres
from tests.figures import figure
from tests.memories import ADA, GENERATION, SteppingClock, rich

ROOT = Path(__file__).resolve().parents[2]
FEW = 2
"""Partitions: a table's foreign keys are made anew for each."""
URLS: dict[str, Callable[[Path], str]] = {
    "sqlite": lambda folder: f"sqlite:///{folder / 'aim.db'}",
    "postgresql": lambda folder: postgres.server().blank_url(folder),
}


@pytest.fixture(params=list(URLS))
def url_of(request: pytest.FixtureRequest) -> Callable[[Path], str]:
    """Where a folder's own database without tables is; one is made if there is none."""
    return URLS[request.param]


@pytest.fixture
def url(url_of: Callable[[Path], str], tmp_path: Path) -> str:
    return url_of(tmp_path)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    opened = Database(url)
    yield opened
    opened.close()


def _tables(database: Database) -> set[str]:
    with database.reading() as connection:
        return set(sa.inspect(connection).get_table_names())


def _rows(database: Database) -> int:
    """How many rows a store with one rich memory and one session holds in all, in the tables that it has."""
    there = _tables(database)
    with database.reading(EVERY_TENANT) as connection:
        counts = [
            sa.select(sa.func.count()).select_from(metadata.tables[name]) for name in metadata.tables if name in there
        ]
        return sum(connection.execute(count).scalar_one() for count in counts)


def test_migrations_build_what_the_tables_say(database: Database) -> None:
    migrate.upgrade(database, partitions=0)
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_constraints_and_indexes_have_the_names_of_the_tables(
    database: Database, url_of: Callable[[Path], str], tmp_path: Path
) -> None:
    migrate.upgrade(database, partitions=0)
    (tmp_path / "twin").mkdir()
    twin = sa.create_engine(url_of(tmp_path / "twin"))
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
    migrate.upgrade(database, FEW)
    migrate.upgrade(database, FEW)
    with database.reading() as connection:
        assert schema.revision(connection) == schema.HEAD == migrate.revisions()[0]


def test_up_down_up_with_rows(database: Database, url: str) -> None:
    for _ in range(2):
        store = SqlStore(url, SteppingClock(), GENERATION, partitions=FEW)
        with store.begin(ADA) as work:
            work.insert([rich("m")])
            work.commit()
        store.save_session(ADA, "s", SessionState(turns=1))
        assert store.get(ADA, ["m"])["m"].text == rich("m").text
        store.close()
        assert _rows(database) > 7
        migrate.downgrade(database)
        assert _tables(database) == {"alembic_version"}


def test_every_step_down_and_up_again_keeps_the_rows(database: Database, url: str) -> None:
    store = SqlStore(url, SteppingClock(), GENERATION, partitions=FEW)
    with store.begin(ADA) as work:
        work.insert([rich("m")])
        work.commit()
    rows = _rows(database)
    for revision in migrate.revisions()[1:]:
        migrate.downgrade(database, revision)
        assert _rows(database) == rows
        migrate.upgrade(database, FEW)
        assert _rows(database) == rows
    assert store.get(ADA, ["m"])["m"].text == rich("m").text
    store.close()


def test_a_migration_that_fails_leaves_nothing(database: Database) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE uses (other INTEGER)")  # stands in the way of the eighth table
    with pytest.raises(StorageError, match="uses"):
        migrate.upgrade(database, FEW)
    assert _tables(database) == {"uses"}
    with database.writing() as connection:
        connection.exec_driver_sql("DROP TABLE uses")
    migrate.upgrade(database, FEW)
    assert {"alembic_version", *metadata.tables} <= _tables(database)


@pytest.mark.parametrize("stride", [9, pytest.param(1, marks=pytest.mark.deep)])
def test_a_migration_that_is_killed_goes_on_at_the_next_start(database: Database, url: str, stride: int) -> None:
    store = SqlStore(url, SteppingClock(), GENERATION, partitions=FEW)
    with store.begin(ADA) as work:
        work.insert([rich("m")])
        work.commit()
    kept = store.get(ADA, ["m"])
    store.close()
    migrate.downgrade(database, "0001")
    command = [sys.executable, "-m", "tests.migrations.interrupted", url, str(stride)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert ended.returncode == 0, ended.stderr
    kills = int(ended.stdout)
    assert kills >= 3
    store = SqlStore(url, SteppingClock(), GENERATION)
    assert store.get(ADA, ["m"]) == kept
    store.close()
    with database.reading() as connection:
        assert schema.revision(connection) == schema.HEAD
    assert {"alembic_version", *metadata.tables} <= _tables(database)
    size = f"kill -9 before {kills} statements of the migrations from 0001, {database.engine.dialect.name}"
    figure("a migration that is killed goes on at the next start", size, "0 rows lost, the schema whole")


def test_a_newer_schema_is_refused(database: Database) -> None:
    migrate.upgrade(database, FEW)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StorageError, match=r"'9999'.*Upgrade AIM-Memory"):
        migrate.upgrade(database, FEW)


def test_many_may_open_a_new_store_at_once(url: str) -> None:
    start = Barrier(6)

    def open_store() -> str | None:
        start.wait()
        store = SqlStore(url, SteppingClock(), GENERATION, partitions=FEW)
        revision: str | None = store.check()["revision"]
        store.close()
        return revision

    with ThreadPoolExecutor(6) as pool:
        opened = [pool.submit(open_store) for _ in range(6)]
        assert [each.result() for each in opened] == [schema.HEAD] * 6


@pytest.mark.parametrize("partitions", [0, 3])
def test_large_tables_are_divided_as_asked(partitions: int, tmp_path: Path) -> None:
    database = Database(URLS["postgresql"](tmp_path))
    migrate.upgrade(database, partitions)
    large = (
        "evidence",
        "memories",
        "segments",
        "spare_vectors",
        "statements",
        "derivations",
        "versions",
        "uses",
        "changes",
        "sessions",
    )
    parts = {f"{table}_{number}" for table in large for number in range(partitions)}
    assert _tables(database) == {"alembic_version", *metadata.tables, *parts}
    database.close()


def test_text_is_sorted_by_code_points(tmp_path: Path) -> None:
    database = Database(URLS["postgresql"](tmp_path))
    migrate.upgrade(database, partitions=0)
    every_column = [column for table in metadata.tables.values() for column in table.c]
    text = {f"{column.table.name}.{column.name}" for column in every_column if isinstance(column.type, sa.Text | Json)}
    assert len(text) > 30
    columns = "table_name || '.' || column_name FROM information_schema.columns WHERE collation_name = 'C'"
    with database.reading() as connection:
        assert text <= set(connection.scalars(sa.text(f"SELECT {columns}")))
    database.close()
