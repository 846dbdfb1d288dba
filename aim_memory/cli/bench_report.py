"""The report of a benchmark: as values, and as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from aim_memory.cli.bench_metrics import MEASURES, Outcome, difference, summary
from aim_memory.settings import Settings

if TYPE_CHECKING:
    from aim_memory.cli.bench_run import Run

WHOLE = "all"
"""Name of the run with every mechanism on."""
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
WIDTH = 160
"""Columns of the tables where the output is no terminal."""


def make_report(settings: Settings, runs: Mapping[str, Mapping[str, Run]]) -> dict[str, Any]:
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


def print_report(report: Mapping[str, Any]) -> None:
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
