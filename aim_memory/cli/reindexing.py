"""Commands for moving from one embedder to another, and for jobs: reindex, jobs list, jobs show, jobs cancel."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from aim_memory.cli import output
from aim_memory.cli.arguments import DryRun
from aim_memory.cli.command import Place, command
from aim_memory.cli.embedders import (
    Embedders,
    EmbeddersOfFolder,
    EmbeddersOfServer,
    Fields,
    Hands,
    Jobs,
    JobsOfFolder,
    JobsOfServer,
)
from aim_memory.cli.transferring import progress
from aim_memory.errors import AIMMemoryError, InvalidInputError
from aim_memory.extras import needs

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

    Servers go on answering meanwhile; with --url the server does it, and takes an operator's key. It may be stopped and
    run again. With --to the other embedder is put in use when
    its vectors are there: by whoever opens the memories from then on, unless AIM_EMBEDDER__ settings name one.
    """
    from aim_memory.cli import views

    if sum((to is not None, rollback, prune)) > 1:
        raise InvalidInputError("--to, --rollback and --prune are three ways; choose one.")
    with _embedders(place) as embedders:
        shown = _reindexed(embedders, to, rollback=rollback, prune=prune, dry_run=dry_run)
    if (to is not None or rollback) and not dry_run:
        _say_what_goes_first(place)
    place.show(shown, lambda: views.pairs(shown))


@command(jobs_app, name="list", example="aimem jobs list")
def list_jobs(place: Place, limit: Annotated[int, typer.Option("--limit", "-l", min=1, help="How many.")] = 20) -> None:
    """List jobs, the newest first. On a server it takes an admin's key, and shows the tenant's; an operator's, all."""
    from aim_memory.cli import views

    with _jobs(place) as jobs:
        found = jobs.list(limit)
    short = [{name: job[name] for name in ("id", "kind", "state", "done", "total", "updated_at")} for job in found]
    place.show({"items": found}, lambda: views.records(short, "No jobs."))


@command(jobs_app, example="aimem jobs show ID")
def show(place: Place, job_id: JobId) -> None:
    """Show a job: how far it is, what came out, or why it failed."""
    from aim_memory.cli import views

    with _jobs(place) as jobs:
        shown = jobs.get(job_id)
    place.show(shown, lambda: views.pairs(shown))


@command(jobs_app, example="aimem jobs cancel ID")
def cancel(place: Place, job_id: JobId) -> None:
    """End a job after its present step. What it has done stays."""
    from aim_memory.cli import views

    with _jobs(place) as jobs:
        shown = jobs.cancel(job_id)
    place.show(shown, lambda: views.pairs(shown))


def _say_what_goes_first(place: Place) -> None:
    from aim_memory.assemble import NAMES

    if place.settings.url:
        output.say("Servers take up another embedder at their next start.")
        return
    if given := sorted(place.settings.embedder.model_fields_set & NAMES):
        names = ", ".join(f"AIM_EMBEDDER__{name.upper()}" for name in given)
        output.say(f"{names} names the embedder of this command and goes first: remove it to use what was chosen.")


def _reindexed(embedders: Embedders, to: str | None, *, rollback: bool, prune: bool, dry_run: bool) -> dict[str, Any]:
    """Does what was asked, and says what came out."""
    if rollback:
        return embedders.rollback(dry_run=dry_run)
    if dry_run:
        return embedders.outlook(to)
    return finished(embedders, embedders.begin(to, prune=prune))


def finished(hands: Hands, job: Fields) -> dict[str, Any]:
    """Works on a job until it ends, or watches whoever works on it. Raises AIMMemoryError if it ends badly."""
    with progress(job["kind"].capitalize(), None) as advance:
        done = 0

        def look() -> None:
            nonlocal done, job
            job = hands.jobs.get(job["id"])
            advance(job["done"], job["done"] - done)
            done = job["done"]

        look()
        while job["finished_at"] is None:
            if not hands.work(look):
                time.sleep(_LOOK_S)
            look()
    if job["state"] != "done":
        raise AIMMemoryError(f"The job {job['id']} {job['state']}: {job['error'] or 'somebody ended it'}")
    return {"job": job["id"], **job["result"]}


@contextmanager
def _embedders(place: Place) -> Iterator[Embedders]:
    if place.settings.url:
        with place.server() as client:
            yield EmbeddersOfServer(client)
        return
    with needs("embedded"):
        from aim_memory.assemble import open_engine
    engine = open_engine(place.settings)
    try:
        yield EmbeddersOfFolder(engine)
    finally:
        engine.close()


@contextmanager
def _jobs(place: Place) -> Iterator[Jobs]:
    if place.settings.url:
        with place.server() as client:
            yield JobsOfServer(client)
        return
    with needs("embedded"):
        from aim_memory.assemble import open_store
        from aim_memory.clock import SystemClock
        from aim_memory.engine.jobs import JobRunner
    store = open_store(place.settings)
    try:
        yield JobsOfFolder(JobRunner(store.jobs, SystemClock(), {}))
    finally:
        store.close()
