"""Moves a database from one schema to another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection

from aim_memory import migrations
from aim_memory.errors import StorageError
from aim_memory.storage import schema
from aim_memory.storage.database import Database
from aim_memory.storage.schema import PARTITIONS

_LOCK = 0x41494D  # the number under which PostgreSQL knows this lock


def upgrade(database: Database, partitions: int = PARTITIONS) -> None:
    """Applies the migrations that are missing, all in one transaction; does nothing when there are none.

    ``partitions``: of each large table, when PostgreSQL's are made; 0 leaves them whole.
    Processes that open one database take turns: the second finds the work done.
    Raises StorageError if the database was written by a newer version of this code.
    """
    with _alone(database) as connection:
        _refuse_newer(schema.revision(connection))
        command.upgrade(_config(connection, partitions), "head")


def downgrade(database: Database, revision: str = "base") -> None:
    """Undoes migrations down to ``revision``, in one transaction. What only newer tables held is lost."""
    with _alone(database) as connection:
        command.downgrade(_config(connection), revision)


def revisions() -> list[str]:
    """All migrations, the newest first."""
    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]


@contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    """A transaction that no other migration runs beside; SQLite's writers are alone anyway."""
    with database.writing() as connection:
        if not database.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        yield connection


def _config(connection: Connection | None = None, partitions: int = 0) -> Config:
    config = Config(attributes={"connection": connection, "partitions": partitions})
    folder = Path(str(migrations.__file__)).parent
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _refuse_newer(revision: str | None) -> None:
    if revision is not None and revision not in revisions():
        raise StorageError(
            f"The store has the schema '{revision}', which this version does not know. Upgrade AIM-Memory to open it."
        )
