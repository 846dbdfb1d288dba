"""Token signs: what they keep of a vector, and that the best match of the best segment is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aim_memory.storage.sketches import Signs, Sketches

DIMENSION = 384


def unit(rows: int, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).standard_normal((rows, DIMENSION)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def signs(vectors: np.ndarray) -> np.ndarray:
    return np.packbits(vectors > 0, axis=1)


class Shelf:
    """Where signs are read, and what was asked for."""

    def __init__(self, **held: Signs) -> None:
        self.held = held
        self.asked: list[list[str]] = []

    def read(self, ids: Sequence[str]) -> Mapping[str, Signs]:
        self.asked.append(list(ids))
        return {memory_id: self.held[memory_id] for memory_id in ids if memory_id in self.held}


def matches_of(vectors: Sequence[np.ndarray | None], question: np.ndarray) -> np.ndarray:
    shelf = Shelf(**{f"m{n}": [signs(own)] for n, own in enumerate(vectors) if own is not None})
    return Sketches(DIMENSION, shelf.read).best(question, [f"m{n}" for n in range(len(vectors))])


def test_a_vector_is_nearest_to_its_own_signs() -> None:
    """For random directions the estimate of cos = 1 is √(2/π), of cos = 0 it is 0."""
    vectors = unit(50, seed=1)
    matches = matches_of([row[None] for row in vectors], vectors)
    assert (matches.argmax(axis=0) == np.arange(50)).all()
    assert np.diag(matches).mean() == pytest.approx(np.sqrt(2 / np.pi), abs=0.02)
    assert abs(matches[~np.eye(50, dtype=bool)].mean()) < 0.01


@given(st.lists(st.integers(0, 4), min_size=1, max_size=8), st.integers(1, 5), st.integers(0, 2**16))
def test_best_is_the_maximum_over_the_tokens(sizes: list[int], asked: int, seed: int) -> None:
    segments = [unit(size, seed + i) if size else None for i, size in enumerate(sizes)]
    question = unit(asked, seed + 99)
    matches = matches_of(segments, question)
    for own, row in zip(segments, matches, strict=True):
        plain = np.where(own > 0, 1, -1) @ question.T / np.sqrt(DIMENSION) if own is not None else np.zeros((1, asked))
        np.testing.assert_allclose(row, plain.max(axis=0), atol=1e-5)


def test_of_several_segments_the_best_in_sum_counts() -> None:
    vectors = unit(3, seed=2)
    found = Sketches(DIMENSION, Shelf(m=[signs(vectors[:1]), signs(vectors[1:])]).read).best(vectors, ["m"])
    np.testing.assert_array_equal(found, matches_of([vectors[1:]], vectors))


def test_signs_of_another_dimension_are_no_match() -> None:
    shelf = Shelf(m=[np.full((3, 4), 255, np.uint8)])
    assert (Sketches(DIMENSION, shelf.read).best(unit(2, seed=1), ["m"]) == 0).all()


def test_signs_are_read_once_and_again_after_a_change() -> None:
    one, other = (signs(unit(2, seed)) for seed in (3, 4))
    shelf = Shelf(a=[one], b=[one])
    held, question = Sketches(DIMENSION, shelf.read), unit(4, seed=5)
    before = held.best(question, ["a", "b", "none"])
    held.best(question, ["none", "b", "a"])
    assert shelf.asked == [["a", "b", "none"]]
    shelf.held["a"] = [other]
    held.drop(["a"])
    after = held.best(question, ["a", "b", "none"])
    assert shelf.asked[1:] == [["a"]]
    assert (after[0] != before[0]).any()
    np.testing.assert_array_equal(after[1:], before[1:])


def test_what_is_put_need_not_be_read() -> None:
    old, new = (signs(unit(2, seed)) for seed in (3, 4))
    shelf, question = Shelf(a=[old]), unit(4, seed=5)
    held = Sketches(DIMENSION, shelf.read)
    held.put({"a": [new]})
    np.testing.assert_array_equal(
        held.best(question, ["a"]), Sketches(DIMENSION, Shelf(a=[new]).read).best(question, ["a"])
    )
    assert not shelf.asked
    held.put({"a": []})
    held.best(question, ["a"])
    assert shelf.asked == [["a"]]


def test_what_was_asked_for_longest_ago_makes_room() -> None:
    shelf = Shelf(**{name: [signs(unit(4, seed=1))] for name in "abc"})
    held, question = Sketches(DIMENSION, shelf.read, room=1000), unit(1, seed=2)  # two take 896 bytes
    for name in "abac":
        held.best(question, [name])
    held.best(question, ["a", "c"])
    assert shelf.asked == [["a"], ["b"], ["c"]]
    held.best(question, ["b"])
    assert shelf.asked[3:] == [["b"]]
