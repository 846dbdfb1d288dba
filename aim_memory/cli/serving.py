"""Commands about the service itself: serve, config show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from aim_memory.cli import output
from aim_memory.cli.command import Place, command
from aim_memory.extras import needs

if TYPE_CHECKING:
    from pydantic import BaseModel

app = typer.Typer()
config_app = typer.Typer(no_args_is_help=True, help="Settings.")


@command(app, example="aimem serve --port 8765")
def serve(
    place: Place,
    host: Annotated[str | None, typer.Option(help="Address to listen on; beyond this machine only with keys.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0 finds a free one.")] = None,
) -> None:
    """Serve memories over HTTP, until Ctrl-C."""
    settings = place.local("aimem serve")
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    server = settings.server.model_copy(update=given)
    with needs("server"):
        from aim_memory.api.serve import run
    run(settings.model_copy(update={"server": server}), announce=output.say)


@command(config_app, name="show", example="aimem config show --json")
def show_config(place: Place) -> None:
    """Show every setting as it is now; what differs from the default is marked. Secrets are not shown."""
    from aim_memory.cli import views

    now, default = _flat(place.settings), _flat(type(place.settings).model_construct())
    rows = [
        {"": "●" if value != default.get(name) else "", "setting": name, "value": value} for name, value in now.items()
    ]
    place.show(place.settings, lambda: views.records(rows, ""))


def _flat(section: BaseModel, prefix: str = "AIM_") -> dict[str, Any]:
    """Settings by the names of their environment variables."""
    from pydantic import BaseModel

    found: dict[str, Any] = {}
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            found |= _flat(value, f"{prefix}{name.upper()}__")
        else:
            found[f"{prefix}{name.upper()}"] = value
    return found
