"""``aimem bench`` on small sets of our own, through the real engine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aim_memory.cli.bench.ablation import SWITCHES
from aim_memory.cli.bench.app import STUDIES, app
from aim_memory.cli.bench.sets import read_sets
from aim_memory.cli.bench.stage import Stage, staged
from aim_memory.settings import EmbedderSettings, Settings

TURNS = [
    ("t1", "s1", "Ada", "2026-03-01", "I moved to Lisbon last week and found a flat near the river."),
    ("t2", "s1", "Ben", "2026-03-01", "The invoice for the boat is 1,250 euros."),
    ("t3", "s2", "Ada", "2026-04-02", "My sister Mira started to learn the cello."),
    ("t4", "s2", "Ben", "2026-04-02", "发布会推迟到五月十四日。"),
]
QUESTIONS = [
    ("q1", "number", "How much is the invoice of 1,250 euros for?", ["t2"], [], "the boat"),
    (
        "q2",
        "followup",
        "Which instrument did she start to learn?",
        ["t3"],
        ["Tell me about Mira, the sister of Ada."],
        None,
    ),
    ("q3", "chinese", "发布会推迟到什么时候？", ["t4"], ["谁说的？", "为什么？"], "五月十四日"),
    *((f"q{number}", "nothing", f"What is the name of dog number {number}?", [], [], None) for number in range(4, 9)),
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
    """The same conversation in two namespaces."""
    lines = [json.dumps({"namespace": name, **row}) + "\n" for name in ("m", "n") for row in rows]
    file.write_text("".join(lines), encoding="utf-8")


def bench(study: str, sets: Path, *options: str) -> Result:
    environment = {"AIM_EMBEDDER__KIND": "hashing", "AIM_HOME": str(sets.parent / "home")}
    return CliRunner().invoke(app, [study, "--data", str(sets), *options], env=environment)


def figures(study: str, sets: Path, *options: str) -> dict[str, Any]:
    file = sets.parent / "figures" / f"{study}.json"
    result = bench(study, sets, "--json", str(file), *options)
    assert result.exit_code == 0, result.output
    report: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    assert report["study"] == study
    return report


def test_a_set_is_written_asked_and_reported(sets: Path, tmp_path: Path) -> None:
    report = figures("retrieval", sets)
    own = report["sets"]["own"]
    assert own["written"] == {"created": 8}
    assert own["all"]["n"] == 6
    assert own["all"]["R@10"] == 100.0
    assert set(own["categories"]) == {"number", "followup", "chinese"}
    assert report["mean"]["R@10"] == 100.0
    assert list((tmp_path / "home" / "vectors").glob("*.sqlite3"))


def test_every_mechanism_is_left_out_in_turn(sets: Path) -> None:
    report = figures("ablation", sets)
    assert report["n"] == {"own": 6}
    for by_mechanism in report["added"].values():
        assert set(by_mechanism) == set(SWITCHES)
        assert all(set(of) == {"own", "mean"} for of in by_mechanism.values())


def test_follow_ups_are_asked_after_their_own_and_after_other_turns(sets: Path) -> None:
    own = figures("switch", sets)["sets"]["own"]
    assert own["n"] == 4
    assert own["alone"] == 100.0
    assert own["followed"]["mean"] == own["switched"]["mean"] == 0.0


def test_contexts_are_compared_with_plain_texts(sets: Path) -> None:
    measures = figures("evidence", sets)["sets"]["own"]["measures"]
    assert measures["answer"]["texts"]["1000"] == {
        "n": 4,
        "plain": 100.0,
        "context": 100.0,
        "gain": {"mean": 0.0, "low": 0.0, "high": 0.0},
    }
    assert measures["evidence"]["with days"]["2000"]["context"] == 100.0


def test_confidence_is_compared_with_that_of_questions_without_an_answer(sets: Path) -> None:
    own = figures("abstention", sets)["sets"]["own"]
    assert own["n"] == {"own": 6, "foreign": 6, "unanswerable": 10}
    assert own["auroc"]["foreign"]["mean"] == 50.0, "both namespaces hold the same"
    assert own["auroc"]["unanswerable"]["mean"] > 90.0


def test_decay_is_judged_on_aged_namespaces(sets: Path) -> None:
    own = figures("ageing", sets)["sets"]["own"]
    assert own["n"] == 6
    assert own["without decay"] == 100.0


def test_strict_mode_is_judged_on_questions_with_anchors(sets: Path) -> None:
    own = figures("strict", sets)["sets"]["own"]
    assert own["n"] == 2
    assert own["contradicted in strict"] == 0


def test_updates_are_judged_on_questions_with_several_versions(tmp_path: Path) -> None:
    folder = tmp_path / "sets" / "own"
    folder.mkdir(parents=True)
    told = ("I work at Northlight Studio.", "The tram was late.", "New job: I work at Harrow Tea now.")
    turns = [{"id": f"t{n}", "speaker": "user", "text": text} for n, text in enumerate(told)]
    asked = {"text": "Where do I work?", "gold": ["t0", "t2"]}
    _write(folder / "memories.jsonl", turns)
    _write(folder / "queries.jsonl", [{"id": "q1", "category": "update", **asked}, {"id": "q2", **asked}])
    own = figures("updates", folder.parent)["sets"]["own"]
    assert own["n"] == 2
    assert own["current first"]["mean"] == own["all found"]["mean"] == 100.0
    assert own["current first"]["low"] < 50


def test_sets_may_run_side_by_side(sets: Path) -> None:
    shutil.copytree(sets / "own", sets / "twin")
    report = figures("retrieval", sets, "--workers", "2")
    assert list(report["sets"]) == ["own", "twin"]
    assert report["sets"]["own"]["all"]["R@10"] == report["sets"]["twin"]["all"]["R@10"]


def test_a_page_is_written_from_the_reports(sets: Path, tmp_path: Path) -> None:
    measured, drawn = tmp_path / "measured.md", tmp_path / "drawn.md"
    figures("ageing", sets, "--out", str(measured))
    CliRunner().invoke(app, ["page", str(tmp_path / "figures" / "ageing.json"), "--out", str(drawn)])
    assert "| own" in drawn.read_text(encoding="utf-8")
    assert drawn.read_text(encoding="utf-8") == measured.read_text(encoding="utf-8")


def test_a_folder_without_sets_is_an_error_that_says_so(tmp_path: Path) -> None:
    result = bench("retrieval", tmp_path)
    assert result.exit_code == 2
    assert "holds no evaluation set" in result.stderr


def test_a_study_that_suits_no_set_says_so(sets: Path) -> None:
    _write(sets / "own" / "queries.jsonl", [{"id": "q", "text": "Who?", "gold": ["t1"]}])
    result = bench("switch", sets)
    assert result.exit_code == 2
    assert "none of the sets" in result.stderr


# --- the stage ---------------------------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", embedder=EmbedderSettings(kind="hashing"))


def test_remembering_changes_no_result(sets: Path, settings: Settings) -> None:
    [own] = read_sets([sets])

    def ranked(stage: Stage) -> list[list[tuple[str, float]]]:
        twice = [*own.questions, *own.questions]
        return [[(hit.id, hit.score) for hit in stage.ask(one, top_k=4).results] for one in twice]

    with (
        staged(settings, own, lambda count: None, shared=False) as plain,
        staged(settings, own, lambda count: None) as shared,
    ):
        assert ranked(plain) == ranked(shared)


def test_a_course_is_what_the_whole_service_would_steer(sets: Path, settings: Settings) -> None:
    """The turns before a question are asked lightly: where a session is heading depends on what was asked alone."""
    [own] = read_sets([sets])
    with staged(settings, own, lambda count: None) as stage:
        light = stage.course("m", QUESTIONS[2][4])
        for turn in QUESTIONS[2][4]:
            request = stage.request(turn, "m", session_id="whole")
            stage.engine().query("local", request)
        whole = stage.parts.sessions.get(stage.space("m"), "whole")
    assert (light.turns, light.recent) == (whole.turns, whole.recent) == (2, ("谁说的？", "为什么？"))
    assert light.direction is not None
    assert whole.direction is not None
    assert light.direction.tolist() == whole.direction.tolist()


def test_every_study_is_a_command() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert all(name in result.output for name in STUDIES)
