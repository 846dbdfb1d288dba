"""Commands that look at what is there: list, show, namespaces, sessions."""

from __future__ import annotations

from typing import Annotated

import typer

from aim_memory.cli.arguments import (
    DEFAULT_NAMESPACE,
    Filters,
    MemoryId,
    Namespace,
    Session,
    Whose,
    json_object,
    moment,
)
from aim_memory.cli.command import Place, command

app = typer.Typer()
sessions_app = typer.Typer(no_args_is_help=True, help="Conversations and where they are heading.")
SessionId = Annotated[str, typer.Argument(metavar="SESSION")]
Limit = Annotated[int, typer.Option(min=1, max=200, help="Items on the page.")]
Cursor = Annotated[str | None, typer.Option(help="Where the page before ended.")]


@command(app, name="list", example="aimem list -n user/ada --since 2025-05-01")
def list_memories(
    place: Place,
    namespace: Namespace = DEFAULT_NAMESPACE,
    session: Session = None,
    filters: Filters = None,
    since: Annotated[str | None, typer.Option(help="Said at or after, ISO 8601.")] = None,
    until: Annotated[str | None, typer.Option(help="Said before, ISO 8601.")] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> None:
    """List memories, in the order they were written."""
    from aim_memory.cli import views

    chosen = json_object(filters, "--filter")
    with place.memory() as memory:
        page = memory.list(
            namespace=namespace,
            filters=chosen,
            since=moment(since, "--since"),
            until=moment(until, "--until"),
            session_id=session,
            limit=limit,
            cursor=cursor,
        )
    place.show(page, lambda: views.memories(page))


@command(app, example="aimem show ID --history")
def show(
    place: Place,
    memory_id: MemoryId,
    namespace: Whose = None,
    history: Annotated[bool, typer.Option("--history", help="Its versions instead.")] = False,
    evidence: Annotated[bool, typer.Option("--evidence", help="Its original text instead.")] = False,
) -> None:
    """Show one memory with its anchors and validity."""
    from aim_memory.cli import views

    with place.memory() as memory:
        if history:
            versions = memory.history(memory_id, namespace=namespace)
            place.show(versions, lambda: views.history(versions))
        elif evidence:
            original = memory.evidence(memory_id, namespace=namespace)
            place.show(original, lambda: views.evidence(original))
        else:
            found = memory.get(memory_id, namespace=namespace)
            place.show(found, lambda: views.memory(found))


@command(app, example="aimem namespaces")
def namespaces(place: Place, limit: Limit = 50, cursor: Cursor = None) -> None:
    """List namespaces and how much each holds."""
    from aim_memory.cli import views

    with place.memory() as memory:
        page = memory.namespaces(cursor=cursor, limit=limit)
    place.show(page, lambda: views.namespaces(page))


@command(sessions_app, name="list", example="aimem sessions list -n user/ada")
def list_sessions(place: Place, namespace: Namespace = DEFAULT_NAMESPACE, limit: Limit = 50) -> None:
    """List the conversations of a namespace."""
    from aim_memory.cli import views

    with place.memory() as memory:
        page = memory.sessions(namespace=namespace, limit=limit)
    place.show(page, lambda: views.sessions(page))


@command(sessions_app, name="show", example="aimem sessions show SESSION -n user/ada")
def show_session(place: Place, session: SessionId, namespace: Namespace = DEFAULT_NAMESPACE) -> None:
    """Show the direction of a conversation."""
    from aim_memory.cli import views

    with place.memory() as memory:
        found = memory.session(session, namespace=namespace)
    place.show(found, lambda: views.session(found))


@command(sessions_app, name="reset", example="aimem sessions reset SESSION -n user/ada")
def reset_session(place: Place, session: SessionId, namespace: Namespace = DEFAULT_NAMESPACE) -> None:
    """Put a conversation at rest; its memories stay."""
    from aim_memory.cli import views

    with place.memory() as memory:
        reply = memory.reset_session(session, namespace=namespace)
    place.show(reply, lambda: views.pairs({"session": session, "was moving": "yes" if reply.reset else "no"}))
