"""Sets side by side in a few processes, with a progress bar each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import Manager, get_context
from queue import Queue
from threading import Thread
from typing import Any, TypeAlias, TypeVar

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

from aim_memory.cli.bench.sets import EvaluationSet

Tell: TypeAlias = Callable[[str, int, int], None]
"""Told (title, total, count) after so many more of a total were written or asked."""
_T = TypeVar("_T")
_Job: TypeAlias = Callable[[EvaluationSet, Tell], _T]


def run_all(chosen: Sequence[EvaluationSet], job: _Job[_T], workers: int) -> dict[str, _T]:
    """What the job made of every set, in the order given; the largest sets start first. The job must be picklable."""
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
