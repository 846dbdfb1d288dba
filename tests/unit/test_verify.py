"""Values of an answer against the evidence."""

from datetime import timedelta

import pytest

from aim_memory.answer import verify
from tests.evidence import NOON, block

BLOCKS = [
    block("model", "The model reads 10M tokens at once, and yesterday's build cost $3,200."),
    block("beta", "The Kettle beta is due on 18 April. Marek does my books. Mail to ada@example.com."),
    block("cat", "年糕 5.8 公斤。", speaker="林悦"),
]
LATER = NOON + timedelta(days=500)


def unsupported(answer: str) -> list[str]:
    return [anchor.text for anchor in verify(answer, BLOCKS, reference=LATER).unsupported]


@pytest.mark.parametrize(
    "answer",
    [
        "It reads ten million tokens [1].",
        "The build was on 5 March 2025 and cost 3.2k dollars.",
        "The beta is due on 18 April 2025, says Ada.",
        "It is due 18 April.",
        "Marek keeps the books; write to ada@example.com.",
        "She said so on 6 March 2025.",
        "年糕有5.8公斤。",
        "The Kettle beta is due on 18 April.",
    ],
)
def test_what_the_evidence_holds_is_supported_in_any_form(answer: str) -> None:
    assert unsupported(answer) == []


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ("It reads 128K tokens.", ["128K tokens"]),
        ("The build cost $4,100.", ["$4,100"]),
        ("The beta is due on 9 May 2025.", ["9 May 2025"]),
        ("Write to bob@example.com.", ["bob@example.com"]),
        ("The books are done by Roderick Usher.", ["Roderick Usher"]),
        ("年糕有7.2公斤。", ["7.2公斤"]),
    ],
)
def test_what_it_does_not_hold_is_named(answer: str, wrong: list[str]) -> None:
    assert unsupported(answer) == wrong


def test_offsets_are_into_the_answer() -> None:
    answer = "First line.\nThe build cost $4,100, not $3,200."
    verified = verify(answer, BLOCKS, reference=LATER)
    for anchor in (*verified.supported, *verified.unsupported):
        assert answer[anchor.start : anchor.end] == anchor.text


def test_relative_dates_of_an_answer_count_from_now_unless_they_repeat_the_evidence() -> None:
    assert unsupported("It was built three weeks ago.") == ["three weeks ago"]
    assert unsupported("The build was yesterday, says the memory.") == []
