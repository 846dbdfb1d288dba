"""Migrates a database in processes that are killed, each a few statements later than the one before, until one is done.

    python -m tests.migrations.interrupted URL STRIDE

Prints how many were killed.
"""

from __future__ import annotations

import os
import signal
import sys

from sqlalchemy import event

from aim_memory.storage import migrate
from aim_memory.storage.database import Database


def migrate_until(url: str, last: int) -> None:
    """Is killed (-9) before statement number ``last``, unless the migration needs fewer."""
    database, count = Database(url), 0

    def counted(*_: object) -> None:
        nonlocal count
        count += 1
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(database.engine, "before_cursor_execute", counted)
    migrate.upgrade(database, 2)
    database.close()


def main() -> None:
    url, stride = sys.argv[1], int(sys.argv[2])
    kills = 0
    while True:
        child = os.fork()
        if child == 0:
            migrate_until(url, 1 + kills * stride)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            break
        kills += 1
    sys.stdout.write(f"{kills}\n")


if __name__ == "__main__":
    main()
