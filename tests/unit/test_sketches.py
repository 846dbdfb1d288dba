"""Token signs: what they keep of a vector, and that the best match of the best segment is found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim_memory.storage.sketches import Sketches

DIMENSION = 384


def unit(rows: int, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).standard_normal((rows, DIMENSION)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def signs(vectors: np.ndarray) -> np.ndarray:
    return np.packbits(vectors > 0, axis=1)


def sketches(*segments: np.ndarray | None) -> Sketches:
    made = Sketches(DIMENSION)
    made.append([None if own is None else signs(own) for own in segments])
    return made


def test_a_vector_is_nearest_to_its_own_signs() -> None:
    """For random directions the estimate of cos = 1 is √(2/π), of cos = 0 it is 0."""
    vectors = unit(50, seed=1)
    matches = sketches(*(row[None] for row in vectors)).best(vectors, range(50))
    assert (matches.argmax(axis=0) == np.arange(50)).all()
    assert np.diag(matches).mean() == pytest.approx(np.sqrt(2 / np.pi), abs=0.02)
    assert abs(matches[~np.eye(50, dtype=bool)].mean()) < 0.01


@given(st.lists(st.integers(0, 4), min_size=1, max_size=8), st.integers(1, 5), st.integers(0, 2**16))
def test_best_is_the_maximum_over_the_segments_tokens(sizes: list[int], asked: int, seed: int) -> None:
    segments = [unit(size, seed + i) if size else None for i, size in enumerate(sizes)]
    question = unit(asked, seed + 99)
    matches = sketches(*segments).best(question, range(len(sizes)))
    for own, row in zip(segments, matches, strict=True):
        plain = np.where(own > 0, 1, -1) @ question.T / np.sqrt(DIMENSION) if own is not None else np.zeros((1, asked))
        np.testing.assert_allclose(row, plain.max(axis=0), atol=1e-5)


def test_dropped_segments_leave_the_others_in_order() -> None:
    vectors = unit(3, seed=2)
    held = sketches(*(row[None] for row in vectors))
    held.keep(np.array([True, False, True]))
    matches = held.best(vectors, [0, 1])
    assert matches.argmax(axis=0).tolist()[0] == 0
    assert matches.argmax(axis=0).tolist()[2] == 1
