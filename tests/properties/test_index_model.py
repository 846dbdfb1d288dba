"""Whatever is written, edited and removed, the index reads like its plain model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aim_memory.ports import NamespaceIndex
from aim_memory.storage.index import FlatIndex
from aim_memory.types import IndexRow
from tests.naive_index import NaiveIndex
from tests.rows import DIMENSION, embed, row

WORDS = ("ferry", "market", "harbour", "cat", "$30", "渡轮", "市场")
texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)
SESSIONS = (None, "s1", "s2")  # an edit never changes a memory's session


def _row(ordinal: int, text: str) -> IndexRow:
    return row(ordinal, text, session=SESSIONS[ordinal % 3])


rows = st.builds(_row, st.integers(1, 12), texts)
steps = st.lists(st.one_of(st.lists(rows, max_size=6), st.lists(st.integers(1, 12), max_size=8)), max_size=30)


@settings(deadline=None, max_examples=60)
@given(steps)
def test_the_flat_index_agrees_with_the_plain_one(changes: list[list[IndexRow] | list[int]]) -> None:
    flat, plain = FlatIndex(DIMENSION, bear=2), NaiveIndex(DIMENSION)
    for number, change in enumerate(changes):
        for index in (flat, plain):
            _apply(index, change)
        if number % 4 == 2:
            flat = _thawed(flat, FlatIndex(DIMENSION, bear=2))
    ids = [plain.id_of(at) for at in range(plain.size)]
    assert len(flat) == len(plain)
    assert _neighbours(flat, ids) == _neighbours(plain, ids)
    assert _scores(flat, ids) == pytest.approx(_scores(plain, ids), rel=1e-4, abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(steps)
def test_in_cells_every_memory_is_nearest_to_its_own_vector(changes: list[list[IndexRow] | list[int]]) -> None:
    index, there = FlatIndex(DIMENSION, bear=2, whole=2), dict[str, IndexRow]()
    for change in changes:
        _apply(index, change)
        there |= {item.id: item for item in change if isinstance(item, IndexRow)}
        there = {memory_id: held for memory_id, held in there.items() if index.row_of(memory_id) is not None}
        if len(change) % 3 == 2:
            index = _thawed(index, FlatIndex(DIMENSION, bear=2, whole=2))
    for memory_id, held in there.items():
        (segment,) = held.segments
        assert segment.vector is not None
        found, _ = index.nearest([segment.vector], index.columns.alive)
        assert index.row_of(memory_id) in found
        assert index.columns.alive[found].all()


def _thawed(index: FlatIndex, empty: FlatIndex) -> FlatIndex:
    """The same index after it was frozen."""
    empty.thaw(index.freeze(exact=True))
    return empty


def _apply(index: NamespaceIndex, change: list[IndexRow] | list[int]) -> None:
    index.upsert([item for item in change if isinstance(item, IndexRow)])
    index.remove([f"m{item}" for item in change if isinstance(item, int)])


def _neighbours(index: NamespaceIndex, ids: list[str]) -> list[tuple[str | None, str | None]]:
    columns = index.columns
    pairs = [(int(columns.previous[at]), int(columns.following[at])) for at in _rows(index, ids)]
    named = [[index.id_of(row) if row >= 0 else None for row in pair] for pair in pairs]
    return [(before, after) for before, after in named]


def _scores(index: NamespaceIndex, ids: list[str]) -> list[float]:
    at = np.array(_rows(index, ids), np.int64)
    lexical = index.lexical({"ferri": 1.0, "market": 0.5, "渡轮": 1.0, "30": 1.0})[at]
    return [*lexical.tolist(), *index.similarities(embed(["ferry cat"])[0])[at].tolist()]


def _rows(index: NamespaceIndex, ids: list[str]) -> list[int]:
    return [row for memory_id in ids if (row := index.row_of(memory_id)) is not None]
