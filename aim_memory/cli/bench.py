"""``aimem bench``: measures this very installation on evaluation sets of one's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from aim_memory.cli.bench_metrics import MEASURES, Outcome, difference, summary
from aim_memory.cli.bench_sets import EvaluationSet, read_sets
from aim_memory.cli.output import reporting
from aim_memory.config import AIMConfig
from aim_memory.settings import Settings

if TYPE_CHECKING:
    from aim_memory.cli.bench_run import Asked, Step, Written

app = typer.Typer(no_args_is_help=True)

SWITCHES: Mapping[str, Mapping[str, Any]] = {
    "inertia": {"inertia_strength": 0.0, "lexical_inertia": 0.0},
    "anchors": {"anchor_boost": 0.0},
    "decay": {"decay_strength": 0.0},
    "supersession": {"supersession": False},
    "refill": {"refill": False},
}
"""Mechanism → the settings that switch it off."""
AT_WRITE = frozenset({"supersession"})
"""Mechanisms that act when a memory is written: without them everything is written anew."""
ABLATED = ("R@1", "R@10", "nDCG@10", "gold in context")
ASIDE = frozenset({("locomo", "5")})
"""Categories that are shown but not counted: their questions name the wrong person on purpose."""
COLUMNS = {
    "n": "n",
    **{name: name.replace("context", "ctx") for name in MEASURES},
    "answer in context": "answer in ctx",
    "context tokens": "ctx tokens",
    "full-text tokens": "full tokens",
    "scanned": "scanned",
    "ms": "ms",
}
"""Figure → heading."""
WIDTH = 150
"""Columns of the tables where the output is no terminal."""


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
    cache: Annotated[Path | None, typer.Option(help="Folder of kept vectors; 'vectors' in the data folder.")] = None,
) -> None:
    with reporting(as_json=False):
        chosen = read_sets(folder, [name for name in sets.split(",") if name], limit)
        settings = _with_cache(Settings(), cache)
        configs = _configs(settings.memory, SWITCHES if ablate else {})
        runs = {one.name: _run(one, settings, configs, with_session, max_tokens) for one in chosen}
        report = _report(settings, runs)
        _print(report)
        if out is not None:
            out.write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")


@dataclass(frozen=True)
class Run:
    """One set under one configuration."""

    written: Written
    asked: Asked


WHOLE = "all"
"""Name of the run with every mechanism on."""


def _run(
    chosen: EvaluationSet,
    settings: Settings,
    configs: Mapping[str, AIMConfig],
    with_session: bool,
    max_tokens: int | None,
) -> dict[str, Run]:
    """The runs of a set by what is left out. Runs that write alike share a folder."""
    from aim_memory.cli.bench_run import Manner, ask_set, write_set

    folders: dict[Path, Written] = {}
    runs: dict[str, Run] = {}
    with TemporaryDirectory(prefix="aimem-bench-") as scratch:
        for name, config in configs.items():
            title = chosen.name if name == WHOLE else f"{chosen.name}, no {name}"
            under = settings.model_copy(update={"memory": config})
            home = Path(scratch) / (name if name in AT_WRITE else WHOLE)
            if home not in folders:
                with _progress(f"{title}: writing", len(chosen.memories)) as step:
                    folders[home] = write_set(home, under, chosen, step)
            with _progress(f"{title}: asking", len(chosen.questions)) as step:
                asked = ask_set(home, under, chosen, Manner(name, with_session, max_tokens), step)
            runs[name] = Run(folders[home], asked)
    return runs


def _configs(config: AIMConfig, switches: Mapping[str, Mapping[str, Any]]) -> dict[str, AIMConfig]:
    """What to leave out → the configuration without it."""
    changed = {name: AIMConfig.model_validate(config.model_dump() | dict(off)) for name, off in switches.items()}
    return {WHOLE: config} | changed


def _with_cache(settings: Settings, cache: Path | None) -> Settings:
    folder = cache or settings.embedder.cache_dir or settings.home / "vectors"
    return settings.model_copy(update={"embedder": settings.embedder.model_copy(update={"cache_dir": folder})})


@contextmanager
def _progress(title: str, total: int) -> Iterator[Step]:
    columns = (TextColumn("{task.description:40}"), BarColumn(), MofNCompleteColumn(), TaskProgressColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=total)
        yield lambda count: progress.advance(task, count)


# --- the report --------------------------------------------------------------------------------------------------


def _report(settings: Settings, runs: Mapping[str, Mapping[str, Run]]) -> dict[str, Any]:
    whole = {name: _set_report(name, of[WHOLE]) for name, of in runs.items()}
    measured = [report["all"] for report in whole.values()]
    return {
        "config": settings.memory.model_dump(),
        "embedder": settings.embedder.model,
        "sets": whole,
        "mean": {name: round(sum(one[name] for one in measured) / len(measured), 1) for name in MEASURES},
        "ablation": _ablation(runs),
    }


def _set_report(name: str, run: Run) -> dict[str, Any]:
    by_category = sorted(run.asked.outcomes, key=lambda outcome: outcome.category)
    return {
        "all": summary(_counted(name, run)),
        "categories": {
            category: summary(list(outcomes))
            for category, outcomes in groupby(by_category, key=lambda outcome: outcome.category)
        },
        "written": dict(run.written.statuses),
        "write_s": round(run.written.seconds, 1),
        "query_s": round(run.asked.seconds, 1),
    }


def _counted(name: str, run: Run) -> list[Outcome]:
    return [outcome for outcome in run.asked.outcomes if (name, outcome.category) not in ASIDE]


def _ablation(runs: Mapping[str, Mapping[str, Run]]) -> dict[str, Any]:
    """Mechanism → measure → set ("mean" for all) → what the mechanism adds: with it minus without it."""
    mechanisms = [name for name in next(iter(runs.values())) if name != WHOLE]
    return {
        mechanism: {
            measure: _added(runs, mechanism, measure) for measure in ("R@1", "R@10", "nDCG@10", "gold in context")
        }
        for mechanism in mechanisms
    }


def _added(runs: Mapping[str, Mapping[str, Run]], mechanism: str, measure: str) -> dict[str, dict[str, float]]:
    value = MEASURES[measure]
    pairs = {
        name: tuple([value(outcome) for outcome in _counted(name, of[key])] for key in (mechanism, WHOLE))
        for name, of in runs.items()
    }
    added = {name: difference([(without, whole)]) for name, (without, whole) in pairs.items()}
    added["mean"] = difference([(without, whole) for without, whole in pairs.values()])
    return {name: {"mean": one.mean, "low": one.low, "high": one.high} for name, one in added.items()}


def _print(report: Mapping[str, Any]) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = WIDTH
    table = _table("set", "category", *COLUMNS.values(), title="Retrieval: shares in %, tokens and ms per question")
    for name, of in report["sets"].items():
        table.add_row(name, "", *_cells(of["all"]), style="bold")
        for category, values in of["categories"].items():
            table.add_row("", category, *_cells(values))
    table.add_section()
    table.add_row("mean", "of sets", "", *(f"{value:.1f}" for value in report["mean"].values()), style="bold")
    console.print(table)
    for name, of in report["sets"].items():
        console.print(
            f"{name}: wrote {of['written']} in {of['write_s']} s, asked in {of['query_s']} s", highlight=False
        )
    if report["ablation"]:
        console.print(_ablation_table(report["ablation"]))


def _ablation_table(ablation: Mapping[str, Any]) -> Table:
    names = list(next(iter(next(iter(ablation.values())).values())))
    table = _table("mechanism", "measure", *names, title="What each mechanism adds, in points [95 % interval]")
    for mechanism, measures in ablation.items():
        for measure, by_set in measures.items():
            cells = [f"{one['mean']:+.1f} [{one['low']:+.1f}, {one['high']:+.1f}]" for one in by_set.values()]
            table.add_row(mechanism, measure, *cells)
    return table


def _table(*headings: str, title: str) -> Table:
    table = Table(title=title, box=SIMPLE, padding=(0, 1, 0, 0), title_justify="left")
    for position, heading in enumerate(headings):
        table.add_column(heading, justify="left" if position < 2 else "right")
    return table


def _cells(values: Mapping[str, Any]) -> Sequence[str]:
    return ["" if values[name] is None else f"{values[name]:g}" for name in COLUMNS]
