"""``aimem bench retrieval`` on a small set of our own, through the real engine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aim_memory.cli.bench import SWITCHES, app

TURNS = [
    ("t1", "s1", "Ada", "2026-03-01", "I moved to Lisbon last week and found a flat near the river."),
    ("t2", "s1", "Ben", "2026-03-01", "The invoice for the boat is 1,250 euros."),
    ("t3", "s2", "Ada", "2026-04-02", "My sister Mira started to learn the cello."),
    ("t4", "s2", "Ben", "2026-04-02", "发布会推迟到五月十四日。"),
]
QUESTIONS = [
    ("q1", "number", "How much is the invoice for the boat?", ["t2"], [], "1,250 euros"),
    (
        "q2",
        "followup",
        "Which instrument did she start to learn?",
        ["t3"],
        ["Tell me about Mira, the sister of Ada."],
        None,
    ),
    ("q3", "chinese", "发布会推迟到什么时候？", ["t4"], [], "五月十四日"),
    ("q4", "nothing", "What is the name of the dog?", [], [], None),
]


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    folder = tmp_path / "sets" / "own"
    folder.mkdir(parents=True)
    turn = ("id", "session", "speaker", "timestamp", "text")
    question = ("id", "category", "text", "gold", "history", "answer")
    _write(folder / "memories.jsonl", [dict(zip(turn, values, strict=True)) for values in TURNS])
    _write(folder / "queries.jsonl", [dict(zip(question, values, strict=True)) for values in QUESTIONS])
    return folder.parent


def _write(file: Path, rows: list[dict[str, Any]]) -> None:
    file.write_text("".join(json.dumps({"namespace": "n", **row}) + "\n" for row in rows), encoding="utf-8")


def bench(sets: Path, *options: str) -> Result:
    environment = {"AIM_EMBEDDER__KIND": "hashing", "AIM_HOME": str(sets.parent / "home")}
    return CliRunner().invoke(app, ["retrieval", "--data", str(sets), *options], env=environment)


def test_a_set_is_written_asked_and_reported(sets: Path, tmp_path: Path) -> None:
    result = bench(sets, "--json", str(tmp_path / "report.json"))
    assert result.exit_code == 0, result.output
    assert "own" in result.output
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    own = report["sets"]["own"]
    assert own["written"] == {"created": 4}
    assert own["all"]["n"] == 3
    assert own["all"]["R@10"] == 100.0
    assert own["all"]["answer in context"] == 100.0
    assert set(own["categories"]) == {"number", "followup", "chinese"}
    assert report["mean"]["R@10"] == 100.0
    assert list((tmp_path / "home" / "vectors").glob("*.sqlite3"))


def test_every_mechanism_can_be_left_out(sets: Path, tmp_path: Path) -> None:
    result = bench(sets, "--ablate", "--json", str(tmp_path / "report.json"))
    assert result.exit_code == 0, result.output
    ablation = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["ablation"]
    assert set(ablation) == set(SWITCHES)
    for measures in ablation.values():
        assert set(measures["R@10"]) == {"own", "mean"}


def test_sets_may_run_side_by_side(sets: Path, tmp_path: Path) -> None:
    shutil.copytree(sets / "own", sets / "twin")
    result = bench(sets, "--workers", "2", "--json", str(tmp_path / "report.json"))
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert list(report["sets"]) == ["own", "twin"]
    assert report["sets"]["own"]["all"]["R@10"] == report["sets"]["twin"]["all"]["R@10"]


def test_a_folder_without_sets_is_an_error_that_says_so(tmp_path: Path) -> None:
    result = bench(tmp_path)
    assert result.exit_code == 2
    assert "holds no evaluation set" in result.stderr
