"""Commands about models: model install, model tiny."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aim_memory.cli import output
from aim_memory.cli.command import Place, command
from aim_memory.extras import needs

app = typer.Typer(no_args_is_help=True, help="The model server that 'aimem serve --model' runs.")


@command(app, example="aimem model install --cpu")
def install(
    place: Place,
    path: Annotated[
        Path | None, typer.Option(help="The environment's folder; vllm in the data folder if left out.")
    ] = None,
    version: Annotated[str | None, typer.Option(help="Of vLLM; the one that was tried if left out.")] = None,
    cpu: Annotated[
        bool | None, typer.Option("--cpu/--gpu", help="Which build; by whether this machine has an NVIDIA driver.")
    ] = None,
) -> None:
    """Install vLLM, in a virtual environment of its own: it needs other versions of what we need too."""
    from aim_memory.cli.installing import Installation, has_gpu

    settings = place.local("aimem model install")
    with needs("embedded"):
        from aim_memory.assemble import open_vllm_environment
    if path is not None:
        vllm = settings.vllm.model_copy(update={"environment": path.expanduser().absolute()})
        settings = settings.model_copy(update={"vllm": vllm})
    environment = open_vllm_environment(settings)
    installation = Installation(environment, on_cpu=not has_gpu() if cpu is None else cpu, version=version)
    with output.err().status("…") as status:
        for step in installation.steps():
            status.update(step)
    versions = ", ".join(f"{name} {found}" for name, found in environment.versions().items())
    output.say(f"vLLM is in {environment.folder} ({versions}). Go on with: aimem serve --model NAME_OR_PATH")
    if environment.folder != place.settings.vllm_environment:
        output.say(f"It is found with: export AIM_VLLM__ENVIRONMENT={environment.folder}")
    if place.as_json:
        output.print_json({"environment": str(environment.folder), "versions": environment.versions()})


@command(app, example="aimem model tiny ./tiny && aimem serve --model ./tiny")
def tiny(
    place: Place,
    folder: Annotated[Path, typer.Argument(metavar="PATH", help="Folder that is made; it must not exist.")],
    hidden: Annotated[int, typer.Option(min=64, max=1024, help="Width, a multiple of 64.")] = 128,
) -> None:
    """Make a tiny model that talks nonsense, without a network: to try the ways, never the answers."""
    from aim_memory.cli.tiny_model import make

    parameters = make(folder.expanduser(), hidden)
    output.say(f"{folder}: {parameters:,} random parameters. Try it with: aimem serve --model {folder}")
    if place.as_json:
        output.print_json({"path": str(folder), "parameters": parameters})
