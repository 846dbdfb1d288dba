"""Temporal weights: the described arithmetic, its floor, pins and reinforcement."""

import numpy as np
import pytest

from aim_memory.config import AIMConfig
from aim_memory.mirror import weights


def ages(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_five_later_writes_leave_0_328() -> None:
    described = AIMConfig.reference()
    (weight,) = weights(ages(5), gamma=described.weight_decay_gamma, floor=described.decay_floor)
    assert weight == pytest.approx(0.32768)
    assert round(float(weight), 3) == 0.328


def test_new_memories_weigh_one() -> None:
    assert weights(ages(0), gamma=0.8, floor=0.0)[0] == 1.0


def test_the_floor_holds() -> None:
    np.testing.assert_allclose(weights(ages(1, 3, 1000), gamma=0.5, floor=0.3), [0.5, 0.3, 0.3])


def test_pinned_memories_do_not_age() -> None:
    found = weights(ages(50, 50), gamma=0.8, floor=0.0, pinned=np.array([True, False]))
    assert found[0] == 1.0
    assert found[1] < 0.001


def test_use_lifts_and_saturates() -> None:
    uses = np.array([-3, 0, 1, 5, 20, 10_000], dtype=np.float32)
    found = weights(np.full(6, 10, dtype=np.int64), gamma=0.8, floor=0.0, uses=uses)
    bare = 0.8**10
    assert found[0] == found[1] == pytest.approx(bare)
    assert np.all(np.diff(found[1:5]) > 0)
    assert found[4] == found[5] == pytest.approx(bare + (1 - bare) / 2)
    gains = np.diff(found[1:5]) / np.diff(uses[1:5])
    assert np.all(np.diff(gains) < 0)


def test_one_float32_per_memory() -> None:
    found = weights(ages(), gamma=0.8, floor=0.0)
    assert found.shape == (0,)
    assert found.dtype == np.float32
    assert weights(ages(1, 2, 3), gamma=1.0, floor=0.0).tolist() == [1.0, 1.0, 1.0]


def test_an_age_below_zero_is_new() -> None:
    assert weights(ages(-4), gamma=0.8, floor=0.0)[0] == 1.0
