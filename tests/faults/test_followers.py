"""Commit order is seq order: while several commit to one namespace at once, no follower passes over a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier

import pytest

from aim_memory.storage.sql_store import SqlStore
from tests import postgres
from tests.figures import figure
from tests.memories import ADA, GENERATION, SteppingClock, new

COMMITTERS = 4
URLS: dict[str, Callable[[Path], str]] = {
    "sqlite": lambda folder: f"sqlite:///{folder / 'aim.db'}",
    "postgresql": postgres.url,
}


@pytest.fixture(params=list(URLS))
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, list[SqlStore]]]:
    """Two stores over one database, as two servers have them."""
    url = URLS[request.param](tmp_path)
    with ExitStack() as opened:
        made = [SqlStore(url, SteppingClock(), GENERATION) for _ in range(2)]
        for store in made:
            opened.callback(store.close)
        yield request.param, made


class Follower:
    """Reads the log from where it was, as an index does."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store
        self.seen: list[tuple[int, str]] = []

    def follow(self) -> None:
        while page := self._store.changes(ADA, self.seen[-1][0] if self.seen else 0):
            self.seen += [(change.seq, change.memory_id) for change in page]


def _commit(store: SqlStore, name: str, size: int, start: Barrier) -> tuple[int, int]:
    """The seqs before and after, as the committer was told."""
    start.wait(60)
    with store.begin(ADA) as work:
        before = work.head.seq
        work.insert([new(f"{name}-{number}") for number in range(size)])
        return before, work.commit().seq


@pytest.mark.parametrize("rounds", [50, pytest.param(1_000, marks=pytest.mark.deep)])
def test_no_follower_passes_over_a_row(stores: tuple[str, list[SqlStore]], rounds: int) -> None:
    database, both = stores
    followers = [Follower(store) for store in both]
    with ThreadPoolExecutor(COMMITTERS + len(both)) as pool:
        for number in range(rounds):
            start = Barrier(COMMITTERS)
            committing = [
                pool.submit(_commit, both[who % 2], f"r{number}w{who}", 1 + (number + who) % 3, start)
                for who in range(COMMITTERS)
            ]
            while not all(each.done() for each in committing):
                for following in [pool.submit(follower.follow) for follower in followers]:
                    following.result()
            spans = sorted(each.result() for each in committing)
            assert [before for before, _ in spans[1:]] == [after for _, after in spans[:-1]], "one after the other"
    for follower in followers:
        follower.follow()
        assert [seq for seq, _ in follower.seen] == list(range(1, both[0].head(ADA).seq + 1))
        assert {memory_id for _, memory_id in follower.seen} == {row.id for row in both[0].snapshot(ADA)[1]}
    size = f"{rounds:,} rounds of {COMMITTERS} committers on one namespace through two stores, {database}"
    figure("concurrent committers hide no row from a follower", size, f"{len(followers[0].seen):,} rows, 0 passed over")
