"""Backups: a folder with ``aim.db``, every row as a SQLite database wherever it came from, and a manifest.

So a backup of either database comes back to either, and what looks through a store looks through a backup.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy.engine import Connection

from aim_memory.bodies import BackedUpNamespace, BackedUpTable, BackupManifest, VerifyReply
from aim_memory.ports import Progress
from aim_memory.storage import manifest as manifests
from aim_memory.storage import schema
from aim_memory.storage.carrying import Advance, Tally, carry, meter, tally
from aim_memory.storage.checking import look_through
from aim_memory.storage.database import Database
from aim_memory.storage.driver import raise_translated
from aim_memory.storage.files import settle, url_of
from aim_memory.storage.holdings import by_generation, counted, heads
from aim_memory.storage.wall import EVERY_TENANT

ROWS = "aim.db"
_PAGES = 2000
"""Copied between two words of progress: 8 MB."""
_Counted = tuple[Mapping[str, Tally], list[BackedUpNamespace]]


def copy_out(database: Database, folder: Path, progress: Progress) -> dict[str, Any]:
    """Writes all rows into a folder, as of one moment; returns what a manifest says of them."""
    rows = folder / ROWS
    if database.is_sqlite:
        _copy_pages(database, rows, progress)
    carried = None if database.is_sqlite else _carry_rows(database, rows, progress)
    with closing(Database(url_of(rows))) as copy, copy.reading() as connection:
        tallies, spaces = carried or (tally(connection, _meter(connection, "counting", progress)), heads(connection))
        generations = by_generation(connection)
    settle(rows)
    return {
        "database": database.engine.dialect.name,
        "revision": schema.HEAD,
        "files": {ROWS: manifests.entry(rows)},
        "tables": {name: BackedUpTable(rows=found.rows, sha256=found.sha256) for name, found in tallies.items()},
        "namespaces": spaces,
        "generations": generations,
    }


def _copy_pages(database: Database, target: Path, progress: Progress) -> None:
    """A copy of SQLite's pages. Inside one reading transaction, or each write of others would begin it anew."""

    def tell(_status: int, remaining: int, total: int) -> None:
        progress("copying", total - remaining, total)

    try:
        with closing(database.engine.raw_connection()) as pooled, closing(sqlite3.connect(target)) as copy:
            source: Any = pooled.driver_connection
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            try:
                source.backup(copy, pages=_PAGES, progress=tell)
            finally:
                source.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise_translated(error)


def _carry_rows(database: Database, target: Path, progress: Progress) -> _Counted:
    with closing(Database(url_of(target))) as copy:
        schema.ensure(copy)
        with database.reading(EVERY_TENANT) as source, copy.writing() as connection:
            spaces = heads(source)
            return carry(source, connection, _meter(source, "copying", progress)), spaces


@contextmanager
def unpacked(folder: Path, manifest: BackupManifest, place: Path) -> Iterator[Database]:
    """A copy of a backup's rows in an empty folder, proved byte by byte, brought to this version's schema.

    Raises StorageError if it is damaged, or was made by a newer version.
    """
    copy = place / "unpacked.db"
    manifests.copied(folder / ROWS, copy, manifest.files[ROWS])
    with closing(Database(url_of(copy))) as database:
        if manifest.revision != schema.HEAD:
            schema.ensure(database)
        yield database


def come_back(
    source: Database, manifest: BackupManifest, target: Connection, without: Collection[str], progress: Progress
) -> None:
    """Carries an unpacked backup into empty tables. Raises StorageError if it is not what its manifest says."""
    with source.reading() as connection:
        tallies = carry(connection, target, _meter(connection, "restoring", progress), without=without)
    compare(manifest, tallies)


def compare(manifest: BackupManifest, tallies: Mapping[str, Tally]) -> None:
    """Raises StorageError unless the tables are those of the manifest, as far as they can be compared: an older
    schema's had other columns."""
    for name, told in manifest.tables.items():
        found = tallies.get(name)
        same_schema = manifest.revision == schema.HEAD
        if found is not None and (found.rows, found.sha256 if same_schema else told.sha256) != (told.rows, told.sha256):
            raise manifests.damaged(f"its table {name} is not that of its manifest")


def prove(folder: Path, progress: Progress) -> VerifyReply:
    """Restores a backup into a temporary place, compares every row and every namespace, and looks through the result.

    Raises StorageError if the backup is damaged, InvalidInputError if there is none.
    """
    manifest = manifests.read(folder)
    with (
        TemporaryDirectory(prefix="aim-proof-") as place,
        unpacked(folder, manifest, Path(place)) as source,
        closing(Database(url_of(Path(place, "restored.db")))) as restored,
    ):
        schema.ensure(restored)
        with restored.writing() as connection:
            come_back(source, manifest, connection, (), progress)
        with restored.reading() as connection:
            compare(manifest, tally(connection, _meter(connection, "comparing", progress)))
            if _places(heads(connection)) != _places(manifest.namespaces):
                raise manifests.damaged("its namespaces are not those of its manifest")
            return look_through(connection, progress)


def _places(spaces: list[BackedUpNamespace]) -> list[BackedUpNamespace]:
    """Without epochs, which are given anew."""
    return [space.model_copy(update={"epoch": 0}) for space in spaces]


def _meter(connection: Connection, step: str, progress: Progress) -> Advance:
    return meter(progress, step, sum(counted(connection).values()))
