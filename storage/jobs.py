"""Jobs in SQL. Who claims one locks its row; every other step is one conditional UPDATE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aim_memory.ports import Jobs
from aim_memory.storage.bulk import chunks
from aim_memory.storage.database import Database
from aim_memory.storage.rules import JOBS_KEPT
from aim_memory.storage.tables import jobs
from aim_memory.storage.wall import EVERY_TENANT
from aim_memory.types import Job, JobState, Space

_J = jobs.c
_OPEN = ("queued", "running")


class SqlJobs(Jobs):
    """The jobs of a database: the service's own work, so done for every tenant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def submit(self, job: Job) -> Job:
        with self._database.writing(EVERY_TENANT) as connection:
            same = sa.and_(_J.kind == job.kind, _J.tenant.is_not_distinct_from(job.tenant), _J.state.in_(_OPEN))
            for known in _read(connection, sa.select(jobs).where(same).order_by(_J.id)):
                if known.arguments == job.arguments:
                    return known
            connection.execute(sa.delete(jobs).where(_J.finished_at < job.created_at - JOBS_KEPT))
            connection.execute(sa.insert(jobs), [{column.name: getattr(job, column.name) for column in _J}])
        return job

    def claim(self, kinds: Sequence[str], owner: str, now: datetime, lease: timedelta) -> Job | None:
        free = sa.or_(_J.state == "queued", sa.and_(_J.state == "running", _J.lease_until <= now))
        oldest = sa.select(jobs).where(_J.kind.in_(kinds), free).order_by(_J.id).limit(1)
        with self._database.reading(EVERY_TENANT) as connection:
            if connection.execute(oldest).first() is None:
                return None  # most looks find nothing, and nobody had to wait for them
        with self._database.writing(EVERY_TENANT) as connection:
            for job in _read(connection, oldest.with_for_update(skip_locked=True)):
                taken = {"state": "running", "owner": owner, "lease_until": now + lease, "updated_at": now}
                _set(connection, _J.id == job.id, {**taken, "attempts": job.attempts + 1})
                return _read(connection, sa.select(jobs).where(_J.id == job.id))[0]
        return None

    def beat(self, job: Job, now: datetime, lease: timedelta) -> bool:
        return self._put(job, now, {**_progress(job), "lease_until": now + lease, "attempts": 0})

    def release(self, job: Job, now: datetime) -> bool:
        return self._put(job, now, {"state": "queued", "owner": None, "lease_until": None, "attempts": 0})

    def finish(self, job: Job, now: datetime, result: Any) -> bool:
        return self._put(job, now, {**_progress(job), "result": result, **_end("done", now)})

    def fail(self, job: Job, now: datetime, error: str) -> bool:
        return self._put(job, now, {"error": error, **_end("failed", now)})

    def cancel(self, job_id: str, now: datetime) -> bool:
        unfinished = sa.and_(_J.id == job_id, _J.state.in_(_OPEN))
        with self._database.writing(EVERY_TENANT) as connection:
            return _set(connection, unfinished, {"updated_at": now, **_end("cancelled", now)})

    def get(self, job_id: str) -> Job | None:
        with self._database.reading(EVERY_TENANT) as connection:
            found = _read(connection, sa.select(jobs).where(_J.id == job_id))
        return found[0] if found else None

    def list(
        self,
        tenant: str | None = None,
        *,
        states: Sequence[JobState] = (),
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[Job]:
        query = sa.select(jobs).order_by(_J.id.desc()).limit(limit)
        query = query if tenant is None else query.where(_J.tenant == tenant)
        query = query.where(_J.state.in_(states)) if states else query
        query = query if before is None else query.where(_J.id < before)
        with self._database.reading(EVERY_TENANT) as connection:
            return _read(connection, query)

    def counts(self) -> Mapping[JobState, int]:
        query = sa.select(_J.state, sa.func.count()).group_by(_J.state)
        with self._database.reading(EVERY_TENANT) as connection:
            return dict(connection.execute(query).all())

    def _put(self, job: Job, now: datetime, values: Mapping[str, Any]) -> bool:
        """Changes a job if it is still its owner's."""
        held = sa.and_(_J.id == job.id, _J.state == "running", _J.owner == job.owner)
        with self._database.writing(EVERY_TENANT) as connection:
            return _set(connection, held, {"updated_at": now, **values})


def forget_namespace(connection: Connection, space: Space) -> None:
    """Removes the jobs whose arguments name a namespace: its name is erased too."""
    own = sa.select(_J.id, _J.arguments).where(_J.tenant == space.tenant)
    named = [id_ for id_, arguments in connection.execute(own) if arguments.get("namespace") == space.namespace]
    for some in chunks(named):
        connection.execute(sa.delete(jobs).where(_J.id.in_(some)))


def _progress(job: Job) -> dict[str, Any]:
    return {"done": job.done, "total": job.total, "cursor": job.cursor}


def _end(state: JobState, now: datetime) -> dict[str, Any]:
    return {"state": state, "finished_at": now, "owner": None, "lease_until": None}


def _set(connection: Connection, which: sa.ColumnElement[bool], values: Mapping[str, Any]) -> bool:
    return connection.execute(sa.update(jobs).where(which).values(values)).rowcount == 1


def _read(connection: Connection, query: sa.Select[Any]) -> list[Job]:
    return [Job(**row) for row in connection.execute(query).mappings()]
