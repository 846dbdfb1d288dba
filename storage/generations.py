"""Embedder generations as small numbers: every vector says which embedder made it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aim_memory.storage.database import Database, insert_unless_there
from aim_memory.storage.tables import generations


class Generations:
    """The generation in use, and the numbers of all."""

    def __init__(self, database: Database, current: str | None) -> None:
        """``current`` None: the store is opened without an embedder, and no vector is handed out."""
        self.current = current
        self.current_id = None if current is None else self._registered(database, current)

    def number(self, connection: Connection, name: str) -> int:
        """The number of a generation, given in this very transaction if it is new."""
        if name == self.current and self.current_id is not None:
            return self.current_id
        return self._numbered(connection, name)

    def _registered(self, database: Database, name: str) -> int:
        with database.reading() as connection:
            known = connection.scalar(_number_of(name))
        if known is not None:
            return known
        with database.writing() as connection:
            return self._numbered(connection, name)

    @staticmethod
    def _numbered(connection: Connection, name: str) -> int:
        connection.execute(insert_unless_there(connection, generations), [{"name": name}])
        return connection.execute(_number_of(name)).scalar_one()


def _number_of(name: str) -> sa.Select[int]:
    return sa.select(generations.c.id).where(generations.c.name == name)
