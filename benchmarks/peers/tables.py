"""Renders the tables of README.md and of benchmarks/peers/README.md from the results, and from nothing else.

    python -m benchmarks.peers.tables [--check]

A table stands between ``<!-- begin: NAME -->`` and ``<!-- end: NAME -->``. With ``--check`` nothing is written, and the
exit code says whether the tables are those of the results.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.peers.roster import CONTESTANTS, MAIN, Contestant

Report: TypeAlias = Mapping[str, Any]
Row: TypeAlias = Sequence[str]

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PAGES = (HERE.parents[1] / "README.md", HERE / "README.md")
ASIDE = "5"
"""Its category of questions whose premise names the wrong person: shown, not counted."""
RECALLS = ("R@1", "R@5", "R@10", "R@20")
NONE = "–"
BLOCK = re.compile(r"(<!-- begin: ([a-z-]+) -->\n).*?(<!-- end: \2 -->)", re.DOTALL)


def comparison(report: Report) -> str:
    """The table of the README: recall, and cost as a multiple of the floor's."""
    heads = ["memory", *RECALLS, "R@10, wrong person", "CPU, write", "CPU, question", "MiB, RAM", "MiB, disk"]
    rows = []
    for contestant, entry in _present(report, MAIN):
        recalls = [_points(entry["recall"][name]) for name in RECALLS]
        aside = _points(entry["categories"][ASIDE]["R@10"])
        costs = [_times(entry, "write_cpu_ms"), _times(entry, "query_cpu_ms")]
        room = [_size(entry["rss_mib"]), _size(entry["disk_mib"])]
        rows.append([contestant.title, *recalls, aside, *costs, *room])
    return _table(heads, rows)


def costs(report: Report) -> str:
    """CPU and wall milliseconds of the main set, embedding left out of the CPU ones."""
    heads = ["memory", "write", "write, 50 at once", "question", "write, wall", "question, wall", "start"]
    rows = []
    for contestant, entry in _present(report, MAIN):
        names = ("write_cpu_ms", "write_batches_cpu_ms", "query_cpu_ms")
        own = [f"{_small(entry['cost'][name])} ({_times(entry, name)})" for name in names]
        walls = [_wall(entry["wall_ms"][name]) for name in ("write", "query")]
        rows.append([contestant.title, *own, *walls, f"{_small(entry['start_cpu_s'])} s"])
    return _table(heads, rows)


def sets(report: Report) -> str:
    """R@10 of every set; after the arrow with the turns before the question known."""
    names = list(report["sets"])
    present = {name: {one.name: entry for one, entry in _present(report, name)} for name in names}
    rows = [
        [contestant.title, *(_before_after(present[name].get(contestant.name)) for name in names)]
        for contestant, _ in _present(report, MAIN)
    ]
    return _table(["memory", *names], rows)


def forms(report: Report) -> str:
    """R@10 of the main set by what the text holds."""
    shapes = {"plain": "text", "speaker": "speaker: text", "dated": "[date] speaker: text"}
    entries = report["sets"][MAIN]["peers"]
    cells: dict[str, dict[str, str]] = {}
    for contestant in CONTESTANTS:
        if contestant.name in entries:
            found = _points(entries[contestant.name]["recall"]["R@10"])
            cells.setdefault(contestant.title, {})[contestant.form] = found
    told = {title: of for title, of in cells.items() if len(of) == len(shapes)}
    rows = [[title, *(of[shape] for shape in shapes)] for title, of in told.items()]
    return _table(["memory", *shapes.values()], rows)


def ways(report: Report) -> str:
    """Who took part, in which version, and how it was used."""
    rows = []
    for contestant, entry in _present(report, MAIN):
        versions = ", ".join(f"{name} {number}" for name, number in entry["versions"].items())
        rows.append([contestant.title, versions, contestant.how, entry["commit"]])
    return _table(["memory", "versions", "how", "run at"], rows)


def machine(report: Report) -> str:
    """Where, and over what."""
    host, main = report["machine"], report["sets"][MAIN]
    return (
        f"{main['memories']:,} memories, {main['questions']:,} questions of {MAIN}; vectors of {report['embedder']}; "
        f"{host['cores']} cores, {host['platform']}, Python {host['python']}.\n"
    )


BLOCKS: Mapping[str, Callable[[Report], str]] = {
    "comparison": comparison,
    "costs": costs,
    "sets": sets,
    "forms": forms,
    "ways": ways,
    "machine": machine,
}
"""Name between the markers → what stands there."""


def rendered(page: str, report: Report) -> str:
    """A page with all its blocks as the report has them. KeyError: a block has an unknown name."""
    return BLOCK.sub(lambda found: f"{found[1]}{BLOCKS[found[2]](report)}{found[3]}", page)


def _present(report: Report, name: str) -> Iterator[tuple[Contestant, Mapping[str, Any]]]:
    """The contestants that ran over a set with the usual text, in the order of the roster."""
    entries = report["sets"][name]["peers"]
    for contestant in CONTESTANTS:
        if contestant.form == "speaker" and contestant.name in entries:
            yield contestant, entries[contestant.name]


def _times(entry: Mapping[str, Any], cost: str) -> str:
    """How many times the floor's cost beside it, in two digits, which is as far as it can be trusted.

    Writing in batches too is compared with the floor's single write.
    """
    ratio = entry["cost"][cost] / entry["floor"][cost.replace("_batches", "")]
    return f"{ratio:.1f} ×" if ratio < 10 else f"{float(f'{ratio:.2g}'):,.0f} ×"


def _before_after(entry: Mapping[str, Any] | None) -> str:
    if entry is None:
        return NONE
    before = _points(entry["recall"]["R@10"])
    return f"{before} → {_points(entry['recall_after']['R@10'])}" if "recall_after" in entry else before


def _points(share: float) -> str:
    return f"{share:.1f}"


def _size(mib: float) -> str:
    return f"{mib:.1f}" if mib < 10 else f"{mib:,.0f}"


def _small(number: float) -> str:
    return f"{number:.3f}" if number < 0.1 else f"{number:.2f}" if number < 10 else f"{number:.1f}"


def _wall(quantiles: Mapping[str, float]) -> str:
    return f"{_small(quantiles['p50'])} / {_small(quantiles['p95'])}"


def _table(heads: Row, rows: Sequence[Row]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    report = json.loads(RESULTS.read_text(encoding="utf-8"))
    stale = []
    for page in PAGES:
        old = page.read_text(encoding="utf-8")
        new = rendered(old, report)
        if new != old:
            stale.append(page)
            if not options.check:
                page.write_text(new, encoding="utf-8")
    verb = "is not what the results say" if options.check else "rendered"
    print("\n".join(f"{page}: {verb}" for page in stale) or "Every table is what the results say.")
    raise SystemExit(bool(options.check and stale))


if __name__ == "__main__":
    main()
