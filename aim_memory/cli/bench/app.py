"""``aimem bench``: one command per study, all alike."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from aim_memory import __version__
from aim_memory.cli.bench import ablation, abstention, ageing, evidence, fit, retrieval, strict, switch, updates
from aim_memory.cli.bench.page import put_section
from aim_memory.cli.bench.running import run_all
from aim_memory.cli.bench.sets import read_sets
from aim_memory.cli.bench.study import Report, Study
from aim_memory.cli.output import reporting
from aim_memory.errors import InvalidInputError
from aim_memory.settings import Settings

STUDIES = {
    module.STUDY.name: module.STUDY
    for module in (retrieval, ablation, switch, evidence, abstention, ageing, strict, updates, fit)
}

Folders = Annotated[list[Path], typer.Option("--data", help="Folder of sets: NAME/memories.jsonl, NAME/queries.jsonl.")]
Sets = Annotated[str, typer.Option(help="Names of the sets to run, with commas; all if left out.")]
Page = Annotated[Path | None, typer.Option("--out", help="Page whose section of this study is written anew.")]
Figures = Annotated[Path | None, typer.Option("--json", help="File to write the whole report to.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many questions of each set.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Processes; one per core, at most 4.")]
Cache = Annotated[Path | None, typer.Option(help="Folder of kept vectors; 'vectors' in the data folder.")]

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Measures this installation on evaluation sets of one's own.

    Everything goes through the write and query paths of the service, in a temporary folder. Vectors are kept between
    runs. Every study takes the same options.

    Example: [bold]aimem bench retrieval --data sets/ --sets mtrag[/bold]
    """


def _command(study: Study) -> Callable[..., None]:
    def run(
        folders: Folders,
        sets: Sets = "",
        page: Page = None,
        figures: Figures = None,
        limit: Limit = None,
        workers: Workers = None,
        cache: Cache = None,
    ) -> None:
        with reporting(as_json=False):
            chosen = [one for one in read_sets(folders, _names(sets), limit) if study.suits(one)]
            if not chosen:
                raise InvalidInputError(f"none of the sets has what the study {study.name!r} asks about.")
            settings = _with_cache(Settings(), cache)
            gave = run_all(chosen, partial(study.measure, settings), workers or min(4, os.cpu_count() or 1))
            _show(study, _headed(study, settings) | study.report(gave), page, figures)

    return run


for _study in STUDIES.values():
    app.command(_study.name, help=_study.help)(_command(_study))


@app.command("page", help="Write the sections of a page anew from reports, without measuring.")
def page_(
    reports: Annotated[list[Path], typer.Argument(metavar="REPORT...", help="JSON files that studies wrote.")],
    page: Annotated[Path, typer.Option("--out", help="The page.")],
) -> None:
    with reporting(as_json=False):
        for file in reports:
            report = json.loads(file.read_text(encoding="utf-8"))
            put_section(page, report["study"], STUDIES[report["study"]].section(report))


def _show(study: Study, report: Report, page: Path | None, figures: Path | None) -> None:
    section = study.section(report)
    typer.echo(section)
    if page is not None:
        put_section(page, study.name, section)
    if figures is not None:
        figures.parent.mkdir(parents=True, exist_ok=True)
        figures.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _headed(study: Study, settings: Settings) -> dict[str, object]:
    return {
        "study": study.name,
        "version": __version__,
        "embedder": settings.embedder.model,
        "config": settings.memory.model_dump(),
    }


def _names(sets: str) -> list[str]:
    return [name for name in sets.split(",") if name]


def _with_cache(settings: Settings, cache: Path | None) -> Settings:
    folder = cache or settings.embedder.cache_dir or settings.home / "vectors"
    return settings.model_copy(update={"embedder": settings.embedder.model_copy(update={"cache_dir": folder})})
