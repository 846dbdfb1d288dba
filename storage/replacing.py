"""Putting a backup in the place of a store: whole, or not at all."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aim_memory.bodies import BackupManifest
from aim_memory.errors import ConflictError, StorageBusyError, StorageError
from aim_memory.ports import Progress
from aim_memory.storage import schema
from aim_memory.storage.backup import come_back, unpacked
from aim_memory.storage.database import Database
from aim_memory.storage.driver import translated
from aim_memory.storage.files import leave_log, settle, sync, url_of
from aim_memory.storage.holdings import LASTING, counted
from aim_memory.storage.tables import audit, generations, metadata
from aim_memory.storage.wall import EVERY_TENANT


def replace_rows(
    database: Database, folder: Path, manifest: BackupManifest, progress: Progress, *, replace: bool
) -> None:
    """In one transaction of PostgreSQL: readers see the old rows until it ends, writers wait for it."""
    with (
        TemporaryDirectory(prefix="aim-restore-") as place,
        unpacked(folder, manifest, Path(place)) as source,
        database.writing(EVERY_TENANT) as connection,
    ):
        connection.execute(sa.text("LOCK TABLE namespaces IN EXCLUSIVE MODE"))
        held = counted(connection)
        refuse_unless_empty(held, replace=replace)
        for table in reversed(metadata.sorted_tables):
            if table.name not in LASTING:
                connection.execute(sa.delete(table))
        connection.execute(sa.update(generations).values(chosen_at=None))  # the backup says which embedder is in use
        come_back(source, manifest, connection, _not_carried(held), progress)


def replace_file(file: Path, folder: Path, manifest: BackupManifest, progress: Progress, *, replace: bool) -> None:
    """Beside the old file, synced, and renamed over it. Raises StorageBusyError while somebody has the old one open."""
    place = file.with_name("restoring")
    with _held(file) as old:
        refuse_unless_empty(old.rows, replace=replace)
        shutil.rmtree(place, ignore_errors=True)  # of a restore that was interrupted
        place.mkdir(mode=0o700, parents=True)
        try:
            fresh = place / file.name
            with unpacked(folder, manifest, place) as source:
                _fill(fresh, source, old, manifest, progress)
            settle(fresh)
            progress("switching", 0, 1)
            fresh.replace(file)
            sync(file.parent)
            progress("switching", 1, 1)
        finally:
            shutil.rmtree(place, ignore_errors=True)


def refuse_unless_empty(rows: Mapping[str, int], *, replace: bool) -> None:
    if not replace and any(count for name, count in rows.items() if name not in LASTING):
        raise ConflictError(
            f"The store is not empty: {rows['memories']:,} memories in {rows['namespaces']:,} namespaces, and "
            f"{rows['api_keys']:,} keys. To replace them all by the backup, say so (--replace)."
        )


@dataclass(frozen=True, slots=True)
class _Old:
    """What is taken over from the store that was there."""

    rows: Mapping[str, int] = field(default_factory=dict)
    last_namespace: int = 0
    audit: Sequence[Mapping[str, Any]] = ()


@contextmanager
def _held(file: Path) -> Iterator[_Old]:
    """Keeps a SQLite file for oneself, as one file without a log beside it."""
    if not file.exists():
        yield _Old()
        return
    with closing(sqlite3.connect(file, timeout=1.0, isolation_level=None)) as connection:
        try:
            leave_log(connection)
            connection.execute("BEGIN EXCLUSIVE")
            old = _looked_at(connection)
        except sqlite3.Error as error:
            if isinstance(translated(error), StorageBusyError):
                raise StorageBusyError(f"{file} is open in another process. Stop the server, then restore.") from error
            raise StorageError(
                f"{file} is no store of ours, or damaged ({error}). Move it away, then restore."
            ) from error
        yield old


def _looked_at(connection: sqlite3.Connection) -> _Old:
    connection.row_factory = sqlite3.Row
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    ours = [table.name for table in metadata.sorted_tables if table.name in there]
    rows = {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in ours}  # noqa: S608
    given = connection.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = 'namespaces'") if ours else None
    noted = connection.execute("SELECT * FROM audit ORDER BY id") if audit.name in there else ()
    return _Old(
        dict.fromkeys((table.name for table in metadata.sorted_tables), 0) | rows,
        (given.fetchone()[0] or 0) if given else 0,
        [{name: row[name] for name in row.keys() if name != "id"} for row in noted],  # noqa: SIM118  a Row is no dict
    )


def _fill(fresh: Path, source: Database, old: _Old, manifest: BackupManifest, progress: Progress) -> None:
    with closing(Database(url_of(fresh))) as database:
        schema.ensure(database)
        with source.reading() as connection:
            last = max(old.last_namespace, _last_namespace(connection))
        with database.writing() as connection:
            # No follower may take a namespace that came back for the one that it knew.
            given = {"name": "namespaces", "seq": last}
            connection.execute(sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"), given)
            if old.audit:
                plain = sa.table(audit.name, *(sa.column(column.name) for column in audit.c))
                connection.execute(sa.insert(plain), old.audit)
            come_back(source, manifest, connection, _not_carried({audit.name: len(old.audit)}), progress)


def _last_namespace(connection: Connection) -> int:
    last = sa.text("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'namespaces'")
    return int(connection.execute(last).scalar_one())


def _not_carried(held: Mapping[str, int]) -> Collection[str]:
    """An audit log is never replaced: the one that is there goes on."""
    return [audit.name] if held.get(audit.name) else []
