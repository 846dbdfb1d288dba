"""The date that a quote gives to a question for one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from aim_memory.answer import cite, verify
from aim_memory.answer.dated import date_line, is_date_line
from aim_memory.answer.extractive import answer
from aim_memory.answer.stretches import stretches
from aim_memory.types import EvidenceBlock

SAID = datetime(2024, 5, 13, 18, 30, tzinfo=UTC)  # a Monday
NOW = datetime(2025, 1, 1, tzinfo=UTC)


def told(text: str, id: str = "m1") -> EvidenceBlock:
    return EvidenceBlock(id, text, 0, len(text), 1.0, SAID, "Tom")


def line(question: str, text: str) -> str | None:
    blocks = [told(text)]
    return date_line(question, stretches(blocks)[0], blocks)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I signed the contract last Friday.", "Date: 10 May 2024"),
        ("I signed the contract last week.", "Date: 6 May 2024 to 12 May 2024"),
        ("I signed the contract last month.", "Date: April 2024"),
        ("I signed the contract last year.", "Date: the year 2023"),
        ("I signed the contract last winter.", "Date: December 2023 to February 2024"),
        ("I signed the contract on 2 May.", "Date: 2 May 2024"),
        ("I signed the contract on 2 May 2024.", None),
        ("I just signed the contract!", "Said on: 13 May 2024"),
    ],
)
def test_a_relative_date_is_resolved_at_the_time_it_was_said(text: str, expected: str | None) -> None:
    assert line("When did Tom sign the contract?", text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("上周五签了合同。", "日期：2024年5月10日"),
        ("上个月签了合同。", "日期：2024年4月"),
        ("去年签了合同。", "日期：2023年"),
        ("上周签了合同。", "日期：2024年5月6日至2024年5月12日"),
        ("2024年5月2号签了合同。", None),
        ("刚签了合同。", "说于：2024年5月13日"),
    ],
)
def test_and_in_chinese(text: str, expected: str | None) -> None:
    assert line("合同是什么时候签的？", text) == expected


def test_only_a_question_for_a_date_gets_one() -> None:
    assert line("What did Tom sign?", "I signed the contract last Friday.") is None


def test_the_best_quote_decides() -> None:
    blocks = [told("I signed the contract at last!"), told("The cat came home last Friday.", "m2")]
    assert answer("When did Tom sign the contract?", blocks, 0.9)[-1] == "Said on: 13 May 2024"


@pytest.mark.parametrize("said", ["last Friday", "last week", "last month", "last year", "last winter", "at last"])
def test_the_line_is_held_by_the_evidence_and_cites_nothing_more(said: str) -> None:
    blocks = [told(f"I signed the contract {said}."), told("In May and in 2023 we walked a lot.", "m2")]
    lines = answer("When did Tom sign the contract?", blocks[:1], 0.9)
    assert is_date_line(lines[-1])
    assert not verify("\n".join(lines), blocks, reference=NOW).unsupported
    assert [quote.quote for quote in cite("\n".join(lines), blocks)] == lines[:-1]


def test_a_date_that_names_its_memory_is_an_answer_like_others() -> None:
    assert not is_date_line("Date: 10 May 2024 [1]")
    assert not is_date_line("I signed the contract last Friday.")
