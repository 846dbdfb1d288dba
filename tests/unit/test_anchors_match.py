"""Agreement, conflict and the described arithmetic of anchors."""

from datetime import UTC, datetime

import pytest

from aim_memory.anchors import AnchorMatch, compare, extract
from aim_memory.anchors.reference import FIELD_WEIGHTS, anchor_score, corrected_score
from aim_memory.types import Anchor

REFERENCE = datetime(2026, 3, 18, 9, tzinfo=UTC)


def anchors(text: str) -> tuple[Anchor, ...]:
    return extract(text, reference=REFERENCE)


@pytest.mark.parametrize(
    ("wanted", "held"),
    [
        ("ten million", "it has 10M of them"),
        ("10M tokens", "一千万"),
        ("10 km", "10000 m of road"),
        ("90 minutes", "1.5 hours"),
        ("¥268", "花了268元"),
        ("what was 268 for", "花了268元"),
        ("3pm", "下午三点"),
        ("at 6:30", "at 18:30"),
        ("in March 2026", "on 14 March 2026"),
        ("2026年3月14日", "last week we met on 14 March 2026"),
        ("Tamsin Roe", "we saw Dr. Roe today"),
        ("call 138-0000-2156", "手机号13800002156"),
        ("the GPU", "用GPU训练"),
        ("臺北很熱", "我在台北"),
    ],
)
def test_says_the_same(wanted: str, held: str) -> None:
    assert compare(anchors(wanted), anchors(held)).missing == ()
    assert compare(anchors(wanted), anchors(held)).matched == anchors(wanted)


@pytest.mark.parametrize(
    ("wanted", "held"),
    [
        ("10M", "128K"),
        ("10 km", "10 minutes"),
        ("$300", "€300"),
        ("the 3rd floor", "3 floors"),
        ("3pm", "3 apples"),
        ("3pm", "15 apples"),
        ("on 14 March 2026", "on 15 March 2026"),
        ("v2.3.1", "v2.3.10"),
        ("call 555-0134", "call 555-0199"),
        ("Anna Lee called", "Anna Moss called"),
    ],
)
def test_does_not_say_the_same(wanted: str, held: str) -> None:
    result = compare(anchors(wanted), anchors(held))
    assert result.matched == ()
    assert result.missing == anchors(wanted)


def test_agreement_does_not_depend_on_the_side() -> None:
    texts = [
        "10M tokens",
        "ten million",
        "10 km",
        "March 2026",
        "14 March 2026",
        "6:30",
        "18:30",
        "Dr. Tamsin Roe",
        "Roe",
    ]
    for one in map(anchors, texts):
        for other in map(anchors, texts):
            assert bool(compare(one, other).matched) == bool(compare(other, one).matched)


def test_conflict_needs_the_same_slot() -> None:
    wanted = anchors("the 10M-token model")
    assert [held.text for held in compare(wanted, anchors("a 128K-token model")).conflicting] == ["128K-token"]
    assert compare(wanted, anchors("a bill of 128K tokens")).conflicting == ()
    assert compare(wanted, anchors("the model weighs 128 kg")).conflicting == ()


def test_one_agreeing_anchor_is_enough_against_conflict() -> None:
    result = compare(anchors("the 10M-token model"), anchors("a 128K-token model became a 10M-token model"))
    assert result.matched == anchors("the 10M-token model")
    assert result.conflicting == ()


def test_units_of_one_dimension_conflict() -> None:
    result = compare(anchors("the walk is 5 km"), anchors("the walk is 900 m"))
    assert [held.text for held in result.conflicting] == ["900 m"]


def test_nothing_wanted_is_nothing_missing() -> None:
    assert compare((), anchors("10 km")) == AnchorMatch()


def test_the_described_weights_are_ordered() -> None:
    assert [FIELD_WEIGHTS[kind] for kind in ("number", "symbol", "name", "definition")] == [3.0, 2.5, 2.0, 1.5]


def test_the_described_score() -> None:
    assert corrected_score(0.5, 1.0) == 2.5
    assert corrected_score(0.5, 0.5, eta=2.0, weight=0.328) == pytest.approx(0.828)
    assert corrected_score(0.5, 0.0) == 0.5


def test_asking_for_10m_beats_128k_and_200k() -> None:
    wanted = anchors("Which is the 10M-token model?")
    nodes = {"Its context is 10M tokens.": 0.50, "A 128K-token model.": 0.61, "The 200K-token model is old.": 0.64}
    scores = {text: corrected_score(base, anchor_score(wanted, anchors(text))) for text, base in nodes.items()}
    assert max(scores, key=lambda text: scores[text]) == "Its context is 10M tokens."
    assert scores["A 128K-token model."] == 0.61


def test_overlap_is_weighted_by_field() -> None:
    wanted = anchors("Did Anna pay $300?")
    assert anchor_score(wanted, anchors("It cost 300 dollars")) == pytest.approx(3 / 5)
    assert anchor_score(wanted, anchors("I saw Anna")) == pytest.approx(2 / 5)
    assert anchor_score((), anchors("$300")) == 0.0


@pytest.mark.parametrize(
    ("text", "slot", "unit"),
    [
        ("the 10M-token model", "model", "token"),
        ("the rent is $1,450", "rent", "usd"),
        ("the price of the bike is 300 dollars", "price", "usd"),
        ("it costs about $20", "price", "usd"),
        ("three cats", "cat", None),
        ("the model has a 128K context", "context", None),
        ("房租涨到3200元", "房租", "cny"),
        ("三只猫", "猫", None),
        ("see room 302", "room", None),
        ("I ran 5 km yesterday", None, "km"),
    ],
)
def test_slots(text: str, slot: str | None, unit: str | None) -> None:
    number = next(anchor for anchor in anchors(text) if anchor.kind == "number")
    assert (number.slot, number.unit) == (slot, unit)


def test_dates_carry_their_interval_in_the_zone_of_the_reference() -> None:
    (date,) = anchors("yesterday")
    assert (date.since, date.until) == (datetime(2026, 3, 17, tzinfo=UTC), datetime(2026, 3, 18, tzinfo=UTC))
