"""Runs the tests that print figures, and writes docs/reliability.md from them.

    python docs/reliability.py [--deep] [TESTS ...]
    python docs/reliability.py --told FILE [FILE ...] --commit COMMIT

Figures are kept in docs/reliability.json, the latest of each promise and test; tests that were not run keep theirs.
Parts that ran by themselves, with ``AIM_FIGURES=FILE pytest ...``, are taken in afterwards: ``--told``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
KEPT = HERE / "reliability.json"
TABLE = HERE / "reliability.md"
_HEAD = """# What is promised, and what its tests printed

Made by `python docs/reliability.py`; do not edit. How the store keeps these promises: [store.md](design/store.md).

| promise | test | size | result | date | commit |
|---|---|---|---|---|---|
"""
Figure = dict[str, str]


def run(tests: list[str], deep: bool) -> tuple[int, list[Figure]]:
    """pytest's exit status, and the figures that its tests told."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "figures.jsonl"
        told.touch()
        marks = ["-m", "not gpu and not vllm"] if deep else []
        command = [sys.executable, "-m", "pytest", "-q", *marks, *tests]
        status = subprocess.run(command, cwd=ROOT, env={**os.environ, "AIM_FIGURES": str(told)}, check=False).returncode
        return status, read([told])


def read(files: list[Path]) -> list[Figure]:
    """The figures that tests told, one a line."""
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def commit_of_the_tree() -> str:
    """With "-dirty" where anything but these figures was changed."""
    named = _git("rev-parse", "--short", "HEAD") or "unknown"
    others = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/reliability.*")
    return f"{named}-dirty" if others else named


def _git(*arguments: str) -> str:
    found = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip()


def merge(kept: list[Figure], told: list[Figure]) -> list[Figure]:
    """All figures, by promise; of a test and its parameters the latest."""
    latest = {(one["promise"], one["test"]): one for one in (*kept, *told)}
    return [latest[key] for key in sorted(latest)]


def table(figures: list[Figure]) -> str:
    fields = ("promise", "test", "size", "result", "date", "commit")
    shown = [{**one, "test": f"`{one['test'].partition('[')[0].replace('::', '` `')}`"} for one in figures]
    rows = (" | ".join(one[name] for name in fields) for one in shown)
    return _HEAD + "".join(f"| {row} |\n" for row in rows)


def main() -> int:
    given = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    given.add_argument("--deep", action="store_true", help="the release-sized tests, too")
    given.add_argument("--told", type=Path, nargs="+", help="take in these files; run nothing")
    given.add_argument("--commit", help="of which --told is; that of this tree if left out")
    default = ["tests/faults", "tests/conformance", "tests/properties", "tests/migrations"]
    given.add_argument("tests", nargs="*", default=default, help="what pytest is to run")
    chosen = given.parse_args()
    status, told = (0, read(chosen.told)) if chosen.told else run(chosen.tests, chosen.deep)
    stamp = {"date": datetime.now(UTC).date().isoformat(), "commit": chosen.commit or commit_of_the_tree()}
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else []
    figures = merge(kept, [{**one, **stamp} for one in told])
    KEPT.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    TABLE.write_text(table(figures), encoding="utf-8")
    return status


if __name__ == "__main__":
    raise SystemExit(main())
