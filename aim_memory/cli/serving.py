"""Commands about the service itself: serve, config show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from aim_memory.cli import output
from aim_memory.cli.command import Place, command
from aim_memory.errors import InvalidInputError
from aim_memory.extras import needs

if TYPE_CHECKING:
    from pydantic import BaseModel

app = typer.Typer()
config_app = typer.Typer(no_args_is_help=True, help="Settings.")


@command(app, example="aimem serve --model ~/models/qwen -- --quantization awq --max-model-len 8192")
def serve(
    place: Place,
    options: Annotated[
        list[str] | None, typer.Argument(metavar="-- VLLM OPTIONS", help="With --model: handed to 'vllm serve'.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; beyond this machine only with keys.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0 finds a free one.")] = None,
    model: Annotated[
        str | None, typer.Option(help="Name of the hub, or path, of the model that answers; vLLM is run for it.")
    ] = None,
) -> None:
    """Serve memories over HTTP, until Ctrl-C; with a model, run it beside and let it answer."""
    settings = place.local("aimem serve")
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    changes: dict[str, Any] = {"server": settings.server.model_copy(update=given)}
    if model is not None:
        changes["generator"] = settings.generator.model_copy(update={"kind": "vllm", "model": model})
    if options:
        if changes.get("generator", settings.generator).kind != "vllm":
            raise InvalidInputError(f"{' '.join(options)}: options after -- are for the model; name one with --model.")
        changes["vllm"] = settings.vllm.model_copy(update={"options": (*settings.vllm.options, *options)})
    with needs("server"):
        from aim_memory.api.serve import run
    run(settings.model_copy(update=changes), announce=output.say)


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
