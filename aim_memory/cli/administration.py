"""Commands for administrators: backup, backup verify, restore, verify, erase, migrate, stats, audit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from aim_memory.cli import output
from aim_memory.cli.arguments import DryRun, Yes
from aim_memory.cli.command import Place, command
from aim_memory.errors import InvalidInputError, NotFoundError
from aim_memory.extras import needs

if TYPE_CHECKING:
    from aim_memory.bodies import BackupManifest, EraseReceipt
    from aim_memory.ports import Progress, Vault
    from aim_memory.settings import Settings

Backup = Annotated[Path, typer.Argument(metavar="PATH", help="The folder of the backup.")]


class _Defaulting(TyperGroup):
    """A group whose first word may be left out: ``aimem backup PATH`` is ``aimem backup create PATH``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["create", *args]
        return super().parse_args(ctx, args)


app = typer.Typer()
backup_app = typer.Typer(
    cls=_Defaulting,
    no_args_is_help=True,
    help="Back up everything, online, and prove backups. Examples: [bold]aimem backup backups/monday[/bold]   "
    "[bold]aimem backup verify backups/monday[/bold]",
)


@command(backup_app, example="aimem backup backups/monday")
def create(place: Place, path: Backup) -> None:
    """Back up everything into a new folder, while servers go on. ("create" may be left out.)

    From a server it takes an operator's key, and the rows come over the network.
    """
    from aim_memory.cli import views

    if place.settings.url:
        with place.server() as client, _bytes("Fetching the backup") as advance:
            client.admin.backup(path, advance)
        made = _manifest(path)
    else:
        with _progress() as progress:
            made = _vault(place.settings).backup(path, progress)
    shown = _about(path, made)
    place.show(made, lambda: views.pairs(shown))


@command(backup_app, name="verify", example="aimem backup verify backups/monday --json")
def prove(place: Place, path: Backup) -> None:
    """Prove a backup: restore it into a temporary place, compare every row, and look through the result."""
    with _progress() as progress:
        found = _vault(place.settings).prove(path, progress)
    _tell(place, found, f"{path} restores, and every row came back.")


