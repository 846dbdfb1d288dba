"""Jobs: work that is done step by step, and goes on where it stopped, whatever became of the process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

from aim_memory.errors import AIMMemoryError, ConflictError, InvalidInputError, NotFoundError
from aim_memory.ports import Clock, Jobs
from aim_memory.types import Job, JobState

Work: TypeAlias = Callable[[Job], Generator[Job, None, Any]]
"""Does a job from its cursor on: after each step it gives the job with its progress, in the end it returns the result.
A step is committed by itself and ends within the lease; the last one before a kill may be done twice."""

LEASE = timedelta(minutes=2)
ATTEMPTS = 5
"""How often a job is taken up without getting a step further."""
_log = logging.getLogger("aim_memory.jobs")


def _never() -> bool:
    return False


class JobRunner:
    """The jobs of a store, and the hands that do them. Thread-safe; any number of runners share one store."""

    def __init__(
        self,
        jobs: Jobs,
        clock: Clock,
        kinds: Mapping[str, Work],
        *,
        lease: timedelta = LEASE,
        attempts: int = ATTEMPTS,
    ) -> None:
        self._jobs = jobs
        self._clock = clock
        self._kinds = dict(kinds)
        self._lease = lease
        self._attempts = attempts

    def submit(self, kind: str, arguments: Mapping[str, Any] | None = None, tenant: str | None = None) -> Job:
        """Has something done. The same, asked for again before it is finished, is the same job."""
        if kind not in self._kinds:
            raise InvalidInputError(f"there is no job of kind {kind!r}; kinds: {', '.join(self._kinds)}.", field="kind")
        now = self._clock.now()
        return self._jobs.submit(Job(self._clock.new_id(), kind, now, now, tenant, dict(arguments or {})))

    def get(self, job_id: str, tenant: str | None = None) -> Job:
        """A job, of any tenant or of one. Raises NotFoundError."""
        job = self._jobs.get(job_id)
        if job is None or tenant not in (None, job.tenant):
            raise NotFoundError(f"there is no job {job_id!r} here.")
        return job

    def list(
        self,
        tenant: str | None = None,
        *,
        states: Sequence[JobState] = (),
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[Job]:
        """The newest first: a tenant's, or all."""
        return self._jobs.list(tenant, states=states, before=before, limit=limit)

    def cancel(self, job_id: str, tenant: str | None = None) -> Job:
        """Ends a job after its present step. What it has done stays. Raises NotFoundError, ConflictError."""
        job = self.get(job_id, tenant)
        if not self._jobs.cancel(job_id, self._clock.now()):
            raise ConflictError(f"the job {job_id!r} is {job.state} already; there is nothing to cancel.")
        return self.get(job_id)

    def run_next(self, stopping: Callable[[], bool] = _never) -> Job | None:
        """Takes up the next job and works on it until it ends, is cancelled, or ``stopping`` says so between two steps.

        Returns the job as it is then; None if there was none. Raises StorageError when the store cannot be asked.
        """
        job = self._jobs.claim(tuple(self._kinds), self._clock.new_id(), self._clock.now(), self._lease)
        if job is None:
            return None
        if job.attempts > self._attempts:
            self._fail(job, f"It was begun {self._attempts} times and never got a step further.")
        else:
            self._try(job, stopping)
        return self._jobs.get(job.id)

    def _try(self, job: Job, stopping: Callable[[], bool]) -> None:
        try:
            self._work_on(job, stopping)
        except AIMMemoryError as error:
            if error.retryable and job.attempts < self._attempts:
                _log.warning("job %s (%s) goes on when its lease has run out: %s", job.id, job.kind, error)
            else:
                self._fail(job, error.message)
        except Exception as error:  # noqa: BLE001  a mistake in one kind of work must not end all others
            _log.exception("job %s (%s) failed", job.id, job.kind)
            self._fail(job, f"It ran into a mistake in the program ({type(error).__name__}); the log says more.")
        except BaseException:
            self._jobs.release(job, self._clock.now())  # the process is being stopped
            raise

    def _work_on(self, job: Job, stopping: Callable[[], bool]) -> None:
        steps = self._kinds[job.kind](job)
        try:
            while True:
                job = next(steps)
                if not self._jobs.beat(job, self._clock.now(), self._lease):
                    return  # cancelled, or believed dead and taken up by another
                if stopping():
                    self._jobs.release(job, self._clock.now())
                    return
        except StopIteration as end:
            self._jobs.finish(job, self._clock.now(), end.value)
        finally:
            steps.close()

    def _fail(self, job: Job, why: str) -> None:
        self._jobs.fail(job, self._clock.now(), why)
