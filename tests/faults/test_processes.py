"""Several processes on one SQLite file: none is told that the file is locked, and the log has no gap."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import aim_memory
from aim_memory.storage.keeper import FollowingKeeper
from aim_memory.storage.sql_store import SqlStore
from tests.figures import figure
from tests.memories import ADA, GENERATION, RowsById, SteppingClock

WRITES = 40
THREADS = 4
_WRITER = f"""
import sys
from aim_memory.storage.sql_store import SqlStore
from tests.memories import ADA, GENERATION, SteppingClock, new
name, url = sys.argv[1:]
store = SqlStore(url, SteppingClock(), GENERATION)
for number in range({WRITES}):
    with store.begin(ADA) as work:
        work.insert([new(f"{{name}}{{number}}")])
        seq = work.commit().seq
    print(seq, f"{{name}}{{number}}", flush=True)
store.close()
"""


def _start(name: str, url: str, writer: str = _WRITER) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(aim_memory.__file__).parents[1])}
    command = [sys.executable, "-c", writer, name, url]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_three_processes_open_one_new_folder_and_write(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'aim.db'}"
    writers = [_start(name, url) for name in "abc"]
    acknowledged = [line.split() for writer in writers for line in writer.communicate(timeout=100)[0].splitlines()]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    store = SqlStore(url, SteppingClock(), GENERATION)
    log = {change.seq: change.memory_id for change in store.changes(ADA, 0)}
    assert log == {int(seq): memory_id for seq, memory_id in acknowledged}
    assert list(log) == list(range(1, 3 * WRITES + 1))
    with FollowingKeeper(store, RowsById).open(ADA) as index:
        assert set(index.rows) == set(log.values())
    store.close()


# --- two processes that never pause ----------------------------------------------------------------------------------

_CROWD = f"""
import sys, threading
from aim_memory.storage.sql_store import SqlStore
from tests.memories import ADA, GENERATION, SteppingClock, new
name, url = sys.argv[1:]
store = SqlStore(url, SteppingClock(), GENERATION)

def write(thread):
    for number in range({WRITES}):
        memory_id = f"{{name}}{{thread}}-{{number}}"
        with store.begin(ADA) as work:
            work.insert([new(memory_id)])
            seq = work.commit().seq
        sys.stdout.write(f"{{seq}} {{memory_id}}\\n")

threads = [threading.Thread(target=write, args=(thread,)) for thread in range({THREADS})]
for thread in threads: thread.start()
for thread in threads: thread.join()
store.close()
"""


def test_two_processes_of_four_writers_are_never_told_that_the_file_is_locked(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'aim.db'}"
    SqlStore(url, SteppingClock(), GENERATION).close()
    crowds = [_start(name, url, _CROWD) for name in "ab"]
    acknowledged = [line.split() for crowd in crowds for line in crowd.communicate(timeout=100)[0].splitlines()]
    assert [crowd.returncode for crowd in crowds] == [0, 0]
    store = SqlStore(url, SteppingClock(), GENERATION)
    log = {change.seq: change.memory_id for change in store.changes(ADA, 0)}
    assert log == {int(seq): memory_id for seq, memory_id in acknowledged}
    assert list(log) == list(range(1, 2 * THREADS * WRITES + 1))
    store.close()
    figure(
        "no writer is told that the database is locked",
        f"2 processes of {THREADS} threads, {2 * THREADS * WRITES} commits on one SQLite file",
        "0 refused, 0 lost, no gap in the log",
    )
