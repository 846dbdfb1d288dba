"""The closer look: token matches of a memory and of the turns beside it."""

from __future__ import annotations

import numpy as np
import pytest

from aim_memory.routing.late import NEXT_DOOR, SHORT, late

NOWHERE = np.array([-1, -1, -1])
LENGTHS = np.zeros(3, np.int64)


def test_a_token_that_matches_everywhere_tells_nothing() -> None:
    matches = np.array([[0.9, 0.2], [0.9, 0.8], [0.9, 0.1]], np.float32)
    found = late(matches, (), LENGTHS)["late"]
    assert found.argmax() == 1
    same = late(matches[:, 1:], (), LENGTHS)["late"]
    assert found == pytest.approx(same, abs=1e-5)


def test_a_long_memory_counts_less() -> None:
    matches = np.array([[0.9], [0.5], [0.1]], np.float32)
    short, long = (late(matches, (), np.array([n, 0, 0]))["late"][0] for n in (0, SHORT))
    assert long == pytest.approx(short / 2)


def test_the_turn_before_fills_in_what_a_memory_lacks() -> None:
    """Token one is in the question's turn 0, token two in its answer, turn 1; turn 2 holds a little of both."""
    matches = np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5], [0, 0]], np.float32)
    before, after = np.array([-1, 0, -1, -1]), np.array([1, -1, -1, -1])
    found = late(matches, (before, after), np.zeros(4, np.int64))
    assert found["together"][0] == pytest.approx(found["together"][1], abs=1e-5)
    assert found["together"][1] > found["together"][2] + 0.1
    assert late(matches[:3], (NOWHERE, NOWHERE), LENGTHS)["together"] == pytest.approx([0, 0, 0], abs=1e-6)
    assert NEXT_DOOR < 1


def test_evenly_counts_every_token_alike() -> None:
    matches = np.array([[0.9, 0.1, 0.1], [0.1, 0.5, 0.5], [0.0, 0.0, 0.0]], np.float32)
    found = late(matches, (), LENGTHS)["evenly"]
    assert found[0] == pytest.approx(found[1], abs=0.05)
