"""``aimem bench``: measures this very installation on evaluation sets of one's own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import Manager, get_context
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from aim_memory.cli.bench_report import WHOLE, make_report, print_report
from aim_memory.cli.bench_sets import EvaluationSet, read_sets
from aim_memory.cli.output import reporting
from aim_memory.config import AIMConfig
from aim_memory.settings import Settings

if TYPE_CHECKING:
    from aim_memory.cli.bench_run import Run, Written

Tell: TypeAlias = Callable[[str, int, int], None]
"""Told (title, total, count) after so many more memories were written or questions asked."""

app = typer.Typer(no_args_is_help=True)

SWITCHES: Mapping[str, Mapping[str, Any]] = {
    "late interaction": {"late_weight": 0.0},
    "notions": {"notion_weight": 0.0},
    "neighbours": {"neighbour_weight": 0.0, "reply_share": 0.0},
    "speakers": {"speaker_bonus": 0.0, "assistant_penalty": 0.0},
    "questions": {"question_penalty": 0.0},
    "inertia": {"inertia_strength": 0.0, "lexical_inertia": 0.0},
    "anchors": {"anchor_boost": 0.0},
    "decay": {"decay_strength": 0.0},
    "supersession": {"supersession": False},
    "refill": {"refill": False},
}
"""Mechanism → the settings that switch it off."""
AT_WRITE = frozenset({"supersession"})
"""Mechanisms that act when a memory is written: without them everything is written anew."""


@app.callback()
def _group() -> None:
    """Measures retrieval on evaluation sets."""


@app.command(
    help="Writes evaluation sets, asks their questions and prints how well they are answered.\n\n"
    "Everything goes through the public write and query paths of an embedded memory in a temporary folder. "
    "Vectors are kept between runs.\n\nExample: [bold]aimem bench retrieval --data sets/ --sets mtrag --ablate[/bold]"
)
def retrieval(
    folder: Annotated[Path, typer.Option("--data", help="Folder of sets: NAME/memories.jsonl, NAME/queries.jsonl.")],
    sets: Annotated[str, typer.Option(help="Names of the sets to run, with commas; all if left out.")] = "",
    out: Annotated[Path | None, typer.Option("--json", help="File to write the whole report to.")] = None,
    ablate: Annotated[bool, typer.Option(help="Also run with each mechanism switched off.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many questions of each set.")] = None,
    with_session: Annotated[bool, typer.Option("--session/--no-session", help="Ask earlier turns first.")] = True,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Budget of the context.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one per core, at most 4.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder of kept vectors; 'vectors' in the data folder.")] = None,
) -> None:
    with reporting(as_json=False):
        chosen = read_sets(folder, [name for name in sets.split(",") if name], limit)
        settings = _with_cache(Settings(), cache)
        configs = _configs(settings.memory, SWITCHES if ablate else {})
        job = Job(settings, configs, with_session, max_tokens)
        runs = _run_all(chosen, job, workers or min(4, os.cpu_count() or 1))
        report = make_report(settings, runs)
        print_report(report)
        if out is not None:
            out.write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")


@dataclass(frozen=True)
class Job:
    """What is done with a set; travels to worker processes."""

    settings: Settings
    configs: Mapping[str, AIMConfig]
    """By what is left out."""
    with_session: bool
    max_tokens: int | None

    def __call__(self, chosen: EvaluationSet, tell: Tell) -> dict[str, Run]:
        """The runs of a set by what is left out. Runs that write alike share a folder."""
        from aim_memory.cli.bench_run import Manner, Run, ask_set, write_set

        folders: dict[Path, Written] = {}
        runs: dict[str, Run] = {}
        with TemporaryDirectory(prefix="aimem-bench-") as scratch:
            for name, config in self.configs.items():
                title = chosen.name if name == WHOLE else f"{chosen.name}, no {name}"
                settings = self.settings.model_copy(update={"memory": config})
                home = Path(scratch) / (name if name in AT_WRITE else WHOLE)
                if home not in folders:
                    step = partial(tell, f"{title}: writing", len(chosen.memories))
                    folders[home] = write_set(home, settings, chosen, step)
                manner = Manner(name.replace(" ", "-"), self.with_session, self.max_tokens)
                step = partial(tell, f"{title}: asking", len(chosen.questions))
                runs[name] = Run(folders[home], ask_set(home, settings, chosen, manner, step))
        return runs


def _run_all(chosen: Sequence[EvaluationSet], job: Job, workers: int) -> dict[str, dict[str, Run]]:
    """The runs of every set, in the order given; the largest sets start first."""
    with _bars() as tell:
        if workers == 1 or len(chosen) == 1:
            return {one.name: job(one, tell) for one in chosen}
        with (
            Manager() as manager,
            _relayed(manager.Queue(), tell) as told,
            ProcessPoolExecutor(workers, get_context("spawn")) as pool,
        ):
            by_size = sorted(chosen, key=lambda one: -len(one.memories) - len(one.questions))
            running = {one.name: pool.submit(job, one, partial(_put, told)) for one in by_size}
            return {one.name: running[one.name].result() for one in chosen}


@contextmanager
def _relayed(told: Queue[Any], tell: Tell) -> Iterator[Queue[Any]]:
    """Hands on what workers put into the queue."""

    def relay() -> None:
        for title, total, count in iter(told.get, None):
            tell(title, total, count)

    thread = Thread(target=relay)
    thread.start()
    try:
        yield told
    finally:
        told.put(None)
        thread.join()


def _put(told: Queue[Any], title: str, total: int, count: int) -> None:
    told.put((title, total, count))


@contextmanager
def _bars() -> Iterator[Tell]:
    """Progress bars on stderr, one for each title told."""
    columns = (TextColumn("{task.description:40}"), BarColumn(), MofNCompleteColumn(), TaskProgressColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:

        def tell(title: str, total: int, count: int) -> None:
            if title not in tasks:
                tasks[title] = progress.add_task(title, total=total)
            progress.advance(tasks[title], count)

        yield tell


def _configs(config: AIMConfig, switches: Mapping[str, Mapping[str, Any]]) -> dict[str, AIMConfig]:
    """What to leave out → the configuration without it."""
    changed = {name: AIMConfig.model_validate(config.model_dump() | dict(off)) for name, off in switches.items()}
    return {WHOLE: config} | changed


def _with_cache(settings: Settings, cache: Path | None) -> Settings:
    folder = cache or settings.embedder.cache_dir or settings.home / "vectors"
    return settings.model_copy(update={"embedder": settings.embedder.model_copy(update={"cache_dir": folder})})
