"""The command that has a language model read memories: extract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from aim_memory.cli.arguments import DEFAULT_NAMESPACE, DryRun, Namespace, Session
from aim_memory.cli.command import Place, command
from aim_memory.cli.embedders import EmbeddersOfFolder, EmbeddersOfServer, of_job, of_view
from aim_memory.cli.reindexing import finished
from aim_memory.extras import needs

if TYPE_CHECKING:
    from aim_memory.bodies import ExtractPreview, ExtractRequest
    from aim_memory.engine import MemoryEngine

app = typer.Typer()


@command(app, example="aimem extract -n user/ada --dry-run")
def extract(
    place: Place,
    namespace: Namespace = DEFAULT_NAMESPACE,
    what: Annotated[Literal["facts", "summaries", "profile"], typer.Option(help="What to write down.")] = "facts",
    session: Session = None,
    limit: Annotated[int, typer.Option(min=1, max=20, help="With --dry-run: stretches of conversation to read.")] = 1,
    dry_run: DryRun = False,
) -> None:
    """Have the language model of the settings read memories, and write down facts, summaries or a profile.

    What it writes is checked against what it read, and goes with it. The originals stay as they are. With --dry-run the
    model is asked, and what would be kept and refused is shown.
    """
    from aim_memory.bodies import ExtractRequest
    from aim_memory.cli import views

    request = ExtractRequest(namespace=namespace, what=what, session_id=session)
    if dry_run:
        found = _preview(place, request, limit)
        place.show(found, lambda: views.extraction(found))
    else:
        shown = _extracted(place, request)
        place.show(shown, lambda: views.pairs(shown))


def _preview(place: Place, request: ExtractRequest, limit: int) -> ExtractPreview:
    if place.settings.url:
        with place.server() as client:
            return client.admin.preview_extraction(**request.model_dump(exclude_none=True), limit=limit)
    import asyncio  # not by whoever lists the commands

    with _engine(place) as (engine, tenant):
        return asyncio.run(engine.preview_extraction(tenant, request, limit))


def _extracted(place: Place, request: ExtractRequest) -> dict[str, Any]:
    if place.settings.url:
        with place.server() as client:
            begun = client.admin.extract(**request.model_dump(exclude_none=True))
            return finished(EmbeddersOfServer(client), of_view(begun))
    with _engine(place) as (engine, tenant):
        return finished(EmbeddersOfFolder(engine), of_job(engine.extract(tenant, request)))


@contextmanager
def _engine(place: Place) -> Iterator[tuple[MemoryEngine, str]]:
    with needs("embedded"):
        from aim_memory.assemble import open_engine
        from aim_memory.embedded import LOCAL_TENANT
    engine = open_engine(place.settings)
    try:
        yield engine, LOCAL_TENANT
    finally:
        engine.close()
