"""The measures of the benchmark, against numbers worked out by hand."""

from __future__ import annotations

from math import log2
from pathlib import Path

import pytest

from aim_memory.cli.bench_metrics import Outcome, difference, holds, ndcg, recall, reciprocal_rank, summary
from aim_memory.cli.bench_sets import read_sets
from aim_memory.errors import InvalidInputError

SECOND_AND_FOURTH = Outcome("a", (False, True, False, True, False), gold=3)
NOTHING = Outcome("b", (False,) * 20, gold=1)


def test_recall_counts_gold_up_to_the_depth() -> None:
    assert [recall(SECOND_AND_FOURTH, depth) for depth in (1, 2, 10)] == [0, pytest.approx(1 / 3), pytest.approx(2 / 3)]


def test_reciprocal_rank_looks_at_the_first() -> None:
    assert reciprocal_rank(SECOND_AND_FOURTH) == 0.5
    assert reciprocal_rank(NOTHING) == 0.0


def test_ndcg_divides_by_the_best_order() -> None:
    best = 1 + 1 / log2(3) + 1 / log2(4)
    assert ndcg(SECOND_AND_FOURTH) == pytest.approx((1 / log2(3) + 1 / log2(5)) / best)
    assert ndcg(Outcome("a", (True, True), gold=2)) == pytest.approx(1.0)


def test_ndcg_does_not_ask_for_more_gold_than_its_depth() -> None:
    assert ndcg(Outcome("a", (True,) * 20, gold=15)) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("context", "words", "inside"),
    [
        ("Ada: I paid €1,250 in May.", "1,250", True),
        ("I paid 12 euros", "2 euros", False),
        ("She moved to NEW York!", "new york", True),
        ("她在里斯本住了三年", "里斯本", True),
        ("她在里斯本住了三年", "里昂", False),
    ],
)
def test_words_are_looked_for_whole_and_in_order(context: str, words: str, inside: bool) -> None:
    assert holds(context, words) is inside


def test_a_summary_gives_percentages_and_leaves_out_what_is_not_known() -> None:
    values = summary([SECOND_AND_FOURTH, NOTHING])
    assert values["R@10"] == 33.3
    assert values["MRR"] == 25.0
    assert values["answer in context"] is None


def test_a_clear_difference_has_an_interval_without_zero() -> None:
    better = difference([([0.0] * 40, [1.0] * 30 + [0.0] * 10)])
    assert better.mean == 75.0
    assert 50 < better.low < 75 < better.high < 95


def test_no_difference_has_an_interval_around_zero() -> None:
    same = difference([([0.0, 1.0] * 30, [1.0, 0.0] * 30), ([1.0], [1.0])])
    assert same.mean == 0.0
    assert same.low < 0 < same.high


# --- reading sets ------------------------------------------------------------------------------------------------

MEMORIES = """{"namespace": "n", "id": 7, "session": 1, "text": "one", "speaker": "user"}
{"namespace": "unused", "id": "8", "text": "two"}
"""
QUERIES = """{"namespace": "n", "id": "q1", "text": "?", "category": 2, "gold": [7]}
{"namespace": "n", "id": "q2", "text": "nothing to find", "gold": []}
"""


def make_set(folder: Path, memories: str = MEMORIES, queries: str = QUERIES) -> Path:
    (folder / "small").mkdir()
    (folder / "small" / "memories.jsonl").write_text(memories, encoding="utf-8")
    (folder / "small" / "queries.jsonl").write_text(queries, encoding="utf-8")
    return folder


def test_a_set_keeps_questions_with_gold_and_the_memories_of_their_namespaces(tmp_path: Path) -> None:
    [small] = read_sets(make_set(tmp_path))
    [question] = small.questions
    assert (question.id, question.category, question.gold) == ("q1", "2", frozenset({"7"}))
    assert [(turn.id, turn.session) for turn in small.memories] == [("7", "1")]


def test_a_set_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"named large.*it has: small"):
        read_sets(make_set(tmp_path), ["large"])


def test_a_line_that_is_not_in_the_form_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"queries.jsonl, line 2: text"):
        read_sets(make_set(tmp_path, queries=QUERIES.replace('"text": "nothing to find", ', "")))
