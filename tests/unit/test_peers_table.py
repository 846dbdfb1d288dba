"""The tables of the comparison say what the results say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aim_memory.cli.bench.sets import EvaluationSet, Question, StoredTurn
from benchmarks.peers.prepare import gold_of, tell
from benchmarks.peers.roster import CONTESTANTS, ENVIRONMENTS, FLOOR, named, takes_part
from benchmarks.peers.scores import score
from benchmarks.peers.tables import BLOCKS, PAGES, RESULTS, comparison, costs, forms, rendered, sets


def entry(recall: float, times: float, **more: Any) -> dict[str, Any]:
    depths = {f"R@{depth}": recall + depth for depth in (1, 5, 10, 20)}
    names = ("write_cpu_ms", "write_batches_cpu_ms", "query_cpu_ms")
    return {
        "versions": {"some-peer": "1.2"},
        "commit": "abc",
        "recall": {"n": 9, **depths},
        "categories": {"5": {"n": 2, **depths}},
        "cost": dict.fromkeys(names, 0.5 * times),
        "floor": dict.fromkeys(names, 0.5),
        "wall_ms": {"write": {"p50": 1.0, "p95": 20.0}, "query": {"p50": 0.01, "p95": 2.0}},
        "start_cpu_s": 1.5,
        "rss_mib": 1234.5,
        "disk_mib": 2.25,
        **more,
    }


def report(**peers: dict[str, Any]) -> dict[str, Any]:
    host = {"cores": 2, "platform": "Linux", "python": "3.11"}
    main = {"memories": 2760, "questions": 999, "peers": peers}
    return {"machine": host, "embedder": "minilm", "sets": {"locomo": main}}


# --- what is committed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_the_tables_are_those_of_the_committed_results(page: Any) -> None:
    text = page.read_text(encoding="utf-8")
    assert "<!-- begin: " in text
    assert rendered(text, json.loads(RESULTS.read_text(encoding="utf-8"))) == text


def test_the_committed_results_hold_every_contestant() -> None:
    held = json.loads(RESULTS.read_text(encoding="utf-8"))["sets"]["locomo"]["peers"]
    assert set(held) == {one.name for one in CONTESTANTS}


def test_every_contestant_has_an_environment_and_a_runner() -> None:
    runners = {file.stem for file in (RESULTS.parent / "runners").glob("*.py")}
    assert {one.runner for one in CONTESTANTS} == runners - {"peer_protocol"}
    assert {one.environment for one in CONTESTANTS} == set(ENVIRONMENTS)
    assert len({one.name for one in CONTESTANTS}) == len(CONTESTANTS)


# --- rendering ---------------------------------------------------------------------------------------------------


def test_the_comparison_shows_recall_and_cost_against_the_floor_beside_it() -> None:
    row = comparison(report(chroma=entry(40, 12.4))).splitlines()[2]
    assert row == "| Chroma | 41.0 | 45.0 | 50.0 | 60.0 | 50.0 | 12 × | 12 × | 1,234 | 2.2 |"


def test_a_ratio_has_two_digits() -> None:
    rows = [comparison(report(chroma=entry(40, ratio))).splitlines()[2] for ratio in (0.44, 9.3, 138, 1351)]
    assert [row.split(" | ")[6] for row in rows] == ["0.4 ×", "9.3 ×", "140 ×", "1,400 ×"]


def test_contestants_stand_in_the_order_of_the_roster() -> None:
    rows = comparison(report(aim=entry(1, 1), txtai=entry(2, 1), floor=entry(3, 1))).splitlines()[2:]
    assert [row.split(" |")[0] for row in rows] == ["| floor: FAISS flat + SQLite", "| txtai", "| **AIM-Memory**"]


def test_a_write_in_batches_is_compared_with_the_floor_s_single_write() -> None:
    batched = entry(40, 4) | {"floor": {"write_cpu_ms": 0.5, "write_batches_cpu_ms": 0.001, "query_cpu_ms": 0.5}}
    assert "2.00 (4.0 ×) | 2.00 (4.0 ×) | 2.00 (4.0 ×)" in costs(report(chroma=batched))


def test_other_sets_show_the_gain_of_the_turns_before() -> None:
    given = report(chroma=entry(40, 1), txtai=entry(30, 1))
    after = {"chroma": entry(50, 1, recall_after={"R@10": 71.5})}
    given["sets"]["mtrag"] = {"memories": 1, "questions": 1, "peers": after}
    assert sets(given).splitlines()[2:] == ["| Chroma | 50.0 | 60.0 → 71.5 |", "| txtai | 40.0 | – |"]


def test_the_forms_of_the_text_stand_side_by_side() -> None:
    given = report(floor_dated=entry(30, 1), floor=entry(20, 1), floor_plain=entry(10, 1), chroma=entry(5, 1))
    assert forms(given).splitlines()[2:] == ["| floor: FAISS flat + SQLite | 20.0 | 30.0 | 40.0 |"]


def test_rendering_changes_only_what_stands_between_markers() -> None:
    page = "before\n<!-- begin: machine -->\nold\nlines\n<!-- end: machine -->\nafter\n"
    new = rendered(page, report(floor=entry(1, 1)))
    assert new.startswith("before\n<!-- begin: machine -->\n2,760 memories, 999 questions of locomo")
    assert new.endswith(".\n<!-- end: machine -->\nafter\n")
    assert rendered(new, report(floor=entry(1, 1))) == new


def test_a_block_of_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError, match="weather"):
        rendered("<!-- begin: weather -->\n<!-- end: weather -->", {})


def test_every_block_stands_on_a_page() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in BLOCKS if f"<!-- begin: {name} -->" not in pages] == []


# --- scores ------------------------------------------------------------------------------------------------------


def small_set(name: str) -> EvaluationSet:
    turns = [
        StoredTurn(namespace=space, id="a", text="x", speaker="Ada", timestamp="2026-03-01T09:00:00Z") for space in "pq"
    ]
    questions = [
        Question(namespace="p", id="1", text="?", category="1", gold=frozenset("a")),
        Question(namespace="q", id="2", text="?", category="5", gold=frozenset("a"), history=("!",)),
    ]
    return EvaluationSet(name, turns, questions)


def test_gold_is_found_by_its_number_over_all_namespaces() -> None:
    assert gold_of(small_set("locomo")) == [frozenset({"m0"}), frozenset({"m1"})]


def test_questions_that_name_the_wrong_person_are_scored_apart() -> None:
    chosen = small_set("locomo")
    scores = score(chosen, gold_of(chosen), {"ranked": {"q0": ["m1", "m0"], "q1": ["m0"]}, "ranked_after": {}})
    assert scores["recall"] == {"n": 1, "R@1": 0.0, "R@5": 100.0, "R@10": 100.0, "R@20": 100.0}
    assert scores["categories"]["5"]["R@20"] == 0.0
    assert "recall_after" not in scores


def test_the_turns_before_a_question_change_the_score_of_that_question_only() -> None:
    chosen = small_set("mtrag")
    given = {"ranked": {"q0": ["m0"], "q1": []}, "ranked_after": {"q1": ["m1"]}}
    scores = score(chosen, gold_of(chosen), given)
    assert (scores["recall"]["R@1"], scores["recall_after"]["R@1"]) == (50.0, 100.0)


@pytest.mark.parametrize(("form", "told"), [("plain", "x"), ("speaker", "Ada: x"), ("dated", "[2026-03-01] Ada: x")])
def test_a_memory_is_told_in_three_ways(form: Any, told: str) -> None:
    assert tell(small_set("any").memories[0], form) == told


def test_other_forms_of_the_text_are_tried_on_the_main_set_only() -> None:
    dated = next(one for one in CONTESTANTS if one.form == "dated")
    assert [takes_part(one, name) for one in (FLOOR, dated) for name in ("locomo", "mtrag")] == [
        True,
        True,
        True,
        False,
    ]


def test_a_contestant_is_chosen_by_name() -> None:
    assert [one.name for one in named(["aim", "floor"])] == ["floor", "aim"]
    with pytest.raises(SystemExit, match="nobody"):
        named(["nobody"])
