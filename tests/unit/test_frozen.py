"""Frozen indexes: what goes into few bytes comes out of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aim_memory.errors import StorageError
from aim_memory.storage.coarse import decode, encode
from aim_memory.storage.index import FlatIndex
from aim_memory.storage.packing import pack, unpack
from aim_memory.storage.postings import Postings
from tests.rows import DIMENSION, embed, row

TEXTS = ("The ferry leaves at noon", "My cat is called Biscuit", "The market costs $30", "渡轮在三点出发")


def unit(count: int, dimension: int) -> np.ndarray:
    raw = np.random.default_rng(dimension).standard_normal((count, dimension)).astype(np.float32)
    return raw / np.linalg.norm(raw, axis=1, keepdims=True)


@pytest.mark.parametrize("dimension", [384, 385, 8])
def test_coarse_vectors_keep_their_inner_products(dimension: int) -> None:
    vectors = unit(500, dimension)
    codes, scales = encode(vectors)
    near = decode(codes, scales, dimension)
    assert (near.shape, codes.shape) == (vectors.shape, (500, -(-dimension // 2)))
    np.testing.assert_allclose(np.einsum("nd,nd->n", near, vectors), 1, atol=1e-5)
    error = near @ vectors[:50].T - vectors @ vectors[:50].T
    assert error.std() < 0.12 / np.sqrt(dimension)


def test_what_was_coarse_is_coarse_in_the_same_way() -> None:
    codes, scales = encode(unit(500, 384))
    again, scaled = encode(decode(codes, scales, 384))
    np.testing.assert_array_equal(again, codes)
    np.testing.assert_allclose(scaled, scales, rtol=1e-5)


def test_a_missing_vector_stays_a_row_of_zeros() -> None:
    near = decode(*encode(np.zeros((2, 16), np.float32)), 16)
    assert not near.any()


numbers = arrays(np.int64, st.integers(0, 6), elements=st.integers(-(2**40), 2**40))
times = arrays(np.float64, st.integers(0, 6), elements=st.floats(allow_nan=False))


@given(numbers, times, st.lists(st.text()), st.booleans())
def test_parts_come_out_as_they_went_in(own: np.ndarray, moments: np.ndarray, texts: list[str], plain: bool) -> None:
    parts = unpack(pack({"own": own, "texts": texts, "moments": moments}, frozenset({"moments"} if plain else ())))
    assert (parts["own"].dtype, parts["moments"].dtype) == (own.dtype, moments.dtype)
    np.testing.assert_array_equal(parts["own"], own)
    np.testing.assert_array_equal(parts["moments"], moments)
    assert parts["texts"] == texts


def filled() -> FlatIndex:
    index = FlatIndex(DIMENSION)
    index.upsert([row(number, text, session="s", speaker="Ada") for number, text in enumerate(TEXTS, 1)])
    return index


@pytest.mark.parametrize("body", [b"", b"{}\n", b"[]\n", b"\x80\x04N.", b'{"deflated":9,"parts":[]}\nabc'])
def test_what_is_no_index_is_refused(body: bytes) -> None:
    with pytest.raises(StorageError, match="no index"):
        FlatIndex(DIMENSION).thaw(body)


def test_a_thawed_index_reads_as_before_and_goes_on() -> None:
    index, thawed = filled(), FlatIndex(DIMENSION)
    index.remove(["m2"])
    body = index.freeze(exact=True)
    thawed.thaw(body)
    assert thawed.freeze(exact=True) == body
    for one in (index, thawed):
        one.upsert([row(9, "Another ferry", session="s")])
    assert thawed.freeze(exact=True) == index.freeze(exact=True)
    question = embed(["ferry at noon"])[0]
    np.testing.assert_array_equal(thawed.similarities(question), index.similarities(question))
    np.testing.assert_array_equal(thawed.lexical({"ferri": 1.0}), index.lexical({"ferri": 1.0}))
    assert [thawed.anchors_of(at) for at in range(4)] == [index.anchors_of(at) for at in range(4)]


@pytest.mark.parametrize("exact", [True, False])
def test_an_index_of_nothing_or_of_bare_rows_is_frozen_too(exact: bool) -> None:
    index = FlatIndex(DIMENSION)
    for rows in ([], [row(1, "bare", session=None, segments=())], [row(2, "no anchor")]):
        index.upsert(rows)
        thawed = FlatIndex(DIMENSION)
        thawed.thaw(index.freeze(exact=exact))
        assert (len(thawed), thawed.size) == (len(index), index.size)
        assert thawed.similarities(embed(["bare"])[0]).shape == (index.size,)
        assert thawed.lexical({"anchor": 1.0}).tolist() == index.lexical({"anchor": 1.0}).tolist()


def test_coarsely_frozen_is_an_eighth_of_the_vectors() -> None:
    index = FlatIndex(DIMENSION)
    index.upsert([row(number, f"ferry {number}") for number in range(1, 400)])
    coarse, exact = index.freeze(), index.freeze(exact=True)
    assert 400 * DIMENSION * 3 < len(exact) - len(coarse) < 400 * DIMENSION * 4
    assert len(coarse) < index.nbytes / 4


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=5), max_size=20), st.integers(0, 12))
def test_postings_read_alike_however_many_stand_apart(segments: list[list[str]], apart: int) -> None:
    one, other = Postings(apart=apart), Postings()
    for terms in segments:
        for postings in (one, other):
            postings.extend([{term: terms.count(term) for term in terms}])
    for term in "abcdef":
        np.testing.assert_array_equal(one.bm25({term: 1.0}, None), other.bm25({term: 1.0}, None))
        every = np.arange(len(segments))
        np.testing.assert_array_equal(one.holds(term, every), [term in terms for terms in segments])


def test_an_index_in_cells_that_was_emptied_comes_back_empty() -> None:
    index, again = (FlatIndex(DIMENSION, bear=2, whole=2) for _ in range(2))
    index.upsert([row(number, text) for number, text in enumerate(TEXTS, start=1)])
    index.remove([f"m{number}" for number in range(1, 5)])
    again.thaw(index.freeze())
    assert len(again) == 0
    again.upsert([row(5, TEXTS[0])])
    assert again.row_of("m5") is not None


def test_an_index_goes_on_after_it_was_frozen() -> None:
    index = FlatIndex(DIMENSION)
    index.upsert([row(number, text) for number, text in enumerate(TEXTS, start=1)])
    index.remove(["m1"])
    assert len(index.columns.alive) == len(TEXTS)
    index.freeze()
    assert len(index.columns.alive) == index.size == len(TEXTS) - 1
