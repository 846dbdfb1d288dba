"""An excerpt of an index reads like the whole index at its rows, and holds what a question may find."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from aim_memory.ports import IndexReader
from aim_memory.storage.index import FlatIndex
from aim_memory.storage.postings import Postings
from aim_memory.storage.selection import BEST
from aim_memory.types import Columns, IndexRow
from tests.rows import DIMENSION, embed, row

WORDS = ("ferry", "market", "harbour", "cat", "lamp", "river", "cello", "bread")
SIZE = 1200


def told(number: int) -> IndexRow:
    words = [WORDS[number // 8**power % 8] for power in range(3)]
    made = row(number, " ".join(words), session=f"s{number // 10}", speaker=("Ada", "Bob")[number % 2])
    return replace(made, metadata={"room": str(number % 400)})


@pytest.fixture(scope="module")
def index() -> FlatIndex:
    made = FlatIndex(DIMENSION, whole=100)
    made.upsert([told(number) for number in range(1, SIZE + 1)])
    made.upsert([row(7, "Wanted: a zeppelin for $30", session="s0"), row(600, "The airship is sold", session="s60")])
    made.upsert([replace(told(900), superseded_by="m42")])
    return made


def excerpt(index: FlatIndex, text: str = "zeppelin", among: np.ndarray | None = None) -> IndexReader:
    free = np.ones(index.size, np.bool_) if among is None else among
    return index.excerpt([{text: 1.0}], [embed([text])[0]], index.anchors_of(6), free)


def places(part: IndexReader, index: FlatIndex) -> np.ndarray:
    """The row of the whole for every row of a part."""
    return np.array([index.row_of(part.id_of(at)) for at in range(part.size)])


def test_a_small_index_is_its_own_excerpt() -> None:
    small = FlatIndex(DIMENSION)
    small.upsert([row(1, "ferry")])
    assert small.excerpt([{}], [], (), np.ones(1, np.bool_)) is small


def test_it_is_smaller_and_counts_like_the_whole(index: FlatIndex) -> None:
    part = excerpt(index)
    assert part.size < index.size
    assert len(part) == len(index) == SIZE
    assert part.rarity(["zeppelin", "cat"]).tolist() == index.rarity(["zeppelin", "cat"]).tolist()
    (anchor,) = index.anchors_of(6)
    assert part.holders(anchor.kind, anchor.key) == 1


def test_its_rows_read_as_they_do_in_the_whole(index: FlatIndex) -> None:
    part, at = excerpt(index), places(excerpt(index), index)
    assert (np.diff(at) > 0).all()
    for name in {field.name for field in fields(Columns)} - {"previous", "following"}:
        np.testing.assert_array_equal(getattr(part.columns, name), getattr(index.columns, name)[at])
    question = embed(["river bread"])[0]
    np.testing.assert_allclose(part.similarities(question), index.similarities(question)[at], rtol=1e-5, atol=1e-6)
    few = np.array([5, 0, 2])
    np.testing.assert_allclose(
        part.similarities_of(question, few), part.similarities(question)[few], rtol=1e-5, atol=1e-6
    )
    for terms in ({"zeppelin": 1.0}, {"river": 1.0, "cat": 0.5}):
        np.testing.assert_allclose(part.lexical(terms), index.lexical(terms)[at], rtol=1e-5)
    some = np.arange(0, part.size, 7)
    np.testing.assert_array_equal(part.covered(["cat", "nobody"], some), index.covered(["cat", "nobody"], at[some]))
    np.testing.assert_allclose(part.overlap(some), index.overlap(at[some]))
    for field in ("speaker", "metadata.room", "role"):
        codes, values = part.coded(field)
        whole, known = index.coded(field)
        assert [values[code] if code >= 0 else None for code in codes] == [
            known[code] if code >= 0 else None for code in whole[at]
        ]


def test_neighbours_are_neighbours_still_and_nobody_else_is(index: FlatIndex) -> None:
    part, at = excerpt(index), places(excerpt(index), index)
    number = {int(row): place for place, row in enumerate(at)}
    for name in ("previous", "following"):
        expected = [number.get(int(row), -1) for row in getattr(index.columns, name)[at]]
        assert getattr(part.columns, name).tolist() == expected


def test_what_matches_is_there_with_two_turns_on_both_sides(index: FlatIndex) -> None:
    held = {excerpt(index).id_of(at) for at in range(excerpt(index).size)}
    assert {"m5", "m6", "m7", "m8", "m9"} <= held
    assert "m1200" in held, "the newest memory is always there: the age of others is counted from it"


def test_what_superseded_a_match_is_there(index: FlatIndex) -> None:
    only = np.zeros(index.size, np.bool_)
    only[[899, 3]] = True
    part = excerpt(index, among=only)
    assert part.row_of("m900") is not None
    assert part.row_of("m42") is not None
    assert part.row_of("nobody") is None


def test_few_that_may_be_found_are_all_there(index: FlatIndex) -> None:
    only = np.zeros(index.size, np.bool_)
    only[100:1100:25] = True
    held = places(excerpt(index, among=only), index)
    assert set(np.flatnonzero(only)) <= set(held.tolist())


def test_anchors_lead_to_the_rows_of_the_excerpt(index: FlatIndex) -> None:
    (anchor,) = index.anchors_of(6)
    part = excerpt(index)
    assert [part.id_of(int(at)) for at in part.anchored(anchor.kind, anchor.key)] == ["m7"]


def test_less_than_a_tenth_of_many_vectors_is_compared() -> None:
    many = FlatIndex(DIMENSION, whole=100)
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((4000, DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    some = told(1)
    (segment,) = some.segments
    many.upsert(
        [
            replace(some, id=f"m{at}", ordinal=at, session_id=None, segments=(replace(segment, vector=vector),))
            for at, vector in enumerate(vectors)
        ]
    )
    near = vectors[1234] + 0.1 * vectors[99]
    everything = np.ones(many.size, np.bool_)
    one = many.excerpt([{}], [near], (), everything)
    two = many.excerpt([{}], [near, vectors[77]], (), everything)
    assert one.row_of("m1234") is not None
    assert {"m1234", "m77"} <= {two.id_of(at) for at in range(two.size)}
    assert one.compared(np.ones(one.size, np.bool_)) - one.size < 400
    assert two.compared(np.ones(two.size, np.bool_)) - two.size < 400


def test_what_shrank_and_grew_again_is_found_in_its_cells() -> None:
    """Small in between, it has no cells; those that are learned then know all that came meanwhile."""
    index = FlatIndex(DIMENSION, bear=2, whole=100)
    index.upsert([told(number) for number in range(1, 201)])
    index.remove([f"m{number}" for number in range(1, 151)])
    later = [told(number) for number in range(201, 301)]
    for one in later:
        index.upsert([one])
    for one in later:
        near, _ = index.nearest(
            [vector for segment in one.segments if (vector := segment.vector) is not None], index.columns.alive
        )
        assert index.row_of(one.id) in near


def test_what_shrank_and_grew_a_little_shrinks_again() -> None:
    index = FlatIndex(DIMENSION, bear=2, whole=100)
    index.upsert([told(number) for number in range(1, 201)])
    index.remove([f"m{number}" for number in range(1, 151)])
    index.upsert([told(number) for number in range(201, 231)])
    index.remove([f"m{number}" for number in range(151, 200)])
    assert len(index) == 31
    assert index.size == 31


def test_fields_without_end_that_filters_name_are_not_kept_without_end() -> None:
    index = FlatIndex(DIMENSION)
    index.upsert([told(number) for number in range(1, 101)])
    index.coded("metadata.room")
    for number in range(200):
        assert (index.coded(f"metadata.field{number}")[0] == -1).all()
    kept = index._weighed()
    for number in range(200, 400):
        index.coded(f"metadata.field{number}")
    assert index._weighed() == kept
    codes, values = index.coded("metadata.room")
    assert [values[code] for code in codes] == [str(number) for number in range(1, 101)]
    assert index.coded("session_id")[1][0] == "s0"


def test_anchors_that_nobody_holds_are_not_kept() -> None:
    index = FlatIndex(DIMENSION)
    index.upsert([told(1)])
    assert not len(index.anchored("number", "17"))
    assert not index._anchors._sorted
    index.upsert([row(2, "It cost $30")])
    (anchor,) = index.anchors_of(1)
    assert index.anchored(anchor.kind, anchor.key).tolist() == [1]


COMMON = ("the", "ada", "said", "today")


def spoken(number: int, draw: np.random.Generator) -> IndexRow:
    """Common words in most memories, rare ones in few; every fifth memory has several segments."""
    parts = []
    for _ in range(1 + 3 * (number % 5 == 0)):
        words = [word for word in COMMON if draw.random() < 0.7]
        words += [f"w{int(word)}" for word in draw.zipf(1.3, 6) % 5000]
        parts.append(" ".join(words))
    made = row(number, parts[0], session=f"s{number // 10}")
    segments = tuple(row(number, part).segments[0] for part in parts)
    return replace(made, segments=segments)


@pytest.mark.parametrize("kind", ["whole", "of several segments", "with removals"])
def test_the_best_by_words_are_those_of_a_full_reading(kind: str) -> None:
    draw = np.random.default_rng(5)
    index = FlatIndex(DIMENSION, whole=100)
    rows = [spoken(number, draw) for number in range(1, 2001)]
    if kind == "whole":
        rows = [replace(one, segments=one.segments[:1]) for one in rows]
    index.upsert(rows)
    if kind == "with removals":
        index.remove([f"m{number}" for number in range(3, 900, 7)])
    for turn in range(60):
        words = [f"w{int(word)}" for word in draw.zipf(1.3, 1 + turn % 5) % 5000]
        terms = {word: float(draw.choice([0.25, 1.0])) for word in [*draw.choice(COMMON, 2), *words]}
        among = index.columns.alive & (draw.random(index.size) < (0.3 if turn % 3 == 0 else 1.1))
        scores = np.where(among, index.lexical(terms), 0)
        found = index.told(terms, among)
        assert len(set(found.tolist())) == len(found) == min(BEST, np.count_nonzero(scores))
        np.testing.assert_allclose(np.sort(scores[found]), np.sort(scores)[-len(found) :], rtol=1e-5)
        np.testing.assert_allclose(index.lexical_of(terms, found), index.lexical(terms)[found], rtol=1e-5)


def test_the_rarest_words_are_read_and_the_others_bounded() -> None:
    postings = Postings()
    postings.extend([{"the": 1, "ada": 1 + n % 3, f"w{n % 15}": 1, f"v{n % 1000}": 1} for n in range(2000)])
    terms = {"ada": 1.0, "w3": 1.0, "v700": 0.25, "nobody": 1.0}
    segments, scores, rest = postings.rarer(terms, None, 200)
    exact = postings.bm25(terms, None)
    assert segments.tolist() == [n for n in range(2000) if n % 15 == 3 or n % 1000 == 700]
    assert (scores <= exact[segments]).all()
    assert (exact[segments] <= scores + rest).all()
    assert np.delete(exact, segments).max() <= rest
    assert len(postings.rarer(terms, None, 1)[0]) == 2
    assert postings.rarer(terms, None, 5000)[2] == 0
    assert len(postings.rarer({"nobody": 1.0}, None, 10)[0]) == 0
