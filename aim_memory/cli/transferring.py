"""Commands that carry conversations in and out: import, export."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, TextIO

import typer

from aim_memory.cli import output
from aim_memory.cli.arguments import DryRun, Filters, json_object
from aim_memory.cli.command import Place, command
from aim_memory.errors import InvalidInputError

if TYPE_CHECKING:
    from aim_memory.cli.command import Memory
    from aim_memory.transfer import Entry, LeftOut, Problem, Report

app = typer.Typer()
From = Annotated[Path, typer.Argument(metavar="FILE", help="JSON Lines, - reads stdin; with --from any export.")]
To = Annotated[Path, typer.Argument(metavar="FILE", help="Where to; - is stdout.")]


class Origin(StrEnum):
    """The exports that are read, by the program that makes them."""

    MEM0 = "mem0"
    ZEP = "zep"
    LETTA = "letta"
    LANGGRAPH = "langgraph"
    CHATGPT = "chatgpt"
    CLAUDE = "claude"


@command(app, name="import", example="aimem import conversations.jsonl --namespace user/ada")
def import_(
    place: Place,
    file: From,
    namespace: Annotated[
        str | None, typer.Option("--namespace", "-n", help="Of all lines; else what each says.")
    ] = None,
    origin: Annotated[
        Origin | None, typer.Option("--from", help="Whose export it is: a file, a folder or a ZIP archive.")
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Import conversations: one JSON object a line, with text and, if known, id, namespace, session_id, speaker, role,
    timestamp, metadata. With --from: what another program exports.

    It may be stopped and run again: what is there already stays unchanged. What cannot be written is reported and
    skipped; then the exit code is 1.
    """
    from aim_memory.cli import views

    with _entries(file, origin, namespace) as (entries, advance):
        if dry_run:
            report = _checked(entries)
        else:
            with place.memory() as memory:
                report = import_into(memory, entries, advance)
    place.show(_summary(report), lambda: views.imported(report))
    if report.counts["rejected"]:
        raise typer.Exit(output.Exit.FAILURE)


@command(app, example="aimem export ada.jsonl --namespace user/ada")
def export(
    place: Place,
    file: To = Path("-"),
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", help="Whose; all if left out.")] = None,
    filters: Filters = None,
) -> None:
    """Export memories as JSON Lines that import reads back to the same memories."""
    from aim_memory.cli import views

    chosen = json_object(filters, "--filter")
    with place.memory() as memory, _written(file) as out, progress("Exporting", None) as advance:
        names = [namespace] if namespace else list(_all_namespaces(memory))
        exported = 0
        for line in _lines(memory, names, chosen):
            out.write(line)
            advance(0, 1)
            exported += 1
    summary = {"exported": exported, "namespaces": names, "file": str(file)}
    if str(file) == "-":
        output.say(f"{exported:,} memories exported.")
    else:
        place.show(summary, lambda: views.pairs(summary))


@contextmanager
def _entries(
    file: Path, origin: Origin | None, namespace: str | None
) -> Iterator[tuple[Iterable[Entry | LeftOut | Problem], Callable[[int], None]]]:
    """What is to be imported, and what moves the bar by what was done."""
    from aim_memory.importers.reading import read
    from aim_memory.transfer import read_entries

    if origin is not None:
        with progress("Importing", None) as advance:
            yield read(origin.value, file, namespace), lambda done: advance(0, done)
        return
    with _opened(file) as (lines, size), progress("Importing", size) as advance:
        yield read_entries(lines, namespace), lambda done: advance(_place_in(lines), done)


def import_into(
    memory: Memory, entries: Iterable[Entry | LeftOut | Problem], advance: Callable[[int], None] | None = None
) -> Report:
    """Imports through whichever door is open; a server gets time for a batch on a slow machine."""
    from aim_memory.client import Client
    from aim_memory.transfer import import_entries

    writer = memory.with_options(max_retries=5) if isinstance(memory, Client) else memory
    return import_entries(entries, writer, advance)


@contextmanager
def progress(what: str, size: int | None) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, where that is a terminal. It is moved by (place in the file, items done since the last call)."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    shown = [TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[items]:,} memories")]
    timing = TimeElapsedColumn() if size is None else TimeRemainingColumn()
    with Progress(*shown, timing, console=output.err(), disable=not output.err().is_terminal) as bar:
        task = bar.add_task(what, total=size, items=0)
        done = 0

        def advance(place: int, items: int) -> None:
            nonlocal done
            done += items
            bar.update(task, completed=place, items=done)

        yield advance


@contextmanager
def _opened(file: Path) -> Iterator[tuple[BinaryIO, int | None]]:
    """The file and its size. Raises InvalidInputError if there is no such file."""
    if str(file) == "-":
        yield sys.stdin.buffer, None
        return
    if not file.is_file():
        raise InvalidInputError(f"There is no file {file}.", field="FILE")
    with file.open("rb") as lines:
        yield lines, file.stat().st_size


@contextmanager
def _written(file: Path) -> Iterator[TextIO]:
    """The file to write, which takes its name only when it is whole; readable by its owner alone."""
    if str(file) == "-":
        yield sys.stdout
        return
    part = file.with_name(f"{file.name}.part")
    part.touch(mode=0o600)
    try:
        with part.open("w", encoding="utf-8") as out:
            yield out
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


def _place_in(lines: BinaryIO) -> int:
    return lines.tell() if lines.seekable() else 0


def _checked(entries: Iterable[Entry | LeftOut | Problem]) -> Report:
    """What an import would do, as far as the file alone tells."""
    from aim_memory.transfer import Entry, Report

    report = Report()
    for entry in entries:
        if isinstance(entry, Entry):
            report.accept(entry, "valid")
        else:
            report.pass_over(entry)
    return report


def _summary(report: Report) -> dict[str, Any]:
    problems = [
        {"line": problem.line, "reason": problem.reason} | ({"place": problem.place} if problem.place else {})
        for problem in report.problems
    ]
    outcomes = {**dict.fromkeys(("created", "unchanged", "rejected"), 0), **report.counts}
    return {**outcomes, **({"left_out": dict(report.left_out)} if report.left_out else {}), "problems": problems}


def _all_namespaces(memory: Memory) -> Iterator[str]:
    cursor: str | None = None
    while True:
        page = memory.namespaces(cursor=cursor)
        yield from (found.namespace for found in page.items)
        if (cursor := page.next_cursor) is None:
            return


def _lines(memory: Memory, namespaces: list[str], filters: dict[str, Any] | None) -> Iterator[str]:
    from aim_memory.transfer import export_lines

    for namespace in namespaces:
        yield from export_lines(memory.iterate(namespace=namespace, filters=filters))
