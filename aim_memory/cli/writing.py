"""Commands that write single memories: write, edit, forget."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aim_memory.cli import output
from aim_memory.cli.arguments import DEFAULT_NAMESPACE, DryRun, MemoryId, Namespace, Session, Whose, Yes, json_object
from aim_memory.cli.command import Place, command
from aim_memory.errors import InvalidInputError

if TYPE_CHECKING:
    from aim_memory.cli.command import Memory

app = typer.Typer()
Ids = Annotated[list[str] | None, typer.Argument(metavar="ID...", help="Memories to erase.")]


@command(app, example='aimem write "My dentist is Dr. Okafor." -n user/ada --speaker Ada')
def write(
    place: Place,
    text: Annotated[str, typer.Argument(help="What to remember; - reads it from stdin.")],
    namespace: Namespace = DEFAULT_NAMESPACE,
    session: Session = None,
    speaker: Annotated[str | None, typer.Option(help="Who said it.")] = None,
    at: Annotated[str | None, typer.Option(help="When it was said, ISO 8601; now if left out.")] = None,
    id: Annotated[str | None, typer.Option(help="An id of your own.")] = None,
    pin: Annotated[bool, typer.Option("--pin", help="Never let it fade.")] = False,
) -> None:
    """Remember a text."""
    from aim_memory.cli import views

    item: dict[str, Any] = {"text": sys.stdin.read() if text == "-" else text, "pinned": pin}
    given = {"speaker": speaker, "timestamp": at, "id": id}
    item |= {name: value for name, value in given.items() if value is not None}
    with place.memory() as memory:
        reply = memory.write(namespace=namespace, session_id=session, memories=[item])
    place.show(reply, lambda: views.written(reply))
    if any(result.status == "rejected" for result in reply.results):
        raise typer.Exit(output.Exit.FAILURE)


@command(app, example='aimem edit ID --text "My dentist is Dr. Lindqvist."')
def edit(
    place: Place,
    memory_id: MemoryId,
    namespace: Whose = None,
    text: Annotated[str | None, typer.Option(help="New text.")] = None,
    metadata: Annotated[str | None, typer.Option(help="New metadata, a JSON object.")] = None,
    pin: Annotated[bool | None, typer.Option("--pin/--unpin", help="Pin it, or let it age.")] = None,
    expires_at: Annotated[str | None, typer.Option(help="When it expires, ISO 8601; never takes it back.")] = None,
    version: Annotated[int | None, typer.Option(help="Only if this is still the newest version.")] = None,
) -> None:
    """Edit a memory; the text before goes to its history."""
    from aim_memory.cli import views

    given = {"text": text, "metadata": json_object(metadata, "--metadata"), "pinned": pin, "expires_at": expires_at}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if expires_at == "never":
        changes["expires_at"] = None
    if not changes:
        raise InvalidInputError("Say what to change: --text, --metadata, --pin, --unpin or --expires-at.")
    with place.memory() as memory:
        reply = memory.update(memory_id, namespace=namespace, if_match=version, **changes)
    place.show(reply, lambda: views.memory(reply))


@command(app, example="aimem forget ID --namespace user/ada    aimem forget --all --namespace user/ada --dry-run")
def forget(
    place: Place,
    ids: Ids = None,
    namespace: Whose = None,
    everything: Annotated[bool, typer.Option("--all", help="Erase the whole namespace.")] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Erase memories with their evidence and history, or a whole namespace."""
    if everything == bool(ids):
        raise InvalidInputError("Name the memories to erase, or give --all with a --namespace.")
    with place.memory() as memory:
        if ids:
            _forget_some(place, memory, list(dict.fromkeys(ids)), namespace, dry_run, yes)
        elif namespace is None:
            raise InvalidInputError("--all needs a --namespace.", field="namespace")
        else:
            _forget_namespace(place, memory, namespace, dry_run, yes)


def _forget_some(place: Place, memory: Memory, ids: list[str], namespace: str | None, dry_run: bool, yes: bool) -> None:
    from aim_memory.bodies import DeleteReply, MemoryPage
    from aim_memory.cli import views

    found = MemoryPage(items=[memory.get(memory_id, namespace=namespace) for memory_id in ids])
    if dry_run:
        place.show(found, lambda: views.memories(found))
        return
    if not yes:
        output.err().print(views.memories(found))
    output.ask(f"Erase {len(ids)} {'memory' if len(ids) == 1 else 'memories'} for good?", yes=yes)
    reply = DeleteReply(deleted=sum(memory.delete(memory_id, namespace=namespace).deleted for memory_id in ids))
    place.show(reply, lambda: views.pairs({"erased": reply.deleted}))


def _forget_namespace(place: Place, memory: Memory, namespace: str, dry_run: bool, yes: bool) -> None:
    from aim_memory.cli import views

    if dry_run:
        would = {"namespace": namespace, "would_erase": sum(1 for _ in memory.iterate(namespace=namespace))}
        place.show(would, lambda: views.pairs(would))
        return
    output.ask(f"Erase the whole namespace {namespace} for good?", yes=yes)
    reply = memory.forget(namespace)
    place.show(reply, lambda: views.receipt(reply))