@command(app, example="aimem restore backups/monday --into ~/memories    aimem restore backups/monday --replace")
def restore(
    place: Place,
    path: Backup,
    into: Annotated[
        str | None,
        typer.Option(metavar="FOLDER|URL", help="A data folder, or postgresql+psycopg://…; the settings' own."),
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace what is there.")] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Put a backup in the place of a store: all of it, or nothing.

    A folder's server has to be stopped; servers on PostgreSQL go on and see the old rows until the new ones are there.
    """
    from aim_memory.cli import views

    vault = _target(place, into)
    made, held = _manifest(path), {name: rows for name, rows in vault.holdings().items() if rows}
    if dry_run:
        would = {**_about(path, made), "would_replace": held or "nothing"}
        place.show(would, lambda: views.pairs(would))
        return
    if replace and held.get("memories"):
        output.ask(f"Replace {held['memories']:,} memories by the {_memories(made):,} of {path}?", yes=yes)
    with _progress() as progress:
        vault.restore(path, progress, replace=replace)
    shown = {"restored": _memories(made), "namespaces": len(made.namespaces), "of": made.created_at.isoformat()}
    place.show(shown, lambda: views.pairs(shown))


@command(app, example="aimem verify --json")
def verify(place: Place) -> None:
    """Look through every row for damage, and say what to do about it. The exit code is 1 if there is any.

    On a server it takes an operator's key.
    """
    if place.settings.url:
        with place.server() as client, output.err().status("The server looks …"):
            found = client.admin.verify()
    else:
        with _progress() as progress:
            found = _vault(place.settings).verify(progress)
    _tell(place, found, "All is as it must be.")


@command(app, example="aimem erase user/ada --dry-run    aimem erase user/ada --yes --json > receipt.json")
def erase(
    place: Place,
    namespace: Annotated[str, typer.Argument(metavar="NAMESPACE", help="Whose memories.")],
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Erase a namespace for good, and print the receipt. On a server it takes an admin's key."""
    from aim_memory.cli import views

    there = _amounts(place, namespace)
    if not there.pop("namespaces"):
        raise NotFoundError(f"There is no namespace {namespace} here. List them with: aimem namespaces")
    if dry_run:
        would = {"namespace": namespace, "would_erase": there}
        place.show(would, lambda: views.pairs({"namespace": namespace, **there}))
        return
    output.ask(f"Erase {there['memories']:,} memories of {namespace} for good?", yes=yes)
    receipt = _erased(place, namespace)
    place.show(receipt, lambda: views.receipt(receipt))


@command(app, example="aimem stats --json")
def stats(
    place: Place,
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", help="One namespace; all if left out.")] = None,
) -> None:
    """Count what is there, by kind. On a server it takes an admin's key."""
    from aim_memory.cli import views

    found = _amounts(place, namespace)
    place.show(found, lambda: views.pairs({name: f"{rows:,}" for name, rows in found.items()}))


@command(app, example="aimem migrate --dry-run")
def migrate(place: Place, dry_run: DryRun = False) -> None:
    """Bring the store to this version's schema. Whatever opens a store does so too; this does nothing else."""
    from aim_memory.cli import views

    vault = _vault(place.local("aimem migrate"))
    before, head = vault.revisions()
    if not dry_run:
        vault.migrate()
    shown = {"schema": before or "none", "of this version": head, "migrated": before != head and not dry_run}
    place.show(shown, lambda: views.pairs(shown))


@command(app, example="aimem audit --limit 20")
def audit(place: Place, limit: Annotated[int, typer.Option(min=1, max=200, help="Entries.")] = 50) -> None:
    """Show what administrators did over HTTP, the newest first. On a server it takes an admin's key."""
    from aim_memory.cli import views

    if place.settings.url:
        with place.server() as client:
            items = [entry.model_dump(mode="json") for entry in client.admin.audit(limit=limit).items]
    else:
        with _store(place.settings) as store:
            items = [_told(entry) for entry in store.noted(limit=limit)]
    place.show({"items": items}, lambda: views.records(items, "Nothing was done by administrators over HTTP."))


# --- parts ---------------------------------------------------------------------------------------------------------


def _vault(settings: Settings, url: str | None = None) -> Vault:
    with needs("embedded"):
        from aim_memory.assemble import open_vault
    return open_vault(settings, url)


def _target(place: Place, into: str | None) -> Vault:
    """The store that a backup is to become."""
    if into is None:
        return _vault(place.local("aimem restore"))
    if "://" in into:
        return _vault(place.settings, into)
    folder = Path(into).expanduser().absolute()
    return _vault(place.settings, f"sqlite:///{folder / 'aim.db'}")


@contextmanager
def _store(settings: Settings) -> Iterator[Any]:
    with needs("embedded"):
        from aim_memory.assemble import open_store
    store = open_store(settings)
    try:
        yield store
    finally:
        store.close()


def _amounts(place: Place, namespace: str | None) -> dict[str, int]:
    if place.settings.url:
        with place.server() as client:
            found = client.admin.stats(namespace=namespace)
        return {"namespaces": found.namespaces, **found.rows}
    from aim_memory.embedded import LOCAL_TENANT

    with _store(place.settings) as store:
        return dict(store.amounts(LOCAL_TENANT, namespace))


def _erased(place: Place, namespace: str) -> EraseReceipt:
    with place.memory() as memory:
        return memory.forget(namespace)


def _manifest(path: Path) -> BackupManifest:
    """What a backup says of itself, unproved. Raises InvalidInputError if there is none."""
    from pydantic import ValidationError

    from aim_memory.bodies import BackupManifest

    file = path / "manifest.json"
    if not file.is_file():
        raise InvalidInputError(f"There is no backup in {path}: it has no manifest.json.", field="PATH")
    try:
        return BackupManifest.model_validate_json(file.read_bytes())
    except ValidationError as failure:
        raise InvalidInputError(f"{file} is no manifest that this version reads.", field="PATH") from failure


def _memories(made: BackupManifest) -> int:
    return made.tables["memories"].rows


def _about(path: Path, made: BackupManifest) -> dict[str, Any]:
    return {
        "backup": str(path),
        "of": made.created_at.isoformat(),
        "memories": _memories(made),
        "namespaces": len(made.namespaces),
        "bytes": sum(file.bytes for file in made.files.values()),
        "schema": made.revision,
        "from": made.database,
    }


def _tell(place: Place, found: Any, well: str) -> None:
    """Shows what was found, and ends with 1 if that was anything."""
    from aim_memory.cli import views

    place.show(found, lambda: views.flaws(found, well))
    if not found.sound:
        raise typer.Exit(output.Exit.FAILURE)


def _told(entry: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(entry), "at": entry.at.isoformat()}


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on stderr for each step, where that is a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bars(*columns, console=output.err(), disable=not output.err().is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def tell(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step.capitalize(), total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield tell


@contextmanager
def _bytes(what: str) -> Iterator[Any]:
    from rich.progress import DownloadColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), DownloadColumn(), TimeElapsedColumn())
    with Bars(*columns, console=output.err(), disable=not output.err().is_terminal) as bars:
        task = bars.add_task(what, total=None)
        yield lambda more: bars.advance(task, more)
