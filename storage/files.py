"""SQLite files as files: alone, whole and synced."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import URL

from aim_memory.errors import StorageBusyError
from aim_memory.storage.driver import raise_translated


def url_of(file: Path) -> str:
    return URL.create("sqlite", database=str(file)).render_as_string()


def settle(file: Path) -> None:
    """Makes a database, which nobody has open, one file without a log beside it, and syncs it.

    Raises StorageBusyError if somebody has it open.
    """
    try:
        with closing(sqlite3.connect(file, timeout=1.0)) as connection:
            leave_log(connection)
    except sqlite3.Error as error:
        raise_translated(error)
    sync(file)


def leave_log(connection: sqlite3.Connection) -> None:
    """Empties the write-ahead log into the file and removes it; SQLite refuses while another connection is there."""
    if connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0] != "delete":
        raise StorageBusyError


def sync(path: Path) -> None:
    """Has the disk keep a file, or the names in a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
