"""A server works off the jobs of its store, and gives back what it has begun when it is told to stop."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from aim_memory import assemble
from aim_memory.api.app import create_app
from aim_memory.clock import SystemClock
from aim_memory.engine.jobs import JobRunner, Work
from aim_memory.settings import ServerSettings, Settings
from aim_memory.types import Job
from tests.api.conftest import local

PATIENCE_S = 30


@contextmanager
def served(settings: Settings, work: Work) -> Iterator[JobRunner]:
    """A server whose jobs are of one kind, and who looks for them all the time."""
    engine = assemble.open_engine(settings)
    engine.jobs = JobRunner(engine.store.jobs, SystemClock(), {"work": work})
    impatient = settings.model_copy(update={"server": ServerSettings(jobs_interval_s=0.01)})
    with local(create_app(impatient, engine)):
        yield engine.jobs


def kept(settings: Settings, job: Job) -> Job:
    """The job as it lies in the store when no server runs."""
    store = assemble.open_store(settings)
    found = store.jobs.get(job.id)
    store.close()
    assert found is not None
    return found


def test_a_job_is_begun_by_itself_and_goes_on_at_the_next_server(settings: Settings) -> None:
    begun, ended = threading.Event(), threading.Event()

    def endless(job: Job) -> Generator[Job, None, Any]:
        while True:
            job = replace(job, done=job.done + 1)
            yield job
            begun.set()

    def ending(job: Job) -> Generator[Job, None, dict[str, int]]:
        yield replace(job, cursor="seen")
        ended.set()
        return {"found": job.done}

    with served(settings, endless) as jobs:
        job = jobs.submit("work")
        assert begun.wait(PATIENCE_S)
    stopped = kept(settings, job)
    assert (stopped.state, stopped.owner, stopped.done > 0) == ("queued", None, True)

    with served(settings, ending):
        assert ended.wait(PATIENCE_S)
    done = kept(settings, job)
    assert (done.state, done.result) == ("done", {"found": stopped.done})
