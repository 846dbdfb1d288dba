"""All commands under one roof."""

from __future__ import annotations

from typing import Annotated

import typer

from aim_memory.cli import (
    administration,
    asking,
    bots,
    browsing,
    chat,
    demo,
    doctor,
    extracting,
    keys,
    mcp,
    models,
    output,
    reindexing,
    serving,
    transferring,
    writing,
)

app = typer.Typer(
    name="aimem",
    help="Long-term memory for agents and assistants: on a folder of this machine, or on a server (--url).",
    epilog=output.EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for group in (
    serving,
    writing,
    asking,
    chat,
    browsing,
    transferring,
    administration,
    reindexing,
    extracting,
    mcp,
    bots,
    doctor,
    demo,
):
    app.registered_commands += group.app.registered_commands
app.add_typer(browsing.sessions_app, name="sessions")
app.add_typer(administration.backup_app, name="backup")
app.add_typer(keys.app, name="keys")
app.add_typer(reindexing.jobs_app, name="jobs")
app.add_typer(models.app, name="model")
app.add_typer(serving.config_app, name="config")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def bench(context: typer.Context) -> None:
    """Measure retrieval on evaluation sets of your own. Example: [bold]aimem bench retrieval --data sets/[/bold]"""
    from aim_memory.cli.bench.app import app as measuring

    typer.main.get_command(measuring)(context.args, prog_name="aimem bench")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def fit(context: typer.Context) -> None:
    """Fit the ranking to sets with known evidence. Example: [bold]aimem fit --data sets/ --json fit.json[/bold]"""
    context.args.insert(0, "fit")
    bench(context)


def _version(wanted: bool) -> None:
    if wanted:
        from aim_memory import __version__

        typer.echo(f"aim-memory {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass
