"""The filter grammar: what it accepts, what it refuses, and what it lets through."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from aim_memory.errors import InvalidInputError, LimitExceededError
from aim_memory.filters import parse
from aim_memory.ports import NamespaceIndex
from aim_memory.storage.index import FlatIndex
from tests.rows import DIMENSION, START, row


@pytest.fixture
def index() -> NamespaceIndex:
    made = FlatIndex(DIMENSION)
    made.upsert(
        [
            row(
                1,
                "a",
                speaker="Ada",
                role="user",
                pinned=True,
                metadata={"topic": "boats", "stars": 3, "tags": ["x", "y"]},
            ),
            row(2, "b", speaker="Bob", role="user", metadata={"topic": "cats", "stars": 5.0, "deep": {"er": True}}),
            row(3, "c", role="assistant", session="s2", source="import", metadata={"stars": "5"}),
        ]
    )
    return made


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"speaker": "Ada"}, {"m1"}),
        ({"speaker": {"ne": "Ada"}}, {"m2", "m3"}),
        ({"speaker": {"in": ["Ada", "Bob"]}}, {"m1", "m2"}),
        ({"speaker": {"nin": ["Ada"]}}, {"m2", "m3"}),
        ({"speaker": {"exists": False}}, {"m3"}),
        ({"role": "user", "speaker": {"contains": "b"}}, {"m2"}),
        ({"session_id": "s2"}, {"m3"}),
        ({"source": {"exists": True}}, {"m3"}),
        ({"pinned": True}, {"m1"}),
        ({"pinned": {"ne": True}}, {"m2", "m3"}),
        ({"metadata.stars": {"gte": 3}}, {"m1", "m2"}),
        ({"metadata.stars": {"gt": 3, "lt": 9}}, {"m2"}),
        ({"metadata.stars": "5"}, {"m3"}),
        ({"metadata.tags": {"contains": "y"}}, {"m1"}),
        ({"metadata.deep.er": True}, {"m2"}),
        ({"metadata.deep.er": 1}, set()),
        ({"metadata.nowhere": {"exists": True}}, set()),
        ({"timestamp": {"gt": (START + timedelta(minutes=1)).isoformat()}}, {"m2", "m3"}),
        ({"timestamp": {"lte": "2025-03-01T09:01:00Z"}}, {"m1"}),
        ({"timestamp": {"in": ["2025-03-01T09:02:00"]}}, {"m2"}),
        ({"or": [{"speaker": "Ada"}, {"role": "assistant"}]}, {"m1", "m3"}),
        ({"and": [{"role": "user"}, {"not": {"speaker": "Ada"}}]}, {"m2"}),
    ],
)
def test_a_filter_keeps_what_fulfils_it(index: NamespaceIndex, spec: dict[str, Any], expected: set[str]) -> None:
    kept = parse(spec)
    assert kept is not None
    assert {index.id_of(at) for at in range(index.size) if kept.mask(index)[at]} == expected


def test_no_filter_is_none() -> None:
    assert parse(None) is None


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({}, "filters"),
        ({"colour": "red"}, "filters.colour"),
        ({"metadata.": 1}, "filters.metadata."),
        ({"speaker": {"like": "A%"}}, "filters.speaker.like"),
        ({"speaker": {}}, "filters.speaker"),
        ({"speaker": 3}, "filters.speaker"),
        ({"speaker": {"in": "Ada"}}, "filters.speaker.in"),
        ({"and": {"speaker": "Ada"}}, "filters.and"),
        ({"or": []}, "filters.or"),
        ({"or": [{"speaker": "Ada"}, {"x": 1}]}, "filters.or[1].x"),
        ({"not": []}, "filters.not"),
        ({"pinned": "yes"}, "filters.pinned"),
        ({"timestamp": "yesterday"}, "filters.timestamp"),
        ({"timestamp": {"contains": "2025"}}, "filters.timestamp.contains"),
        ({"metadata.a": {"exists": 1}}, "filters.metadata.a.exists"),
        ({"metadata.a": {"eq": None}}, "filters.metadata.a.eq"),
    ],
)
def test_what_is_wrong_is_named(spec: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        parse(spec)
    assert caught.value.field == path


def nested(depth: int) -> dict[str, Any]:
    return {"not": nested(depth - 1)} if depth > 1 else {"speaker": "Ada"}


def test_depth_and_size_are_limited() -> None:
    assert parse(nested(5)) is not None
    with pytest.raises(LimitExceededError):
        parse(nested(6))
    many = {"or": [{"speaker": str(n)} for n in range(33)]}
    with pytest.raises(LimitExceededError):
        parse(many)
    assert parse({"or": many["or"][:32]}) is not None
