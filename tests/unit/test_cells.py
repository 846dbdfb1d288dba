"""Cells of vectors: what is near is found, and only what is allowed."""

from __future__ import annotations

import numpy as np
import pytest

from aim_memory.storage.cells import Cells

RNG = np.random.default_rng(11)
CENTRES = RNG.standard_normal((60, 48)).astype(np.float32)


def unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def around(count: int) -> np.ndarray:
    return unit(CENTRES[np.arange(count) % 60] + 0.5 * RNG.standard_normal((count, 48)).astype(np.float32))


VECTORS = around(3000)


@pytest.fixture
def cells() -> Cells:
    return Cells(VECTORS, np.arange(0, 6000, 2))


def test_what_is_nearest_is_found_among_few(cells: Cells) -> None:
    found = []
    for at in range(0, 3000, 100):
        near, compared = cells.search(VECTORS[at : at + 1], 10)
        found.append(2 * at in near)
        assert compared < 600
    assert np.mean(found) == 1


def test_two_questions_share_the_cells_of_both(cells: Cells) -> None:
    near, _ = cells.search(VECTORS[[3, 700]], 10)
    assert {6, 1400} <= set(near.tolist())
    assert (np.diff(near) > 0).all()


def test_only_what_is_allowed_is_found(cells: Cells) -> None:
    allowed = np.zeros(6000, np.bool_)
    allowed[::8] = True
    near, _ = cells.search(VECTORS[:1], 200, allowed)
    assert len(near)
    assert (near % 8 == 0).all()


def test_what_is_added_later_is_found(cells: Cells) -> None:
    more = around(60)
    cells.add(more, np.arange(6000, 6060))
    assert all(6000 + at in cells.search(more[at : at + 1], 5)[0] for at in range(60))


def test_what_is_kept_has_its_new_number_and_the_rest_is_gone(cells: Cells) -> None:
    kept = np.arange(0, 3000, 3)
    cells.keep(VECTORS[kept], np.arange(len(kept)), 2 * kept)
    near, _ = cells.search(VECTORS[kept[:1]], 2000)
    assert near.max() < len(kept)
    assert all(at in cells.search(VECTORS[kept[at : at + 1]], 5)[0] for at in range(0, len(kept), 50))
    cells.add(VECTORS[:1], np.array([len(kept)]))
    assert len(kept) in cells.search(VECTORS[:1], 5)[0]


def test_a_single_vector_makes_a_cell() -> None:
    lone = Cells(VECTORS[:1], np.array([4]))
    assert lone.search(VECTORS[5:6], 3)[0].tolist() == [4]
