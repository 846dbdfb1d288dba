"""Runs the peers over evaluation sets and writes what came out into one JSON file.

    python -m benchmarks.peers.run --data DIR [--sets locomo,...] [--peers aim,...] [--venvs DIR] [--cache DIR]

Every peer runs in a process and an environment of its own, over the same vectors, and between two runs of the floor,
so that its cost is a ratio taken in one run. With ``--peers`` only these are run, into the file that is there; the
tables are then rendered by ``benchmarks.peers.tables``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from aim_memory.assemble import open_embedder
from aim_memory.cli.bench.sets import EvaluationSet, read_sets
from aim_memory.settings import EmbedderSettings
from benchmarks.peers.environments import VENVS, make, python_of
from benchmarks.peers.prepare import gold_of, prepare
from benchmarks.peers.roster import AIM, FLOOR, MAIN, Contestant, Form, named, takes_part
from benchmarks.peers.scores import score

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
BESIDE = 3
"""Runs of the floor before a contestant, and as many after it; their median is what its cost is divided by."""
SINGLE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
"""One thread each, for all alike."""


@dataclass(frozen=True)
class Bench:
    """Where things lie during a run."""

    scratch: Path
    venvs: Path
    cache: Path

    def measure(self, folder: Path, contestant: Contestant) -> dict[str, Any]:
        """What a contestant found and cost, with the cost of the floor beside it."""
        floors = self._floors(folder)
        whole = self._start(folder, contestant, "one")
        whole["write_batches"] = self._start(folder, contestant, "batches")["write"]
        floors += self._floors(folder)
        return whole | {"floor": {key: median(one[key] for one in floors) for key in floors[0]}}

    def warm(self, folder: Path, contestant: Contestant) -> None:
        """A run that only fills the cache of vectors."""
        self._start(folder, contestant, "one")

    def _floors(self, folder: Path) -> list[dict[str, float]]:
        return [costs(self._start(folder, FLOOR, "one")) for _ in range(BESIDE)]

    def _start(self, folder: Path, contestant: Contestant, manner: str) -> dict[str, Any]:
        runner = HERE / "runners" / f"{contestant.runner}.py"
        with TemporaryDirectory(dir=self.scratch) as scratch:
            home, result = Path(scratch) / "home", Path(scratch) / "result.json"
            home.mkdir()
            chosen = ["--variant", contestant.variant, "--manner", manner]
            python = python_of(self.venvs, contestant.environment)
            command: list[str | Path] = [python, runner, folder, home, result, *chosen]
            subprocess.run(command, check=True, cwd=scratch, env=self._environment(Path(scratch)))
            outcome: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
            return outcome

    def _environment(self, scratch: Path) -> dict[str, str]:
        """Nobody phones home, and nobody's settings leak in."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AIM_", "PYTHON"))}
        quiet = {"MEM0_TELEMETRY": "False", "ANONYMIZED_TELEMETRY": "False", "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
        homes = {"MEM0_DIR": str(scratch / "mem0"), "AIM_EMBEDDER__CACHE_DIR": str(self.cache)}
        return own | quiet | homes | dict.fromkeys(SINGLE, "1") | {"TOKENIZERS_PARALLELISM": "false"}


def costs(outcome: Mapping[str, Any]) -> dict[str, float]:
    """CPU milliseconds per memory and per question, what the embedder took left out."""
    taken = {"write": "write_cpu_ms", "write_batches": "write_cpu_ms", "query": "query_cpu_ms"}
    return {
        f"{step}_cpu_ms": outcome[step]["cpu_ms"] - outcome["embedding"][embedding]
        for step, embedding in taken.items()
        if step in outcome
    }


def main() -> None:
    options = _options()
    chosen = read_sets([options.data], _listed(options.sets), options.limit)
    contestants = named(_listed(options.peers))
    for environment in dict.fromkeys([FLOOR.environment, *(one.environment for one in contestants)]):
        make(options.venvs, environment)
    report = json.loads(options.out.read_text(encoding="utf-8")) if options.out.exists() else {"sets": {}}
    report |= {"machine": _machine(), "embedder": EmbedderSettings().model}
    with TemporaryDirectory(prefix="peers-") as scratch:
        bench = Bench(Path(scratch), options.venvs, options.cache.resolve())
        for one in chosen:
            entry = report["sets"].setdefault(one.name, {"peers": {}})
            entry |= {"memories": len(one.memories), "questions": len(one.questions)}
            for contestant, outcome in _run_set(bench, one, contestants):
                entry["peers"][contestant.name] = outcome
                print(f"{one.name:12} {contestant.name:22} {outcome['recall']}", flush=True)
                options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _run_set(
    bench: Bench, chosen: EvaluationSet, contestants: Sequence[Contestant]
) -> Iterator[tuple[Contestant, dict[str, Any]]]:
    """What is kept of each contestant, as soon as it has run."""
    gold = gold_of(chosen)
    folders: dict[Form, Path] = {}
    for contestant in contestants:
        if not takes_part(contestant, chosen.name):
            continue
        if contestant.form not in folders:
            folders[contestant.form] = bench.scratch / f"{chosen.name}-{contestant.form}"
            _embed(folders[contestant.form], chosen, contestant.form, bench.cache)
        folder = folders[contestant.form]
        if contestant is AIM:
            bench.warm(folder, contestant)
        outcome = bench.measure(folder, contestant)
        yield contestant, _entry(outcome, score(chosen, gold, outcome))


def _embed(folder: Path, chosen: EvaluationSet, form: Form, cache: Path) -> None:
    prepare(folder, chosen, form, open_embedder(EmbedderSettings(cache_dir=cache)))


def _entry(outcome: Mapping[str, Any], scores: Mapping[str, Any]) -> dict[str, Any]:
    own = costs(outcome)
    figures = {
        "cost": own,
        "floor": outcome["floor"],
        "wall_ms": {"write": outcome["write"]["wall_ms"], "query": outcome["query"]["wall_ms"]},
        "embedding": outcome["embedding"],
        "start_cpu_s": outcome["opened_cpu_s"],
        "rss_mib": outcome["rss_mib"],
        "disk_mib": outcome["disk_mib"],
    }
    return {"versions": outcome["versions"], "commit": _commit(), **scores, **_rounded(figures)}


def _rounded(figures: Any) -> Any:
    if isinstance(figures, dict):
        return {name: _rounded(value) for name, value in figures.items()}
    return float(f"{figures:.4g}")


def _machine() -> dict[str, Any]:
    return {
        "platform": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def _commit() -> str:
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=HERE, capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"


def _listed(names: str) -> list[str]:
    return [name for name in names.split(",") if name]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="Folder of evaluation sets, see docs/benchmark.md.")
    parser.add_argument("--sets", default=MAIN, help="Their names, with commas.")
    parser.add_argument("--peers", default="", help="Names from the roster, with commas; all if left out.")
    parser.add_argument("--limit", type=int, help="At most so many questions of each set.")
    parser.add_argument("--venvs", type=lambda given: Path(given).resolve(), default=VENVS)
    parser.add_argument("--cache", type=Path, default=HERE / ".vectors", help="Folder of kept vectors.")
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
