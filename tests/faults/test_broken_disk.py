"""A disk that fails in the middle of writing: nobody is told that a write was kept that was not."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from aim_memory.errors import StorageError
from aim_memory.storage.sql_store import SqlStore
from tests.faults.faulty import files_end_at
from tests.figures import figure
from tests.memories import ADA, GENERATION, SteppingClock, ids_of, new

WRITERS = 6


class Writers:
    """Threads that write pairs of memories until the disk fails them."""

    def __init__(self, store: SqlStore, name: str) -> None:
        self._store = store
        self._name = name
        self.acknowledged: list[str] = []
        self.refused: list[str] = []
        self._lock = threading.Lock()

    def run(self) -> None:
        with ThreadPoolExecutor(WRITERS) as pool:
            list(pool.map(self._write_until_it_fails, range(WRITERS)))

    def _write_until_it_fails(self, writer: int) -> None:
        for number in count():
            first, second = (f"{self._name}-{writer}-{number}-{part}" for part in "ab")
            kept = self._write(first, second)
            with self._lock:
                (self.acknowledged if kept else self.refused).extend((first, second))
            if not kept:
                return

    def _write(self, *ids: str) -> bool:
        try:
            with self._store.begin(ADA) as work:
                work.insert([new(memory_id, summary=memory_id * 200) for memory_id in ids])
                work.commit()
        except StorageError:
            return False
        return True


@pytest.mark.parametrize("room", [0, 61_001, 150_000, 400_000])
def test_what_a_broken_disk_did_not_take_is_refused_and_leaves_no_half(tmp_path: Path, room: int) -> None:
    store = SqlStore(f"sqlite:///{tmp_path / 'aim.db'}", SteppingClock(), GENERATION)
    _write(store, "before")
    log = tmp_path / "aim.db-wal"
    writers = Writers(store, "w")
    with files_end_at(log.stat().st_size + room):
        writers.run()
        there = set(ids_of(store.snapshot(ADA)[1]))
        assert there >= {"before", *writers.acknowledged}, "reads go on"
    _write(store, "after")
    head, rows = store.snapshot(ADA)
    there = set(ids_of(rows))
    assert there >= {"before", "after", *writers.acknowledged}
    halves = [one for one in writers.refused if (one in there) != ((one[:-1] + "ab".replace(one[-1], "")) in there)]
    assert halves == []
    assert [change.seq for change in store.changes(ADA, 0)] == list(range(1, head.seq + 1))
    store.close()
    with closing(sqlite3.connect(tmp_path / "aim.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert len(writers.refused) == 2 * WRITERS
    phantoms = len(there & set(writers.refused)) // 2
    figure(
        "a disk that fails loses nothing acknowledged",
        f"{WRITERS} writers, {room:,} bytes until it fails",
        f"{len(writers.acknowledged) // 2} kept, {WRITERS} refused, {phantoms} of them kept whole, 0 lost, 0 halved",
    )


def _write(store: SqlStore, memory_id: str) -> None:
    with store.begin(ADA) as work:
        work.insert([new(memory_id)])
        work.commit()
