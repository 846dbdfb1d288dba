"""A process that embeds: ``python -m tests.faults.reindexer URL MINUTES jobs``, or ``upkeep``. It says "." after each
step.

Its clock is MINUTES ahead, so that the lease of a process that was killed has run out.
"""

from __future__ import annotations

import sys
from datetime import timedelta

from aim_memory.storage.sql_store import SqlStore
from tests.moving import HalfEmbedder, Service, Ticking


def main() -> None:
    url, minutes, what = sys.argv[1:]
    clock = Ticking(timedelta(minutes=float(minutes)))
    service = Service(
        SqlStore(url, clock, None), HalfEmbedder(0), clock, others=lambda named: HalfEmbedder(named["half"])
    )

    def say() -> bool:
        sys.stdout.write(".")
        sys.stdout.flush()
        return False

    if what == "jobs":
        service.engine.jobs.run_next(say)
    while what == "upkeep" and service.engine.upkeep()["embedded"]:
        say()
    service.engine.close()


main()
