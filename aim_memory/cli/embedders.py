"""What reindex and jobs work on: the engine over a folder, or a server. Jobs are told as fields, as JSON has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from aim_memory.cli import output

if TYPE_CHECKING:
    from aim_memory.bodies import JobView
    from aim_memory.client import Client
    from aim_memory.engine import MemoryEngine
    from aim_memory.engine.jobs import JobRunner
    from aim_memory.types import Job

Fields: TypeAlias = dict[str, Any]
_SHOWN = ("id", "kind", "state", "done", "total", "error", "result", "arguments", "attempts")
_MOST = 200
"""Jobs in one reply of a server."""


class Jobs(Protocol):
    """The newest first; an unknown one raises NotFoundError, one that has ended ConflictError when it is cancelled."""

    def list(self, limit: int) -> list[Fields]: ...

    def get(self, job_id: str) -> Fields: ...

    def cancel(self, job_id: str) -> Fields: ...


class Hands(Protocol):
    """Whoever does the jobs."""

    jobs: Jobs

    def work(self, look: Callable[[], None]) -> bool:
        """Works on the next job, looking at each step; False where another does."""
        ...


class Embedders(Hands, Protocol):
    def outlook(self, to: str | None) -> Fields: ...

    def rollback(self, *, dry_run: bool) -> Fields: ...

    def begin(self, to: str | None, *, prune: bool) -> Fields:
        """The job that does it."""
        ...


# --- in a folder ---------------------------------------------------------------------------------------------------


class JobsOfFolder:
    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner

    def list(self, limit: int) -> list[Fields]:
        return [of_job(job) for job in self._runner.list(limit=limit)]

    def get(self, job_id: str) -> Fields:
        return of_job(self._runner.get(job_id))

    def cancel(self, job_id: str) -> Fields:
        return of_job(self._runner.cancel(job_id))


class EmbeddersOfFolder:
    """This process does the work, unless another that has the folder open was faster."""

    def __init__(self, engine: MemoryEngine) -> None:
        self._engine = engine
        self._waiting = False
        self.jobs: Jobs = JobsOfFolder(engine.jobs)

    def outlook(self, to: str | None) -> Fields:
        return self._engine.reindexing.outlook(_named(to))

    def rollback(self, *, dry_run: bool) -> Fields:
        return self._engine.reindexing.rollback(dry_run=dry_run)

    def begin(self, to: str | None, *, prune: bool) -> Fields:
        jobs = self._engine.jobs
        if prune:
            return of_job(jobs.submit("prune", {"generation": self.outlook(None)["generation"]}))
        return of_job(jobs.submit("reindex", {"to": _named(to)}))

    def work(self, look: Callable[[], None]) -> bool:
        def seen() -> bool:
            look()
            return False

        if self._engine.jobs.run_next(seen) is not None:
            return True
        if not self._waiting:
            self._waiting = True
            output.say("Another process works on it. Waiting; if it died, this one goes on within two minutes.")
        return False


def _named(to: str | None) -> Fields | None:
    from aim_memory.engine.reindexing import named

    return None if to is None else named(to)


def of_job(job: Job) -> Fields:
    """A job of a folder."""
    times = {name: moment and moment.isoformat() for name, moment in asdict(job).items() if name.endswith("_at")}
    return {**{name: getattr(job, name) for name in _SHOWN}, **times}


# --- on a server ---------------------------------------------------------------------------------------------------


class JobsOfServer:
    def __init__(self, client: Client) -> None:
        self._admin = client.admin

    def list(self, limit: int) -> list[Fields]:
        found: list[JobView] = []
        while len(found) < limit:
            most = min(limit - len(found), _MOST)
            page = self._admin.jobs(limit=most, before=found[-1].id if found else None).items
            found += page
            if len(page) < most:
                break
        return [of_view(job) for job in found]

    def get(self, job_id: str) -> Fields:
        return of_view(self._admin.job(job_id))

    def cancel(self, job_id: str) -> Fields:
        return of_view(self._admin.cancel_job(job_id))


class EmbeddersOfServer:
    """The server does the work."""

    def __init__(self, client: Client) -> None:
        self._admin = client.admin
        self.jobs: Jobs = JobsOfServer(client)

    def outlook(self, to: str | None) -> Fields:
        return self._admin.outlook(to).model_dump(exclude_none=True)

    def rollback(self, *, dry_run: bool) -> Fields:
        return self._admin.rollback(dry_run=dry_run).model_dump(exclude_none=True)

    def begin(self, to: str | None, *, prune: bool) -> Fields:
        return of_view(self._admin.reindex(to, prune=prune))

    def work(self, look: Callable[[], None]) -> bool:
        return False


def of_view(job: JobView) -> Fields:
    return job.model_dump(mode="json", exclude={"tenant"})
