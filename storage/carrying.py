"""Rows of every table, carried from one database to another and counted on the way.

Values are carried as they are stored. Numbers that a database gives by itself (of namespaces, of generations) are given
anew by the one that takes the rows: a namespace that comes back from a backup is another epoch, and no follower takes
it for what it had seen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.types import TypeDecorator, TypeEngine

from aim_memory.ports import Progress
from aim_memory.storage.database import insert_unless_there
from aim_memory.storage.tables import generations, metadata, namespaces

BATCH = 500
Row = tuple[Any, ...]
Advance = Callable[[int], None]
"""Hears how many more rows are done."""
_GIVEN = "id"
"""The column whose value a database gives by itself, in tables where it is a number."""
_POINTS_AT = {"namespace_id": "namespaces", "generation_id": "generations"}
_MODULUS = 1 << 256


@dataclass(slots=True)
class Tally:
    """How many rows a table has, and what is in them: the sum of their SHA-256, whatever their order."""

    rows: int = 0
    total: int = 0

    def add(self, told: bytes) -> None:
        self.rows += 1
        self.total = (self.total + int.from_bytes(hashlib.sha256(told).digest(), "big")) % _MODULUS

    @property
    def sha256(self) -> str:
        return f"{self.total:064x}"


@dataclass(frozen=True, slots=True)
class Names:
    """What the numbers of a database stand for, so that rows can be told without them."""

    namespaces: Mapping[int, tuple[str, str]]
    generations: Mapping[int, str]

    @classmethod
    def of(cls, connection: Connection) -> Names:
        n, g = namespaces.c, generations.c
        spaces = {
            number: (tenant, path) for number, tenant, path in connection.execute(sa.select(n.id, n.tenant, n.path))
        }
        return cls(spaces, dict(connection.execute(sa.select(g.id, g.name)).all()))

    def told(self, layout: Layout, row: Row) -> bytes:
        """A row in words that are the same on every database."""
        known: dict[str, Mapping[int, Any]] = {"namespaces": self.namespaces, "generations": self.generations}
        plain = [
            known[layout.points[i]].get(value, value) if i in layout.points else value for i, value in enumerate(row)
        ]
        if layout.given:
            plain[0] = None
        blobs = b"".join(_framed(plain[i]) for i in layout.blobs)
        for i in layout.blobs:
            plain[i] = None
        return json.dumps(plain, separators=(",", ":")).encode() + blobs


def _framed(blob: bytes | None) -> bytes:
    return b"-" if blob is None else len(blob).to_bytes(8, "big") + blob


@dataclass(frozen=True, slots=True)
class Layout:
    """A table without the types of this code: its values as the database holds them."""

    table: sa.TableClause
    given: bool
    """Whether the database numbers the rows; the number is the first column."""
    points: Mapping[int, str]
    """Columns that hold such numbers: their places, and the table that they point at."""
    blobs: Sequence[int]


@cache
def layouts() -> Mapping[str, Layout]:
    """All tables, each after those that it refers to."""
    return {table.name: _layout(table) for table in metadata.sorted_tables}


def _layout(table: sa.Table) -> Layout:
    columns = list(table.columns)
    stored = [_stored(column.type) for column in columns]
    return Layout(
        table=sa.table(table.name, *(sa.column(c.name, type_) for c, type_ in zip(columns, stored, strict=True))),
        given=columns[0].name == _GIVEN and isinstance(stored[0], sa.BigInteger),
        points={i: _POINTS_AT[column.name] for i, column in enumerate(columns) if column.name in _POINTS_AT},
        blobs=[i for i, type_ in enumerate(stored) if isinstance(type_, sa.LargeBinary)],
    )


def _stored(type_: TypeEngine[Any]) -> TypeEngine[Any]:
    return type_.impl_instance if isinstance(type_, TypeDecorator) else type_


def rows_of(connection: Connection, layout: Layout) -> Iterator[Row]:
    """The rows of a table, a batch in memory at a time; numbered ones in their order."""
    query = sa.select(layout.table)
    query = query.order_by(layout.table.c[_GIVEN]) if layout.given else query
    streamed = connection.execution_options(stream_results=True, yield_per=BATCH)
    for row in streamed.execute(query):
        yield tuple(row)


def tally(connection: Connection, advance: Advance) -> dict[str, Tally]:
    """Counts all tables."""
    names = Names.of(connection)
    tallies = {name: Tally() for name in layouts()}
    for name, layout in layouts().items():
        for batch in _batches(rows_of(connection, layout)):
            for row in batch:
                tallies[name].add(names.told(layout, row))
            advance(len(batch))
    return tallies


_Numbers = dict[str, dict[int, int]]
"""Old number → new number, by table."""


def carry(
    source: Connection, target: Connection, advance: Advance, *, without: Collection[str] = ()
) -> dict[str, Tally]:
    """Copies all tables but those ``without`` into tables that are empty, and counts what it carried.

    A generation that the target knows keeps its number there.
    """
    names = Names.of(source)
    numbers: _Numbers = {}
    tallies: dict[str, Tally] = {}
    for name, layout in layouts().items():
        if name in without:
            continue
        tallies[name] = counted = Tally()
        for batch in _batches(rows_of(source, layout)):
            for row in batch:
                counted.add(names.told(layout, row))
            _insert(target, layout, batch, numbers)
            advance(len(batch))
    return tallies


def _insert(target: Connection, layout: Layout, batch: Sequence[Row], numbers: _Numbers) -> None:
    columns = [column.name for column in layout.table.c]
    rows = [dict(zip(columns, _moved(layout, row, numbers), strict=True)) for row in batch]
    if not layout.given:
        target.execute(sa.insert(layout.table), rows)
        return
    given = numbers.setdefault(layout.table.name, {})
    for row in rows:
        old = row.pop(_GIVEN)
        given[old] = _numbered(target, layout.table.name, row)


def _moved(layout: Layout, row: Row, numbers: _Numbers) -> Row:
    """A row that points at the new numbers. At what is not there it points as before, and the database refuses it."""
    points = layout.points
    if not points:
        return row
    return tuple(numbers[points[i]].get(value, value) if i in points else value for i, value in enumerate(row))


def _numbered(target: Connection, name: str, row: Mapping[str, Any]) -> int:
    """Inserts a row and returns the number it was given."""
    table = layouts()[name].table
    if name == generations.name:
        target.execute(insert_unless_there(target, metadata.tables[name]).values({"name": row["name"]}))
        which = table.c.name == row["name"]
        target.execute(sa.update(table).where(which).values(row))
        return int(target.execute(sa.select(table.c[_GIVEN]).where(which)).scalar_one())
    return int(target.execute(sa.insert(table).values(row).returning(table.c[_GIVEN])).scalar_one())


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def meter(progress: Progress, step: str, total: int) -> Advance:
    """Adds up what is done of a step, and tells."""
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        progress(step, done, total)

    return advance
