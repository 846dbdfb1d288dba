"""Commands for moving from one embedder to another, and for jobs: reindex, jobs list, jobs show, jobs cancel."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aim_memory.cli import output
from aim_memory.cli.arguments import DryRun
from aim_memory.cli.command import Place, command
from aim_memory.cli.transferring import progress
from aim_memory.errors import AIMMemoryError, InvalidInputError
from aim_memory.extras import needs

if TYPE_CHECKING:
    from aim_memory.engine import MemoryEngine
    from aim_memory.engine.jobs import JobRunner
    from aim_memory.types import Job

app = typer.Typer()
jobs_app = typer.Typer(no_args_is_help=True, help="Jobs: work that goes on beside questions and writes.")
JobId = Annotated[str, typer.Argument(metavar="ID", help="The job.")]
_LOOK_S = 0.5
"""Between two looks at a job that somebody else works on."""


@command(app, example="aimem reindex --to paraphrase-multilingual-MiniLM-L12-v2")
def reindex(
    place: Place,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL", help="Another embedder: a hub name or path, openai:MODEL, hashing or hashing:DIMENSION."
        ),
    ] = None,
    rollback: Annotated[bool, typer.Option(help="Go back to the embedder before; its vectors were kept.")] = False,
    prune: Annotated[bool, typer.Option(help="Drop the vectors of all embedders but the one in use.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Embed what has no vectors of the embedder in use, or move to another one.

    Servers go on answering meanwhile. It may be stopped and run again. With --to the other embedder is put in use when
    its vectors are there: by whoever opens the memories from then on, unless AIM_EMBEDDER__ settings name one.
    """
    from aim_memory.cli import views

    if sum((to is not None, rollback, prune)) > 1:
        raise InvalidInputError("--to, --rollback and --prune are three ways; choose one.")
    with _engine(place) as engine:
        shown = _reindexed(engine, to, rollback=rollback, prune=prune, dry_run=dry_run)
    if to is not None or rollback:
        _say_what_goes_first(place)
    place.show(shown, lambda: views.pairs(shown))


@command(jobs_app, name="list", example="aimem jobs list")
def list_jobs(place: Place, limit: Annotated[int, typer.Option("--limit", "-l", min=1, help="How many.")] = 20) -> None:
    """List jobs, the newest first."""
    from aim_memory.cli import views

    with _jobs(place) as jobs:
        found = [_public(job) for job in jobs.list(limit=limit)]
    short = [{name: job[name] for name in ("id", "kind", "state", "done", "total", "updated_at")} for job in found]
    place.show({"items": found}, lambda: views.records(short, "No jobs."))


@command(jobs_app, example="aimem jobs show ID")
def show(place: Place, job_id: JobId) -> None:
    """Show a job: how far it is, what came out, or why it failed."""
    from aim_memory.cli import views

    with _jobs(place) as jobs:
        shown = _public(jobs.get(job_id))
    place.show(shown, lambda: views.pairs(shown))


@command(jobs_app, example="aimem jobs cancel ID")
def cancel(place: Place, job_id: JobId) -> None:
    """End a job after its present step. What it has done stays."""
    from aim_memory.cli import views

    with _jobs(place) as jobs:
        shown = _public(jobs.cancel(job_id))
    place.show(shown, lambda: views.pairs(shown))


def _say_what_goes_first(place: Place) -> None:
    from aim_memory.assemble import NAMES

    if given := sorted(place.settings.embedder.model_fields_set & NAMES):
        names = ", ".join(f"AIM_EMBEDDER__{name.upper()}" for name in given)
        output.say(f"{names} names the embedder of this command and goes first: remove it to use what was chosen.")


def _reindexed(engine: MemoryEngine, to: str | None, *, rollback: bool, prune: bool, dry_run: bool) -> dict[str, Any]:
    """Does what was asked, and says what came out."""
    from aim_memory.engine.reindexing import named

    target = None if to is None else named(to)
    if rollback:
        return engine.reindexing.rollback(dry_run=dry_run)
    if dry_run:
        return engine.reindexing.outlook(target)
    if prune:
        job = engine.jobs.submit("prune", {"generation": engine.reindexing.outlook()["generation"]})
    else:
        job = engine.jobs.submit("reindex", {"to": target})
    return _finished(engine.jobs, job)


def _finished(jobs: JobRunner, job: Job) -> dict[str, Any]:
    """Works on a job until it ends, or waits for whoever works on it. Raises AIMMemoryError if it ends badly."""
    with progress(job.kind.capitalize(), None) as advance:
        done, waited = 0, False

        def look() -> bool:
            nonlocal done
            seen = jobs.get(job.id).done
            advance(seen, seen - done)
            done = seen
            return False

        while not (now := jobs.get(job.id)).finished:
            if jobs.run_next(look) is None:
                waited = waited or _say_who_works_on(now)
                look()
                time.sleep(_LOOK_S)
    if now.state != "done":
        raise AIMMemoryError(f"The job {job.id} {now.state}: {now.error or 'somebody ended it'}")
    return {"job": job.id, **now.result}


def _say_who_works_on(job: Job) -> bool:
    until = f"{job.lease_until:%H:%M:%S} UTC" if job.lease_until else "it is done"
    output.say(f"Another process works on job {job.id}. Waiting for it; if it died, this one goes on after {until}.")
    return True


@contextmanager
def _engine(place: Place) -> Iterator[MemoryEngine]:
    settings = place.local("aimem reindex")
    with needs("embedded"):
        from aim_memory.assemble import open_engine
    engine = open_engine(settings)
    try:
        yield engine
    finally:
        engine.close()


@contextmanager
def _jobs(place: Place) -> Iterator[JobRunner]:
    settings = place.local("aimem jobs")
    with needs("embedded"):
        from aim_memory.assemble import open_store
        from aim_memory.clock import SystemClock
        from aim_memory.engine.jobs import JobRunner
    store = open_store(settings)
    try:
        yield JobRunner(store.jobs, SystemClock(), {})
    finally:
        store.close()


def _public(job: Job) -> Mapping[str, Any]:
    from dataclasses import asdict

    times = {name: moment and moment.isoformat() for name, moment in asdict(job).items() if name.endswith("_at")}
    kept = ("id", "kind", "state", "done", "total", "error", "result", "arguments", "attempts")
    return {**{name: getattr(job, name) for name in kept}, **times}
