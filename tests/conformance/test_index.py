"""The suite of the NamespaceIndex port: the real index and its plain model read alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aim_memory.ports import NamespaceIndex
from aim_memory.storage.index import FlatIndex
from aim_memory.text import index_terms
from aim_memory.types import Segment
from tests.naive_index import NaiveIndex
from tests.rows import DIMENSION, embed, row


class CellsAtOnce(FlatIndex):
    """Large from the second memory on: vectors lie in cells, and excerpts are made."""

    def __init__(self, dimension: int) -> None:
        super().__init__(dimension, whole=1)


@pytest.fixture(params=[FlatIndex, CellsAtOnce, NaiveIndex])
def index(request: pytest.FixtureRequest) -> NamespaceIndex:
    made: NamespaceIndex = request.param(DIMENSION)
    return made


def at(index: NamespaceIndex, memory_id: str) -> int:
    found = index.row_of(memory_id)
    assert found is not None
    return found


def test_an_empty_index_reads_as_nothing(index: NamespaceIndex) -> None:
    assert len(index) == index.size == 0
    assert index.row_of("m1") is None
    assert index.similarities(embed(["anything"])[0]).shape == (0,)
    assert index.lexical({"anything": 1.0}).shape == (0,)
    assert index.coded("speaker")[0].shape == (0,)


def test_a_memory_is_found_by_its_words_and_by_its_meaning(index: NamespaceIndex) -> None:
    index.upsert([row(1, "The ferry leaves at noon"), row(2, "My cat is called Biscuit")])
    assert index.lexical({"ferri": 1.0}).argmax() == at(index, "m1")
    assert index.similarities(embed(["a cat called what"])[0]).argmax() == at(index, "m2")


def test_bm25_counts_what_the_formula_says(index: NamespaceIndex) -> None:
    counts = ({"ferri": 2, "harbour": 1}, {"harbour": 1, "market": 1}, {"market": 1})
    index.upsert([row(n, "-", segments=(Segment(0, 1, terms),)) for n, terms in enumerate(counts, start=1)])
    mean = (3 + 2 + 1) / 3
    expected = np.log1p(2.5 / 1.5) * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / mean))
    assert index.lexical({"ferri": 1.0})[at(index, "m1")] == pytest.approx(expected, rel=1e-5)
    assert index.lexical({"ferri": 0.5})[at(index, "m1")] == pytest.approx(expected / 2, rel=1e-5)
    assert index.lexical({"ferri": 1.0})[at(index, "m2")] == 0


def test_a_memory_of_several_segments_counts_as_half_its_best_and_the_rest_from_first_and_mean(
    index: NamespaceIndex,
) -> None:
    axes = np.eye(DIMENSION, dtype=np.float32)
    segments = tuple(Segment(0, 1, {"word": 1}, axes[number]) for number in range(2))
    index.upsert([row(1, "one", segments=segments)])
    question = 0.2 * axes[0] + 0.6 * axes[1]
    assert index.similarities(question)[0] == pytest.approx(0.6 / 2 + 0.2 / 4 + 0.4 / 4)


def test_a_memory_without_a_vector_is_infinitely_far_until_it_gets_one(index: NamespaceIndex) -> None:
    whole = row(1, "The ferry leaves at noon")
    pending = replace(whole, segments=tuple(replace(segment, vector=None) for segment in whole.segments))
    index.upsert([pending])
    assert index.similarities(embed(["ferry"])[0])[at(index, "m1")] == -np.inf
    assert index.lexical({"ferri": 1.0})[at(index, "m1")] > 0
    index.upsert([whole])
    assert np.isfinite(index.similarities(embed(["ferry"])[0])[at(index, "m1")])


def test_an_edited_memory_keeps_its_place_and_loses_its_old_words_and_anchors(index: NamespaceIndex) -> None:
    index.upsert([row(1, "Hello"), row(2, "The fare is 12 euros"), row(3, "Bye")])
    index.upsert([row(2, "The fare is 15 euros now")])
    assert len(index) == 3
    assert [index.id_of(int(n)) for n in index.columns.following[[at(index, "m1"), at(index, "m2")]]] == ["m2", "m3"]
    held = index.anchors_of(at(index, "m2"))
    assert [anchor.value for anchor in held if anchor.kind == "number"] == [15]
    assert index.lexical({"12": 1.0}).max() == 0


def test_a_removed_memory_leaves_no_trace_in_scores_or_neighbours(index: NamespaceIndex) -> None:
    rows = [row(number, f"note {word} ferry") for number, word in enumerate(["red", "green", "blue"], start=1)]
    index.upsert(rows)
    index.remove(["m2", "unknown"])
    fresh = type(index)(DIMENSION)  # type: ignore[call-arg]
    fresh.upsert([rows[0], rows[2]])
    for memory_id in ("m1", "m3"):
        own, other = at(index, memory_id), at(fresh, memory_id)
        assert index.lexical({"ferri": 1.0, "blue": 1.0})[own] == fresh.lexical({"ferri": 1.0, "blue": 1.0})[other]
    assert index.row_of("m2") is None
    assert index.columns.following[at(index, "m1")] == at(index, "m3")
    assert index.columns.previous[at(index, "m3")] == at(index, "m1")


def test_neighbours_stay_in_their_session_and_in_ordinal_order(index: NamespaceIndex) -> None:
    index.upsert([row(1, "a"), row(4, "d"), row(2, "b", session="s2"), row(3, "c"), row(5, "e", session=None)])
    columns = index.columns
    assert columns.following[at(index, "m1")] == at(index, "m3")
    assert columns.previous[at(index, "m4")] == at(index, "m3")
    assert columns.previous[at(index, "m2")] == columns.following[at(index, "m2")] == -1
    assert columns.previous[at(index, "m5")] == -1


def test_anchors_lead_to_their_holders(index: NamespaceIndex) -> None:
    index.upsert([row(1, "It costs $30"), row(2, "It costs $45"), row(3, "Thirty dollars: $30")])
    anchor = next(anchor for anchor in index.anchors_of(at(index, "m1")) if anchor.kind == "number")
    assert {index.id_of(int(n)) for n in index.anchored("number", anchor.key)} == {"m1", "m3"}


def test_fields_are_coded_also_for_rows_that_come_later(index: NamespaceIndex) -> None:
    index.upsert([row(1, "a", speaker="Ada", metadata={"topic": {"name": "boats"}})])
    assert index.coded("metadata.topic.name")[1] == ["boats"]
    index.upsert([row(2, "b", speaker="Bob", metadata={"topic": {"name": "cats"}}), row(3, "c")])
    for field, expected in (("speaker", ["Ada", "Bob", None]), ("metadata.topic.name", ["boats", "cats", None])):
        codes, values = index.coded(field)
        held = [codes[at(index, memory_id)] for memory_id in ("m1", "m2", "m3")]
        assert [values[code] if code >= 0 else None for code in held] == expected


def test_rarity_is_largest_for_a_term_nobody_uses(index: NamespaceIndex) -> None:
    index.upsert([row(1, "ferry market"), row(2, "ferry")])
    never, once, twice = index.rarity(["whale", "market", "ferri"])
    assert never > once > twice > 0


def test_coverage_tells_who_contains_a_term(index: NamespaceIndex) -> None:
    index.upsert([row(1, "ferry market"), row(2, "ferry")])
    rows = np.array([at(index, "m1"), at(index, "m2")])
    assert index.covered(["market", "ferri", "whale"], rows).tolist() == [[True, False], [True, True], [False, False]]


def test_overlap_is_the_share_of_rare_words_in_common(index: NamespaceIndex) -> None:
    texts = ("ferry market zinc", "ferry market", "ferry", "quartz")
    index.upsert([row(number, text) for number, text in enumerate(texts, start=1)])
    index.remove(["m3"])
    index.upsert([row(2, "ferry market opal")])
    rows = np.array([at(index, memory_id) for memory_id in ("m1", "m2", "m4")])
    overlap = index.overlap(rows)
    one, other = (set(index_terms(text)) for text in (texts[0], "ferry market opal"))
    shared = index.rarity(sorted(one & other)).sum() / index.rarity(sorted(one | other)).sum()
    assert overlap == pytest.approx(np.array([[1, shared, 0], [shared, 1, 0], [0, 0, 1]]), abs=1e-6)


def test_each_token_of_a_question_finds_its_best_match_in_the_best_segment(index: NamespaceIndex) -> None:
    axes = np.eye(DIMENSION, dtype=np.float32)
    near, far = (np.packbits(signs[None, :] > 0, axis=1) for signs in (axes[0] + axes[1] - 0.5, -axes[0] - 0.5))
    segments = tuple(Segment(0, 1, {}, axes[0], signs) for signs in (far, near))
    index.upsert([row(1, "one", segments=segments), row(2, "none")])
    matches = index.late(np.stack([axes[0], axes[2]]), np.array([at(index, "m1"), at(index, "m2")]))
    scale = 1 / np.sqrt(DIMENSION)
    assert matches == pytest.approx(np.array([[scale, -scale], [0, 0]]))
