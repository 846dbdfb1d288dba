"""Embedder generations as small numbers: every vector says which embedder made it. And which of them is in use."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aim_memory.storage.database import Database, insert_unless_there
from aim_memory.storage.tables import generations
from aim_memory.types import ChosenEmbedder

_G = generations.c
_CHOSEN = sa.select(_G.name, _G.embedder).where(_G.chosen_at.is_not(None)).order_by(_G.chosen_at.desc(), _G.id.desc())


class Generations:
    """The generation whose vectors are handed out, the numbers of all, and the one that was chosen."""

    def __init__(self, database: Database, current: str | None) -> None:
        """``current`` None: the store is opened without an embedder, and no vector is handed out."""
        self._database = database
        self.use(current)

    def use(self, current: str | None) -> None:
        """Hands out vectors of this generation from here on."""
        self.current_id = None if current is None else self._registered(current)
        self.current = current

    def number(self, connection: Connection, name: str) -> int:
        """The number of a generation, given in this very transaction if it is new."""
        if name == self.current and self.current_id is not None:
            return self.current_id
        return _numbered(connection, name)

    def known(self, name: str) -> int:
        """The number of a generation; 0, which none has, if nothing was ever embedded by it."""
        with self._database.reading() as connection:
            return connection.scalar(_number_of(name)) or 0

    def names(self) -> list[str]:
        """Of all that were ever in use, the earliest first."""
        with self._database.reading() as connection:
            return list(connection.scalars(sa.select(_G.name).order_by(_G.id)))

    def _registered(self, name: str) -> int:
        if known := self.known(name):
            return known
        with self._database.writing() as connection:
            return _numbered(connection, name)

    def choose(self, chosen: ChosenEmbedder, now: datetime) -> None:
        with self._database.writing() as connection:
            number = _numbered(connection, chosen.generation)
            values = {"embedder": dict(chosen.settings), "chosen_at": now}
            connection.execute(sa.update(generations).where(_G.id == number).values(values))

    def chosen(self) -> list[ChosenEmbedder]:
        """The latest first."""
        with self._database.reading() as connection:
            return [ChosenEmbedder(*row) for row in connection.execute(_CHOSEN)]

    def unchoose(self) -> None:
        latest = _CHOSEN.with_only_columns(_G.id).limit(1).scalar_subquery()
        with self._database.writing() as connection:
            connection.execute(sa.update(generations).where(_G.id == latest).values(chosen_at=None))


def _numbered(connection: Connection, name: str) -> int:
    connection.execute(insert_unless_there(connection, generations), [{"name": name}])
    return connection.execute(_number_of(name)).scalar_one()


def _number_of(name: str) -> sa.Select[int]:
    return sa.select(_G.id).where(_G.name == name)
