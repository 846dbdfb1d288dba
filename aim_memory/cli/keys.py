"""Commands for API keys. The first one is made where the data lies; further ones also on the server, by an admin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aim_memory.cli import output
from aim_memory.cli.arguments import Yes, ahead
from aim_memory.cli.command import Place, command
from aim_memory.errors import NotFoundError
from aim_memory.extras import needs

if TYPE_CHECKING:
    from aim_memory.keys import Keyring
    from aim_memory.types import ApiKey

app = typer.Typer(no_args_is_help=True, help="API keys: who may talk to the server.")


class RoleName(StrEnum):
    AUDITOR = "auditor"
    READER = "reader"
    WRITER = "writer"
    ADMIN = "admin"
    OPERATOR = "operator"


@command(app, example="aimem keys create metrics --role auditor --expires 30d")
def create(
    place: Place,
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    role: Annotated[RoleName, typer.Option(help="What it may do.")] = RoleName.WRITER,
    tenant: Annotated[
        str | None, typer.Option(help="Whose memories it opens: local; on a server, the key's own.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="How long it is good, such as 30d or 12h, or until when; for ever if left out.")
    ] = None,
) -> None:
    """Make a key. The secret is shown once; from the first key on, the server asks for one."""
    from aim_memory.cli import views

    until = ahead(expires, "--expires")
    if place.settings.url:
        with place.server() as client:
            made = client.admin.create_key(name, role.value, tenant=tenant, expires_at=until)
        shown = made.model_dump(mode="json")
    else:
        with _keyring(place) as keyring:
            issued = keyring.create(tenant or "local", name, role.value, until)
        shown = {**_public(issued.key), "key": issued.token}
    place.show(shown, lambda: views.pairs(shown))
    if not place.as_json:
        output.say("Keep the key: it is not stored and cannot be shown again.")


@command(app, name="list", example="aimem keys list")
def list_keys(place: Place) -> None:
    """List the keys, revoked ones included; secrets are not known here."""
    from aim_memory.cli import views

    if place.settings.url:
        with place.server() as client:
            keys = [key.model_dump(mode="json") for key in client.admin.keys().items]
    else:
        with _keyring(place) as keyring:
            keys = [_public(key) for key in keyring.list()]
    place.show({"items": keys}, lambda: views.records(keys, "No keys: the server serves this machine only."))


@command(app, example="aimem keys revoke ID")
def revoke(place: Place, key_id: Annotated[str, typer.Argument(metavar="ID")], yes: Yes = False) -> None:
    """End a key at once."""
    from aim_memory.cli import views

    output.ask(f"Revoke the key {key_id}? Whoever uses it is locked out at once.", yes=yes)
    if place.settings.url:
        with place.server() as client:
            client.admin.revoke_key(key_id)
    else:
        with _keyring(place) as keyring:
            revoked = keyring.revoke(key_id)
        if not revoked:
            raise NotFoundError(f"There is no valid key {key_id}. List them with: aimem keys list")
    place.show({"id": key_id, "revoked": True}, lambda: views.pairs({"revoked": key_id}))


@contextmanager
def _keyring(place: Place) -> Iterator[Keyring]:
    """The keys of a folder or of a database."""
    with needs("embedded"):
        from aim_memory.assemble import open_store
        from aim_memory.clock import SystemClock
        from aim_memory.keys import Keyring
    store = open_store(place.settings)
    try:
        yield Keyring(store, SystemClock())
    finally:
        store.close()


def _public(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "tenant": key.tenant,
        "role": key.role,
        "created_at": key.created_at.isoformat(),
        "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
        "expires_at": key.expires_at.isoformat() if key.expires_at else None,
    }
