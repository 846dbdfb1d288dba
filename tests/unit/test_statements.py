"""What is read as a statement: whose, of what, with which value."""

from datetime import UTC, datetime

import pytest

from aim_memory.anchors import extract
from aim_memory.mirror import statements
from aim_memory.types import Statement

REFERENCE = datetime(2026, 3, 18, 9, tzinfo=UTC)


def read(text: str, *, speaker: str | None = "Ada", role: str | None = "user") -> list[tuple[str, str, str]]:
    found: tuple[Statement, ...] = statements(
        text, speaker=speaker, role=role, anchors=extract(text, reference=REFERENCE)
    )
    return [(one.subject, one.attribute, one.value) for one in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I moved to Bristol last week.", ("ada", "home", "bristol")),
        ("My sister works for Delta Freight.", ("ada's sister", "employer", "delta freight")),
        ("Marta works at Redwood Press now.", ("marta", "employer", "redwood press")),
        ("The dentist appointment is moved to 4pm.", ("ada: dentist appointment", "time", "16:00")),
        ("Book club now meets on Thursdays at 6:30pm.", ("ada: book club", "time", "thursday 18:30")),
        ("The quote for the roof is $5,200.", ("ada: roof quote", "price", "5200")),
        ("My work phone number is 555-0134.", ("ada", "phone work", "tel:5550134")),
        ("Can you remember that book club is on Tuesdays at 7 pm?", ("ada: book club", "time", "tuesday 19:00")),
        ("我换工作了，现在在云帆科技上班。", ("ada", "employer", "云帆科技")),
        ("牙医预约改到周五上午十点了。", ("ada: 牙医预约", "time", "friday 10:00")),
        ("房租漲到３６００元了。", ("ada: 房租", "price", "3600")),
        ("我哥哥搬到珠海了。", ("ada's 哥哥", "home", "珠海")),
    ],
)
def test_one_fact(text: str, expected: tuple[str, str, str]) -> None:
    assert read(text) == [expected]


@pytest.mark.parametrize("role", ["assistant", "system", "tool"])
def test_only_people_state_facts(role: str) -> None:
    assert read("I moved to Bristol.", role=role) == []


def test_an_unknown_speaker_is_the_user() -> None:
    assert read("I moved to Bristol.", speaker=None, role=None) == [("user", "home", "bristol")]


def test_several_facts_in_one_turn() -> None:
    found = read("I moved to Bristol. I work at Lumen Robotics now, and my rent is $900.")
    assert {attribute for _, attribute, _ in found} == {"home", "employer", "price"}


@pytest.mark.parametrize(
    ("text", "closes"),
    [
        ("The meeting is at 3pm.", False),
        ("The meeting is now at 3pm.", True),
        ("The dentist appointment is at 3pm.", True),
        ("The rent is $900.", True),
        ("会议是下午三点。", False),
        ("会议改到下午三点了。", True),
    ],
)
def test_a_thing_of_a_common_name_needs_a_word_of_change(text: str, closes: bool) -> None:
    (found,) = statements(text, speaker="Ada", role="user", anchors=extract(text, reference=REFERENCE))
    assert found.closes is closes


def test_the_last_word_on_an_attribute_counts() -> None:
    assert read("My email is a@example.com. Sorry, my email is b@example.com.") == [("ada", "email", "b@example.com")]


@pytest.mark.parametrize(
    "text",
    [
        "艾玛·斯通 职业：演员",
        "故宫 电话：010-55550123",
        "小王跳槽了，现在在云帆科技上班。",
        "He moved to Bristol.",
        "One of my favourite books is Dune.",
        "I like Bristol.",
        "",
    ],
)
def test_nothing_about_the_speaker(text: str) -> None:
    assert [found for found in read(text) if found[0] == "ada"] == []
