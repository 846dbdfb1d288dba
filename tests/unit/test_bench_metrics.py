"""The measures of the benchmark, against numbers worked out by hand."""

from __future__ import annotations

from math import log2

import pytest

from aim_memory.cli.bench.intervals import LEAST_CLUSTERS, Pairs, area, auroc, difference
from aim_memory.cli.bench.metrics import Outcome, holds, ndcg, recall, reciprocal_rank, summary

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


def test_a_summary_gives_percentages() -> None:
    values = summary([SECOND_AND_FOURTH, NOTHING])
    assert values["R@10"] == 33.3
    assert values["MRR"] == 25.0


# --- how sure one can be -----------------------------------------------------------------------------------------


def alone(count: int) -> list[str]:
    """All questions about one conversation."""
    return ["n"] * count


def test_a_clear_difference_has_an_interval_without_zero() -> None:
    better = difference([Pairs([0.0] * 40, [1.0] * 30 + [0.0] * 10, alone(40))])
    assert better.mean == 75.0
    assert 50 < better.low < 75 < better.high < 95


def test_no_difference_has_an_interval_around_zero() -> None:
    same = difference([Pairs([0.0, 1.0] * 30, [1.0, 0.0] * 30, alone(60)), Pairs([1.0], [1.0], alone(1))])
    assert same.mean == 0.0
    assert same.low < 0 < same.high


def test_every_set_counts_once_in_the_mean() -> None:
    small, large = Pairs([0.0], [1.0], alone(1)), Pairs([1.0] * 99, [1.0] * 99, alone(99))
    assert difference([small, large]).mean == 50.0


def test_whole_namespaces_are_drawn_where_there_are_enough() -> None:
    """Ten questions of a namespace that all change together say no more than one: the interval is wider."""
    names = [f"n{number // 10}" for number in range(10 * LEAST_CLUSTERS)]
    before, after = [0.0] * len(names), [float(int(name[1:]) % 2) for name in names]
    clustered = difference([Pairs(before, after, names)])
    apart = difference([Pairs(before, after, alone(len(names)))])
    assert clustered.mean == apart.mean == 50.0
    assert clustered.high - clustered.low > 2 * (apart.high - apart.low)


@pytest.mark.parametrize(
    ("positive", "negative", "chance"),
    [
        ([3, 4], [1, 2], 1.0),
        ([1, 2], [3, 4], 0.0),
        ([1, 3], [2, 2], 0.5),
        ([2, 5], [2, 1, 1], (0.5 + 1 + 1 + 3) / 6),
    ],
)
def test_auroc_is_the_chance_of_the_right_order(positive: list[float], negative: list[float], chance: float) -> None:
    assert auroc(positive, negative) == pytest.approx(chance)


def test_the_area_has_an_interval() -> None:
    found = area([1, 3, 4, 5, 6], [0, 1, 2, 2, 3])
    assert found.mean == pytest.approx(100 * (0.5 * 1 + 1 + (0.5 + 4) + 5 + 5 + 5) / 25)
    assert found.low < found.mean <= found.high <= 100
