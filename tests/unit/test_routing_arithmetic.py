"""The described formulas, number by number."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aim_memory.config import AIMConfig
from aim_memory.routing.fusion import best_rows, standardise
from aim_memory.routing.inertia import advance, direct, gate, left_spin, steer
from aim_memory.routing.neighbours import around, bond, leaning, pairs, smooth
from aim_memory.routing.scoring import KIND_WEIGHTS, anchored
from aim_memory.routing.standing import standing
from aim_memory.storage.index import FlatIndex
from aim_memory.types import SessionState
from tests.rows import DIMENSION, START, row

X = np.array([1, 0, 0], np.float32)
Y = np.array([0, 1, 0], np.float32)


def test_the_direction_is_the_question_plus_a_share_of_the_course() -> None:
    assert direct(X, Y, AIMConfig.reference().inertia_strength).tolist() == [1.0, 0.5, 0.0]


def test_the_course_moves_towards_the_mean_of_what_was_selected() -> None:
    moved = steer(X, np.stack([Y, Y, X, X]), AIMConfig.reference().inertia_momentum)
    assert moved == pytest.approx([0.85 + 0.15 * 0.5, 0.15 * 0.5, 0])


def test_a_course_from_rest_is_short_and_grows() -> None:
    course = None
    for turns in (1, 2, 3):
        course = steer(course, X[None, :], 0.85)
        assert np.linalg.norm(course) == pytest.approx(1 - 0.85**turns)


def test_left_spin_follows_its_formula() -> None:
    change, last = np.array([0, 2, 0], np.float32), np.array([0, 1, 0], np.float32)
    excess = 2.0 + 1.0 / 3.0 - 0.3
    phase = 0.5 * math.log1p(math.exp(excess))
    assert left_spin(X, change, last) == pytest.approx(1 / math.sqrt(1 + phase**2), rel=1e-5)


def test_left_spin_brakes_sharp_turns_more_and_steady_courses_hardly() -> None:
    still = np.zeros(3, np.float32)
    gates = [left_spin(X, np.float32(size) * Y, still) for size in (0.01, 0.5, 2.0)]
    assert 1 > gates[0] > gates[1] > gates[2] > 0
    assert left_spin(X, still, still) > 0.95


def test_the_gate_is_open_at_rest_and_when_switched_off() -> None:
    assert gate(SessionState(), X, 0.5) == 1.0
    assert gate(SessionState(turns=1, direction=Y), X, 0.0) == 1.0
    assert gate(SessionState(turns=1, direction=Y), X, 0.5) < 1.0


def test_a_session_remembers_its_last_questions_and_its_last_change() -> None:
    state = SessionState()
    for number in range(8):
        state = advance(state, f"q{number}", X, 0.5, START)
    assert state.turns == 8
    assert state.recent == ("q2", "q3", "q4", "q5", "q6", "q7")
    assert state.drift is not None
    assert np.linalg.norm(state.drift) == pytest.approx(0.5**7)


def test_a_session_without_vectors_keeps_its_words() -> None:
    state = advance(SessionState(), "hello", None, 0.5, START)
    assert (state.turns, state.recent, state.direction) == (1, ("hello",), None)


def test_the_anchor_score_is_added_with_boost_and_weight() -> None:
    assert anchored(0.4, 0.5, AIMConfig.reference().anchor_boost, 0.8) == pytest.approx(0.4 + 0.5 * 2.0 * 0.8)
    order = [KIND_WEIGHTS[kind] for kind in ("number", "symbol", "name", "definition")]
    assert order == [3.0, 2.5, 2.0, 1.5]


def test_standardised_scores_have_mean_0_and_spread_1_over_the_rows_asked_for() -> None:
    scores = np.array([1, 2, 3, -np.inf, 100], np.float32)
    among = np.array([True, True, True, True, False])
    z = standardise(scores, among, 0.01)
    assert z[:3] == pytest.approx([-1.2247, 0, 1.2247], abs=1e-3)
    assert z[3] == 0


def test_nearly_equal_scores_are_not_blown_up() -> None:
    scores = np.array([0.300, 0.301], np.float32)
    assert abs(standardise(scores, np.ones(2, np.bool_), 0.05)).max() < 0.02


def test_the_newer_of_equals_comes_first() -> None:
    scores = np.array([1, 2, 2, 0], np.float32)
    assert best_rows(scores, np.ones(4, np.bool_), 3) == [2, 1, 0]
    assert best_rows(scores, np.array([True, True, False, True]), 9) == [1, 0, 3]


def test_neighbours_add_by_distance_and_stop_at_the_session() -> None:
    index = FlatIndex(DIMENSION)
    index.upsert([row(n, "a", session="s1" if n < 4 else "s2") for n in range(1, 6)])
    scores = np.array([1, 0, 0, 8, 0], np.float32)
    added = smooth(scores, np.full(5, 0.4, np.float32), around(index.columns))
    assert added == pytest.approx([0, 0.4, 0.2, 0, 3.2])


def test_unrelated_neighbours_do_not_count_and_long_memories_lean_less() -> None:
    index = FlatIndex(DIMENSION)
    index.upsert([row(n, "a", length=2000 if n % 2 else 0) for n in range(1, 401)])
    among = np.ones(400, np.bool_)
    lasting, bound = standing(index), pairs(index.columns)
    assert bond(np.tile([1.0, -1.0], 200).astype(np.float32), bound) == 0
    together = bond(np.repeat([1.0, -1.0], 200).astype(np.float32), bound)
    weights = leaning(together, lasting.sociable, among, 0.4)
    assert weights[1] == pytest.approx(0.4)
    assert weights[0] == pytest.approx(0.4 / 3)
