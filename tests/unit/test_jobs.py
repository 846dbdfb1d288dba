"""The job runner: step by step, given back when it is stopped, taken up when its owner died."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from aim_memory.engine.jobs import JobRunner, Work
from aim_memory.errors import ConflictError, EmbedderError, InvalidInputError, NotFoundError
from aim_memory.storage.memory_jobs import InMemoryJobs
from aim_memory.types import Job
from tests.memories import SteppingClock

LEASE = timedelta(minutes=1)
LATER = 61
"""Looks at the clock after which a lease has run out."""


class Counting:
    """Counts to ``to``, one number a step, from its cursor on."""

    def __init__(self) -> None:
        self.counted: list[int] = []
        self.before: Callable[[int], None] = lambda number: None

    def __call__(self, job: Job) -> Generator[Job, None, dict[str, Any]]:
        to = job.arguments["to"]
        for number in range(job.cursor or 0, to):
            self.before(number)
            self.counted.append(number)
            yield replace(job, done=number + 1, total=to, cursor=number + 1)
        return {"last": to}


class Killed(BaseException):
    """As a process ends."""


class MortalJobs(InMemoryJobs):
    """Who is killed gives nothing back."""

    killing = False

    def release(self, job: Job, now: datetime) -> bool:
        return not self.killing and super().release(job, now)


@pytest.fixture
def jobs() -> MortalJobs:
    return MortalJobs()


@pytest.fixture
def clock() -> SteppingClock:
    return SteppingClock()


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def runner(jobs: MortalJobs, clock: SteppingClock, counting: Counting) -> JobRunner:
    return JobRunner(jobs, clock, {"count": counting}, lease=LEASE)


def another(jobs: MortalJobs, clock: SteppingClock, work: Work) -> JobRunner:
    return JobRunner(jobs, clock, {"count": work}, lease=LEASE)


def wait(clock: SteppingClock) -> None:
    for _ in range(LATER):
        clock.now()


def kill(runner: JobRunner, jobs: MortalJobs) -> None:
    """Runs a job in a process that dies of it."""
    jobs.killing = True
    with pytest.raises(Killed):
        runner.run_next()
    jobs.killing = False


def test_a_job_is_worked_off_and_says_what_came_out(runner: JobRunner) -> None:
    submitted = runner.submit("count", {"to": 3})
    assert (submitted.state, runner.get(submitted.id)) == ("queued", submitted)
    done = runner.run_next()
    assert done is not None
    assert (done.id, done.state, done.done, done.total, done.result) == (submitted.id, "done", 3, 3, {"last": 3})
    assert runner.run_next() is None


def test_progress_is_seen_while_it_runs(runner: JobRunner) -> None:
    job, seen = runner.submit("count", {"to": 3}), []

    def look() -> bool:
        now = runner.get(job.id)
        seen.append((now.state, now.done, now.total))
        return False

    runner.run_next(look)
    assert seen == [("running", 1, 3), ("running", 2, 3), ("running", 3, 3)]


def test_stopping_gives_the_job_back_between_two_steps(runner: JobRunner, counting: Counting) -> None:
    runner.submit("count", {"to": 5})
    given_back = runner.run_next(lambda: len(counting.counted) == 2)
    assert given_back is not None
    assert (given_back.state, given_back.cursor, given_back.owner) == ("queued", 2, None)
    runner.run_next()
    assert counting.counted == [0, 1, 2, 3, 4]


def test_who_is_interrupted_gives_the_job_back_too(runner: JobRunner, counting: Counting) -> None:
    job = runner.submit("count", {"to": 3})

    def interrupt(number: int) -> None:
        if number == 1:
            raise KeyboardInterrupt

    counting.before = interrupt
    with pytest.raises(KeyboardInterrupt):
        runner.run_next()
    assert (runner.get(job.id).state, runner.get(job.id).cursor) == ("queued", 1)


def test_a_killed_job_goes_on_at_its_cursor_when_the_lease_has_run_out(
    jobs: MortalJobs, clock: SteppingClock, runner: JobRunner, counting: Counting
) -> None:
    job = runner.submit("count", {"to": 4})

    def die(number: int) -> None:
        if number == 2:
            raise Killed

    counting.before = die
    kill(runner, jobs)
    heir = Counting()
    assert another(jobs, clock, heir).run_next() is None, "its owner is believed to be alive"
    wait(clock)
    another(jobs, clock, heir).run_next()
    assert (heir.counted, runner.get(job.id).state) == ([2, 3], "done")


def test_a_job_that_kills_its_process_is_given_up(
    jobs: MortalJobs, clock: SteppingClock, runner: JobRunner, counting: Counting
) -> None:
    job = runner.submit("count", {"to": 4})

    def die(number: int) -> None:
        raise Killed

    counting.before = die
    for _ in range(5):
        kill(runner, jobs)
        wait(clock)
    runner.run_next()
    assert runner.get(job.id).state == "failed"
    assert "never got a step further" in (runner.get(job.id).error or "")
    assert not counting.counted


def test_a_cancelled_job_ends_after_its_step(runner: JobRunner, counting: Counting) -> None:
    job = runner.submit("count", {"to": 9})

    def cancel(number: int) -> None:
        if number == 2:
            runner.cancel(job.id)

    counting.before = cancel
    runner.run_next()
    assert (counting.counted, runner.get(job.id).state) == ([0, 1, 2], "cancelled")
    with pytest.raises(ConflictError, match="cancelled already"):
        runner.cancel(job.id)


def test_what_may_succeed_later_is_tried_again_when_the_lease_has_run_out(
    clock: SteppingClock, runner: JobRunner, counting: Counting
) -> None:
    job = runner.submit("count", {"to": 3})

    def fail(number: int) -> None:
        if number == 1:
            raise EmbedderError

    counting.before = fail
    runner.run_next()
    assert (runner.get(job.id).state, runner.run_next()) == ("running", None)
    wait(clock)
    counting.before = lambda number: None
    runner.run_next()
    assert (counting.counted, runner.get(job.id).state) == ([0, 1, 2], "done")


def test_what_never_succeeds_fails_in_the_end(clock: SteppingClock, runner: JobRunner, counting: Counting) -> None:
    job = runner.submit("count", {"to": 3})

    def fail(number: int) -> None:
        raise EmbedderError("the model is gone")

    counting.before = fail
    for _ in range(5):
        runner.run_next()
        wait(clock)
    assert (runner.get(job.id).state, runner.get(job.id).error) == ("failed", "the model is gone")


@pytest.mark.parametrize(
    ("error", "said"), [(InvalidInputError("no such thing"), "no such thing"), (ZeroDivisionError("42"), "mistake")]
)
def test_a_job_that_cannot_be_done_fails_at_once(
    runner: JobRunner, counting: Counting, error: Exception, said: str
) -> None:
    first, second = runner.submit("count", {"to": 3}), runner.submit("count", {"to": 2})

    def fail(number: int) -> None:
        raise error

    counting.before = fail
    runner.run_next()
    failed = runner.get(first.id)
    assert failed.state == "failed"
    assert said in (failed.error or "")
    assert "42" not in (failed.error or "")
    counting.before = lambda number: None
    runner.run_next()
    assert runner.get(second.id).state == "done"


def test_who_lost_a_job_stops_and_changes_nothing(
    jobs: MortalJobs, clock: SteppingClock, runner: JobRunner, counting: Counting
) -> None:
    job, heir = runner.submit("count", {"to": 4}), Counting()

    def sleep_long(number: int) -> None:
        if number == 1:
            wait(clock)
            another(jobs, clock, heir).run_next()

    counting.before = sleep_long
    runner.run_next()
    assert (counting.counted, heir.counted) == ([0, 1], [1, 2, 3]), "a step may be done twice, none is left out"
    assert runner.get(job.id).result == {"last": 4}


def test_a_tenant_sees_and_ends_its_own_jobs_only(runner: JobRunner) -> None:
    own, other = (runner.submit("count", {"to": 1}, tenant) for tenant in ("acme", "other"))
    assert [job.id for job in runner.list("acme")] == [own.id]
    for call in (runner.get, runner.cancel):
        with pytest.raises(NotFoundError):
            call(other.id, "acme")
    with pytest.raises(InvalidInputError, match="count"):
        runner.submit("dance")
