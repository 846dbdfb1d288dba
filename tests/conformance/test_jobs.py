"""The suite of the Jobs port: every store passes it. One promise of the port per test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from aim_memory.ports import Jobs, MemoryStore
from aim_memory.storage.memory_store import InMemoryStore
from aim_memory.storage.sql_store import SqlStore
from aim_memory.types import Job
from tests import postgres
from tests.memories import GENERATION, SteppingClock, day

STORES: dict[str, Callable[[Path], MemoryStore]] = {
    "sqlite": lambda folder: SqlStore(f"sqlite:///{folder / 'aim.db'}", SteppingClock(), GENERATION),
    "postgresql": lambda folder: SqlStore(postgres.url(folder), SteppingClock(), GENERATION),
    "memory": lambda folder: InMemoryStore(SteppingClock(), GENERATION),
}
LEASE = timedelta(minutes=1)
KINDS = ("reindex", "backup")


@pytest.fixture(params=list(STORES))
def jobs(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Jobs]:
    store = STORES[request.param](tmp_path)
    yield store.jobs
    store.close()


def queued(number: int, kind: str = "reindex", **fields: Any) -> Job:
    return Job(f"job-{number}", kind, day(number), day(number), **({"arguments": {"number": number}} | fields))


def claimed(jobs: Jobs, owner: str = "me", at: float = 10) -> Job:
    job = jobs.claim(KINDS, owner, day(at), LEASE)
    assert job is not None
    return job


def test_a_job_is_kept_as_it_was_submitted(jobs: Jobs) -> None:
    job = queued(1, tenant="acme", arguments={"to": {"model": "模型"}, "many": [1, None, 0.5]}, total=7)
    assert jobs.submit(job) == job
    assert jobs.get("job-1") == job
    assert jobs.get("job-2") is None


def test_jobs_are_counted_by_state(jobs: Jobs) -> None:
    assert dict(jobs.counts()) == {}
    for number, tenant in ((1, None), (2, "acme"), (3, "acme")):
        jobs.submit(queued(number, tenant=tenant))
    jobs.cancel(claimed(jobs).id, day(11))
    claimed(jobs)
    assert dict(jobs.counts()) == {"queued": 1, "running": 1, "cancelled": 1}


def test_asking_twice_is_asking_once_until_it_is_finished(jobs: Jobs) -> None:
    first = jobs.submit(queued(1, arguments={"a": 1, "b": 2}))
    assert jobs.submit(queued(2, arguments={"b": 2, "a": 1})) == first
    others = [
        queued(3, arguments={"a": 1}),
        queued(4, arguments=first.arguments, tenant="acme"),
        queued(5, "backup", arguments=first.arguments),
    ]
    assert [jobs.submit(job) for job in others] == others
    assert jobs.submit(queued(6, arguments=first.arguments)).id == claimed(jobs).id == "job-1"
    assert jobs.cancel("job-1", day(11))
    assert jobs.submit(queued(7, arguments=first.arguments)).id == "job-7"


def test_the_oldest_job_of_the_kinds_is_claimed_once(jobs: Jobs) -> None:
    for number, kind in ((3, "backup"), (1, "export"), (2, "reindex")):
        jobs.submit(queued(number, kind))
    job = claimed(jobs)
    assert (job.id, job.state, job.owner, job.attempts) == ("job-2", "running", "me", 1)
    assert (job.lease_until, job.updated_at, job.created_at) == (day(10) + LEASE, day(10), day(2))
    assert jobs.get("job-2") == job
    assert claimed(jobs, "you").id == "job-3"
    assert jobs.claim(KINDS, "third", day(10), LEASE) is None


def test_many_claimants_never_get_the_same_job(jobs: Jobs) -> None:
    for number in range(12):
        jobs.submit(queued(number))
    with ThreadPoolExecutor(6) as pool:
        taken = [pool.submit(jobs.claim, KINDS, f"owner-{number}", day(20), LEASE) for number in range(18)]
        found = [job.id for each in taken if (job := each.result()) is not None]
    left = iter(lambda: jobs.claim(KINDS, "late", day(20), LEASE), None)
    assert sorted([*found, *(job.id for job in left)]) == sorted(f"job-{number}" for number in range(12))


def test_a_job_whose_owner_died_goes_on_at_its_cursor(jobs: Jobs) -> None:
    jobs.submit(queued(1))
    mine = claimed(jobs)
    step = replace(mine, done=3, total=9, cursor={"after": ["a", 1]})
    assert jobs.beat(step, day(11), LEASE)
    assert jobs.claim(KINDS, "you", day(11) + LEASE - timedelta(microseconds=1), LEASE) is None
    yours = jobs.claim(KINDS, "you", day(11) + LEASE, LEASE)
    assert yours is not None
    assert (yours.done, yours.total, yours.cursor, yours.owner) == (3, 9, {"after": ["a", 1]}, "you")
    late = replace(mine, done=99, cursor="lost")
    assert not jobs.beat(late, day(12), LEASE)
    assert not jobs.release(late, day(12))
    assert not jobs.finish(late, day(12), "lost")
    assert not jobs.fail(late, day(12), "lost")
    assert jobs.get("job-1") == yours


def test_a_job_that_is_given_back_is_claimed_at_once(jobs: Jobs) -> None:
    jobs.submit(queued(1))
    mine = replace(claimed(jobs), cursor=[5])
    assert jobs.beat(mine, day(10), LEASE)
    assert jobs.release(mine, day(11))
    waiting = jobs.get("job-1")
    assert waiting is not None
    assert (waiting.state, waiting.owner, waiting.lease_until) == ("queued", None, None)
    assert claimed(jobs, "you", 11).cursor == [5]


def test_attempts_are_counted_until_a_step_is_done(jobs: Jobs) -> None:
    jobs.submit(queued(1))
    assert [claimed(jobs, f"owner {turn}", turn).attempts for turn in range(1, 4)] == [1, 2, 3]
    mine = claimed(jobs, at=10)
    assert jobs.beat(mine, day(10), LEASE)
    assert claimed(jobs, at=20).attempts == 1


def test_a_finished_job_shows_what_came_out(jobs: Jobs) -> None:
    jobs.submit(queued(1))
    mine = replace(claimed(jobs), done=9, total=9)
    assert jobs.finish(mine, day(12), {"kept": 9, "name": "模型"})
    done = jobs.get("job-1")
    assert done is not None
    assert (done.state, done.done, done.result, done.error) == ("done", 9, {"kept": 9, "name": "模型"}, None)
    assert (done.finished_at, done.owner, done.finished) == (day(12), None, True)
    assert not jobs.cancel("job-1", day(13))
    assert not jobs.fail(mine, day(13), "too late")
    assert jobs.claim(KINDS, "you", day(99), LEASE) is None


def test_a_failed_job_says_why(jobs: Jobs) -> None:
    jobs.submit(queued(1))
    assert jobs.fail(claimed(jobs), day(12), "the disk is full")
    failed = jobs.get("job-1")
    assert failed is not None
    assert (failed.state, failed.error, failed.finished_at) == ("failed", "the disk is full", day(12))
    assert jobs.claim(KINDS, "you", day(99), LEASE) is None


def test_a_job_is_cancelled_whether_it_waits_or_runs(jobs: Jobs) -> None:
    jobs.submit(queued(1))
    jobs.submit(queued(2))
    mine = claimed(jobs)
    assert jobs.cancel("job-1", day(12))
    assert jobs.cancel("job-2", day(12))
    assert not jobs.cancel("job-2", day(13))
    assert not jobs.cancel("ghost", day(12))
    assert not jobs.beat(mine, day(12), LEASE)
    assert [job.state for job in jobs.list()] == ["cancelled"] * 2
    assert jobs.claim(KINDS, "you", day(99), LEASE) is None


def test_jobs_are_listed_from_the_newest(jobs: Jobs) -> None:
    for number, tenant in ((1, "acme"), (2, None), (3, "acme"), (4, "other")):
        jobs.submit(queued(number, tenant=tenant))
    claimed(jobs)
    assert [job.id for job in jobs.list()] == ["job-4", "job-3", "job-2", "job-1"]
    assert [job.id for job in jobs.list("acme")] == ["job-3", "job-1"]
    assert [job.id for job in jobs.list(states=("running",))] == ["job-1"]
    assert [job.id for job in jobs.list(states=("running", "queued"), limit=2)] == ["job-4", "job-3"]
    assert [job.id for job in jobs.list(before="job-3")] == ["job-2", "job-1"]


def test_finished_jobs_are_forgotten_after_90_days(jobs: Jobs) -> None:
    jobs.submit(queued(1))
    jobs.submit(queued(2))
    assert jobs.finish(claimed(jobs), day(5), None)
    jobs.submit(queued(95))
    assert jobs.get("job-1") is not None
    jobs.submit(queued(96))
    assert jobs.get("job-1") is None
    assert jobs.get("job-2") is not None, "it is not finished"
