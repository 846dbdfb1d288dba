"""The second wall between tenants: what a query that forgot its tenant finds on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from aim_memory.errors import StorageError
from aim_memory.storage.database import Database
from aim_memory.storage.sql_store import SqlStore
from aim_memory.storage.tables import metadata
from aim_memory.storage.wall import EVERY_TENANT, Whose
from aim_memory.types import ApiKey, AuditEntry, Job, SessionState, Space, Supersession
from tests import postgres
from tests.figures import figure
from tests.memories import ADA, GENERATION, STRANGER, SteppingClock, day, lives_in, new, rich, vector_of

CLOSED = [table for table in metadata.tables if table != "generations"]
"""Every table but the names of embedders, which are nobody's."""
IN_NAMESPACE = [table for table in CLOSED if "namespace_id" in metadata.tables[table].c]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """Two tenants, each with rows in every table."""
    opened = SqlStore(postgres.url(tmp_path), SteppingClock(), GENERATION)
    for space in (ADA, STRANGER):
        _fill(opened, space)
    yield opened
    opened.close()


@pytest.fixture(params=["the service", "the owner"])
def database(request: pytest.FixtureRequest, store: SqlStore, tmp_path: Path) -> Iterator[Database]:
    server = postgres.server()
    opened = Database(server.url(tmp_path) if request.param == "the service" else server.owner_url(tmp_path))
    yield opened
    opened.close()


def _fill(store: SqlStore, space: Space) -> None:
    old, closer = lives_in("old", "paris", at=0), lives_in("new", "rome", at=3)
    with store.begin(space) as work:
        work.insert([rich("m"), old, closer])
        work.supersede([Supersession("old", "new", old.statements[0], day(3))])
        work.keep_reply("key", "print", b"reply", day(0))
        work.commit()
    with store.begin(space) as work:
        work.embed("old", vector_of("old")[None, :], "another")
        work.insert([new("made", trust="derived", derived_from=("m",))])
        work.commit()
    store.note(AuditEntry(day(0), space.tenant, "key", "n", "erase", None, "ok"))
    store.jobs.submit(Job(f"job of {space.tenant}", "kind", day(0), day(0), space.tenant))
    store.save_session(space, "s", SessionState(turns=1))
    store.reinforce(space, {"m": 1.0})
    store.add_key(ApiKey(f"key of {space.tenant}", space.tenant, "n", "admin", day(0)), f"hash of {space.tenant}")


def _counts(database: Database, whose: Whose) -> dict[str, int]:
    with database.reading(whose) as connection:
        counted = {table: sa.select(sa.func.count()).select_from(sa.table(table)) for table in CLOSED}
        return {table: connection.execute(query).scalar_one() for table, query in counted.items()}


def _foreign(database: Database, table: str) -> Any:
    """The condition that rows of ``table`` belong to the stranger."""
    with database.reading(STRANGER.tenant) as connection:
        namespace = connection.execute(sa.text("SELECT id FROM namespaces")).scalar_one()
    return sa.column("namespace_id") == namespace if table in IN_NAMESPACE else sa.column("tenant") == STRANGER.tenant


def test_a_query_without_a_tenant_finds_no_foreign_row(database: Database) -> None:
    everything = _counts(database, EVERY_TENANT)
    assert all(everything.values())
    for space in (ADA, STRANGER):
        assert _counts(database, space.tenant) == {table: count // 2 for table, count in everything.items()}
    for table in CLOSED:
        foreign = _foreign(database, table)
        with database.reading(ADA.tenant) as connection:
            assert connection.execute(sa.select(sa.text("*")).select_from(sa.table(table)).where(foreign)).all() == []
    figure("a forgotten condition shows no other tenant's row", f"{len(CLOSED)} tables, PostgreSQL", "0 foreign rows")


def test_who_works_for_nobody_sees_nothing(database: Database) -> None:
    assert set(_counts(database, None).values()) == {0}
    assert set(_counts(database, "a tenant that does not exist").values()) == {0}
    assert set(_counts(database, "every tenant").values()) == {0}, "a name is no reach"


def test_what_one_transaction_saw_the_next_does_not(database: Database) -> None:
    for whose in (ADA.tenant, EVERY_TENANT):
        assert all(_counts(database, whose).values())
        assert set(_counts(database, None).values()) == {0}, "on the same connection"


@pytest.mark.parametrize("table", [table for table in CLOSED if table != "audit"])  # nobody's entry is ever changed
def test_foreign_rows_are_neither_changed_nor_removed(database: Database, table: str) -> None:
    before, rows = _counts(database, STRANGER.tenant), sa.table(table, sa.column("tenant"), sa.column("namespace_id"))
    foreign = _foreign(database, table)
    column = "namespace_id" if table in IN_NAMESPACE else "tenant"
    with database.writing(ADA.tenant) as connection:
        assert connection.execute(sa.update(rows).where(foreign).values({column: rows.c[column]})).rowcount == 0
        assert connection.execute(sa.delete(rows).where(foreign)).rowcount == 0
    assert _counts(database, STRANGER.tenant) == before


@pytest.mark.parametrize("table", IN_NAMESPACE)
def test_nothing_is_written_into_a_foreign_namespace(database: Database, table: str) -> None:
    foreign = _foreign(database, table).right.value
    rows = sa.table(table, sa.column("namespace_id"))
    with pytest.raises(StorageError, match="row-level security"), database.writing(ADA.tenant) as connection:
        connection.execute(sa.update(rows).values(namespace_id=foreign))


def test_partitions_are_no_way_around(database: Database) -> None:
    everything = _in_partitions(database, EVERY_TENANT)
    assert everything > 0
    assert _in_partitions(database, None) == 0
    assert _in_partitions(database, ADA.tenant) == _in_partitions(database, STRANGER.tenant) == everything // 2


def _in_partitions(database: Database, whose: Whose) -> int:
    """The rows of all partitions, asked one by one."""
    partitions = "SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_class ON oid = inhparent WHERE relkind = 'p'"
    with database.reading(whose) as connection:
        found = connection.scalars(sa.text(partitions)).all()
        assert len(found) == 10 * postgres.PARTITIONS
        return sum(connection.execute(sa.text(f"SELECT count(*) FROM {each}")).scalar_one() for each in found)


def test_the_service_may_not_take_the_wall_down(tmp_path: Path, store: SqlStore) -> None:
    database = Database(postgres.url(tmp_path))
    attempts = ["ALTER TABLE memories DISABLE ROW LEVEL SECURITY", "DROP POLICY of_tenant ON memories"]
    for attempt in attempts:
        with pytest.raises(StorageError, match="owner"), database.writing() as connection:
            connection.execute(sa.text(attempt))
    with database.writing() as connection:
        connection.execute(sa.text("SET LOCAL row_security = off"))
        with pytest.raises(StorageError, match="would be affected by row-level"):
            connection.execute(sa.text("SELECT * FROM memories"))
    database.close()


def test_a_role_that_no_wall_holds_is_told_so(tmp_path: Path, store: SqlStore) -> None:
    assert store.check()["row_security"] == "on"
    mighty = SqlStore(postgres.server().superuser_url(tmp_path), SteppingClock(), GENERATION)
    assert "no superuser" in mighty.check()["row_security"]
    mighty.close()
