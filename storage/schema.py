"""Which schema a database has, and which one this code works with.

Apart from ``migrate``, so that opening a store that needs no migration does not load the migration tool.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aim_memory.storage.database import Database

HEAD = "0005"
"""The newest migration."""
PARTITIONS = 16
"""Of each large table on PostgreSQL, unless told otherwise."""
_VERSION = sa.table("alembic_version", sa.column("version_num", sa.Text))


def ensure(database: Database, partitions: int = PARTITIONS) -> None:
    """Brings a database to ``HEAD``, making it if need be. Raises StorageError if newer code wrote it."""
    with database.reading() as connection:
        if revision(connection) == HEAD:
            return
    from aim_memory.storage import migrate

    migrate.upgrade(database, partitions)


def revision(connection: Connection) -> str | None:
    """The schema of a database; None before the first migration."""
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    return connection.scalar(sa.select(_VERSION.c.version_num))
