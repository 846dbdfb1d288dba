"""Whatever is written, edited and removed, the index reads like its plain model."""

from __future__ import annotations

import numpy as np
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
    for change in changes:
        for index in (flat, plain):
            _apply(index, change)
    _agree(flat, plain)


def _apply(index: NamespaceIndex, change: list[IndexRow] | list[int]) -> None:
    index.upsert([item for item in change if isinstance(item, IndexRow)])
    index.remove([f"m{item}" for item in change if isinstance(item, int)])


def _agree(flat: FlatIndex, plain: NaiveIndex) -> None:
    ids = [plain.id_of(at) for at in range(plain.size)]
    at = [flat.row_of(memory_id) for memory_id in ids]
    assert len(flat) == len(plain)
    assert None not in at
    where = np.array(at, np.int64)
    terms = {"ferri": 1.0, "market": 0.5, "渡轮": 1.0, "30": 1.0}
    np.testing.assert_allclose(flat.lexical(terms)[where], plain.lexical(terms), rtol=1e-4)
    question = embed(["ferry cat"])[0]
    np.testing.assert_allclose(flat.similarities(question)[where], plain.similarities(question), rtol=1e-4, atol=1e-6)
    for field in ("previous", "following"):
        steps = getattr(flat.columns, field)[where]
        named = [flat.id_of(int(step)) if step >= 0 else None for step in steps]
        expected = [plain.id_of(int(step)) if step >= 0 else None for step in getattr(plain.columns, field)]
        assert named == expected
