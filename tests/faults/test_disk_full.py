"""A full disk refuses writes with a clear error; reads and deletions go on, and writing resumes by itself."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from aim_memory.errors import StorageFullError
from aim_memory.storage.sql_store import SqlStore
from tests.memories import ADA, GENERATION, SteppingClock, new

_PAGES = 100  # of 4 KiB; the empty schema takes about 40


def _limit(connection: Any, _record: object) -> None:
    connection.execute(f"PRAGMA max_page_count = {_PAGES}").close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """A store on a disk of 400 KiB, as far as SQLite can tell."""
    event.listen(Engine, "connect", _limit)
    opened = SqlStore(f"sqlite:///{tmp_path / 'aim.db'}", SteppingClock(), GENERATION)
    yield opened
    opened.close()
    event.remove(Engine, "connect", _limit)


def _write(store: SqlStore, memory_id: str) -> None:
    with store.begin(ADA) as work:
        work.insert([new(memory_id, summary=memory_id * 4_000)])
        work.commit()


def _write_until_it_fails(store: SqlStore, written: list[str]) -> None:
    for number in count():
        _write(store, f"m{number}")
        written.append(f"m{number}")


def test_a_full_disk_refuses_writes_and_nothing_else(store: SqlStore) -> None:
    written: list[str] = []
    with pytest.raises(StorageFullError, match="reads and deletes go on") as caught:
        _write_until_it_fails(store, written)
    assert caught.value.retryable
    assert len(written) > 5
    assert list(store.get(ADA, [*written, f"m{len(written)}"])) == written
    assert store.head(ADA).seq == len(written)

    with store.begin(ADA) as work:
        assert work.delete(written[:5]) == 5
        work.commit()
    _write(store, "after")
    assert list(store.get(ADA, [*written, "after"])) == [*written[5:], "after"]
