"""The jobs of the store in memory."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from aim_memory.ports import Jobs
from aim_memory.storage.rules import JOBS_KEPT
from aim_memory.types import Job, JobState, Space


class InMemoryJobs(Jobs):
    """Jobs by id; what is JSON is kept as a database would give it back."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def submit(self, job: Job) -> Job:
        with self._lock:
            asked = (job.kind, job.tenant, job.arguments)
            for known in sorted(self._jobs.values(), key=lambda known: known.id):
                if not known.finished and (known.kind, known.tenant, known.arguments) == asked:
                    return known
            kept_since = job.created_at - JOBS_KEPT
            self._jobs = {
                id_: known
                for id_, known in self._jobs.items()
                if known.finished_at is None or known.finished_at >= kept_since
            }
            self._jobs[job.id] = replace(job, arguments=_plain(job.arguments))
            return job

    def claim(self, kinds: Sequence[str], owner: str, now: datetime, lease: timedelta) -> Job | None:
        with self._lock:
            free = [job for job in self._jobs.values() if job.kind in kinds and _free(job, now)]
            if not free:
                return None
            job = min(free, key=lambda job: job.id)
            taken = replace(job, state="running", owner=owner, lease_until=now + lease, updated_at=now)
            self._jobs[job.id] = replace(taken, attempts=job.attempts + 1)
            return self._jobs[job.id]

    def beat(self, job: Job, now: datetime, lease: timedelta) -> bool:
        return self._put(job, now, **_progress(job), lease_until=now + lease, attempts=0)

    def release(self, job: Job, now: datetime) -> bool:
        return self._put(job, now, state="queued", owner=None, lease_until=None, attempts=0)

    def finish(self, job: Job, now: datetime, result: Any) -> bool:
        return self._put(job, now, **_progress(job), result=_plain(result), **_end("done", now))

    def fail(self, job: Job, now: datetime, error: str) -> bool:
        return self._put(job, now, error=error, **_end("failed", now))

    def cancel(self, job_id: str, now: datetime) -> bool:
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None or job.finished:
                return False
            self._jobs[job_id] = replace(job, updated_at=now, **_end("cancelled", now))
            return True

    def get(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    def list(
        self,
        tenant: str | None = None,
        *,
        states: Sequence[JobState] = (),
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[Job]:
        with self._lock:
            known = sorted(self._jobs.values(), key=lambda job: job.id, reverse=True)
        own = [job for job in known if tenant in (None, job.tenant) and (not states or job.state in states)]
        return [job for job in own if before is None or job.id < before][:limit]

    def counts(self) -> Mapping[JobState, int]:
        with self._lock:
            return Counter(job.state for job in self._jobs.values())

    def forget_namespace(self, space: Space) -> None:
        """Removes the jobs whose arguments name a namespace."""
        with self._lock:
            self._jobs = {
                id_: job
                for id_, job in self._jobs.items()
                if (job.tenant, job.arguments.get("namespace")) != (space.tenant, space.namespace)
            }

    def _put(self, job: Job, now: datetime, **values: Any) -> bool:
        """Changes a job if it is still its owner's."""
        with self._lock:
            known = self._jobs.get(job.id)
            if known is None or known.state != "running" or known.owner != job.owner:
                return False
            self._jobs[job.id] = replace(known, updated_at=now, **values)
            return True


def _free(job: Job, now: datetime) -> bool:
    left = job.state == "running" and job.lease_until is not None and job.lease_until <= now
    return job.state == "queued" or left


def _progress(job: Job) -> dict[str, Any]:
    return {"done": job.done, "total": job.total, "cursor": _plain(job.cursor)}


def _end(state: JobState, now: datetime) -> dict[str, Any]:
    return {"state": state, "finished_at": now, "owner": None, "lease_until": None}


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))
