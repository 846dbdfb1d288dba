"""Fitting the weights of the ranking, against what can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim_memory.config import AIMConfig
from aim_memory.routing.fitting import Example, fit
from aim_memory.routing.weighing import PARTS, PLAIN, behind, fitted, weighed, weights


def example(parts: list[list[float]], evidence: list[bool]) -> Example:
    return Example(np.array(parts, np.float32), np.array(evidence, np.bool_))


def spread_examples(questions: int, seed: int = 1) -> list[Example]:
    """Evidence is what scores best by 2·first − second, the third part being noise."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(questions):
        parts = random.normal(size=(12, 3)).astype(np.float32)
        evidence = np.zeros(12, np.bool_)
        evidence[int((parts @ [2.0, -1.0, 0.0] + random.gumbel(size=12) * 0.3).argmax())] = True
        made.append(Example(parts, evidence))
    return made


def test_a_fit_finds_the_direction_evidence_was_made_with() -> None:
    found = fit([spread_examples(400)], np.zeros(3), ridge=1e-6)
    assert found[0] > 0 > found[1]
    assert found[1] / found[0] == pytest.approx(-0.5, abs=0.05)
    assert abs(found[2] / found[0]) < 0.05


def test_two_candidates_give_the_log_odds() -> None:
    """With one part that is 1 or 0, three of four times right, the weight is ln 3."""
    right, wrong = example([[1.0], [0.0]], [True, False]), example([[1.0], [0.0]], [False, True])
    found = fit([[right, right, right, wrong]], np.zeros(1), ridge=1e-12)
    assert found[0] == pytest.approx(np.log(3), abs=1e-4)


def test_a_strong_ridge_keeps_the_prior() -> None:
    prior = np.array([0.3, 0.7, -0.2])
    assert fit([spread_examples(50)], prior, ridge=1e6) == pytest.approx(prior, abs=1e-3)


def test_groups_count_alike_and_questions_without_evidence_not_at_all() -> None:
    few, many = spread_examples(5, seed=2), spread_examples(50, seed=3)
    empty = [Example(one.parts, np.zeros(12, np.bool_)) for one in few]
    once = fit([few, many], np.zeros(3), ridge=0.01)
    assert fit([few * 3, many + empty], np.zeros(3), ridge=0.01) == pytest.approx(once, abs=1e-6)
    assert fit([few, many, empty], np.zeros(3), ridge=0.01) == pytest.approx(once, abs=1e-6)


def test_what_is_shipped_has_a_weight_for_every_part_and_says_where_it_comes_from() -> None:
    assert tuple(fitted()) == PARTS
    assert weights(AIMConfig()) == fitted()
    assert weights(AIMConfig(fusion="plain")) == PLAIN
    named = weights(AIMConfig(fusion=(("late", 2.0),)))
    assert named["late"] == 2.0
    assert named["lexical"] == 0.0


@given(
    st.lists(st.tuples(st.floats(-5, 5, width=32), st.floats(-5, 5, width=32)), min_size=2, max_size=12),
    st.integers(1, 12),
)
def test_what_was_not_read_follows_in_the_order_of_the_first_look(
    values: list[tuple[float, float]], count: int
) -> None:
    first, scores = (np.array(column, np.float32) for column in zip(*values, strict=True))
    among = np.ones(len(first), np.bool_)
    among[-1] = len(first) < 3
    rows = np.flatnonzero(among)[: min(count, int(among.sum()))]
    after = behind(first, scores[rows], rows, among)
    others = np.setdiff1d(np.flatnonzero(among), rows)
    if len(others):
        assert after[others].max() <= scores[rows].min() + 1e-4
        assert np.diff(after[others]) == pytest.approx(np.diff(first[others]), abs=1e-4)
    assert np.array_equal(after[rows], scores[rows])


def test_parts_are_weighed_by_name() -> None:
    parts = {"lexical": np.array([1.0, 2.0], np.float32), "dense": np.array([3.0, 4.0], np.float32)}
    assert weighed(parts, {"lexical": 2.0, "dense": 0.5})["lexical"].tolist() == [2.0, 4.0]
