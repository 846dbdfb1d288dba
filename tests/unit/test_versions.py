"""Likely versions of a fact, where no statement was read: which of two memories goes first."""

from __future__ import annotations

from typing import Any

import pytest

from aim_memory.config import AIMConfig
from aim_memory.storage.index import FlatIndex
from tests.rows import DIMENSION, row
from tests.unit.test_routing_retrieve import ask, ids

CHAT = (
    "The library opens on Saturdays",
    "Gwen waives fees for anybody who brings cake",
    "The cement mixer weighs far too much",
    "Priyanka paints the signs",
    "We store everything in the cellar",
    "Somebody borrowed the drill for a wedding",
    "The hosting costs us little",
    "Our committee met in the church hall",
)
OLD = "Please note: the loan of a ladder lasts 7 days"
NEW = "From now on, after much talk, the loan of a ladder lasts 10 days"
IS, WAS = "How many days does the loan of a ladder last?", "How many days did the loan of a ladder last originally?"
OFF = AIMConfig(version_lift=0)


def built(*told: tuple[str, dict[str, Any]]) -> FlatIndex:
    """The texts one after the other, then other things; said by Mara, a user, unless said otherwise."""
    index, texts = FlatIndex(DIMENSION), [*told, *((text, {}) for text in CHAT)]
    mara: dict[str, Any] = {"role": "user", "speaker": "Mara"}
    index.upsert([row(number, text, **mara | fields) for number, (text, fields) in enumerate(texts, start=1)])
    return index


LOANS = built((OLD, {}), (NEW, {}))


def test_without_the_lift_the_closer_wording_is_first() -> None:
    assert ids(ask(LOANS, IS, OFF))[:2] == ["m1", "m2"]


def test_the_later_version_goes_first_and_parts_still_sum_to_the_score() -> None:
    ranking = ask(LOANS, IS)
    assert ids(ranking)[:2] == ["m2", "m1"]
    assert ranking.hits[0].parts["current"] > 0
    for hit in ranking.hits:
        assert sum(hit.parts.values()) == pytest.approx(hit.score, abs=1e-5)


def test_a_question_about_the_past_has_the_earlier_version_first() -> None:
    swapped = built((NEW.replace("10", "7"), {}), (OLD.replace("7", "10"), {}))
    assert ids(ask(swapped, WAS, OFF))[:2] == ["m2", "m1"]
    assert ids(ask(swapped, WAS))[:2] == ["m1", "m2"]


def test_nothing_is_said_to_be_superseded() -> None:
    assert all(hit.current and hit.superseded_by is None for hit in ask(LOANS, IS).hits)


@pytest.mark.parametrize(
    "question",
    [
        "Did the loan of a ladder last 7 days?",
        "Why does the loan of a ladder last so many days?",
        "How did the loan of a ladder change over time?",
        "loan of a ladder days",
    ],
)
def test_other_questions_keep_the_order(question: str) -> None:
    assert ids(ask(LOANS, question)) == ids(ask(LOANS, question, OFF))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"speaker": "Mara"}, {"speaker": "Gwen"}),
        ({"role": "assistant"}, {"role": "assistant"}),
        ({"role": None, "speaker": "library"}, {"role": None, "speaker": "library"}),
    ],
    ids=["two people", "an assistant", "documents"],
)
def test_only_what_one_person_said_has_versions(old: dict[str, Any], new: dict[str, Any]) -> None:
    everybody = {"role": None, "speaker": "library"} if old["role" if "role" in old else "speaker"] is None else {}
    index = FlatIndex(DIMENSION)
    texts = [(OLD, old), (NEW, new), *((text, everybody) for text in CHAT)]
    index.upsert([row(n, text, **{"role": "user", "speaker": "Mara"} | own) for n, (text, own) in enumerate(texts, 1)])
    assert ids(ask(index, IS)) == ids(ask(index, IS, OFF))


def test_the_same_value_told_again_changes_nothing() -> None:
    again = built((OLD, {}), ("After much talk, the loan of a ladder lasts 7 days", {}))
    assert ids(ask(again, IS)) == ids(ask(again, IS, OFF))


def test_a_value_of_another_unit_is_no_version() -> None:
    other = built((OLD, {}), ("From now on, after much talk, the loan of a ladder costs 10 euros", {}))
    assert ids(ask(other, IS)) == ids(ask(other, IS, OFF))


def test_chinese() -> None:
    others = ("牛奶放在冰箱里", "周末店里很忙", "阿杰负责收银", "窗户上周刚擦过", "门口的灯坏了")
    told = ("店里的拿铁卖26元,帮我写进菜单里", "牛奶贵了不少,店里的拿铁改卖29元", *others)
    index = built(*((text, {}) for text in told))
    assert ids(ask(index, "店里的拿铁卖多少钱?", OFF))[:2] == ["m1", "m2"]
    assert ids(ask(index, "店里的拿铁卖多少钱?"))[:2] == ["m2", "m1"]
    assert ids(ask(index, "店里的拿铁以前卖多少钱?"))[:2] == ["m1", "m2"]
