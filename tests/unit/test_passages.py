"""What is embedded of a memory."""

from __future__ import annotations

import pytest

from aim_memory.ingest.segments import passage

LONG = "We met the builders this morning, and they want three weeks for the roof and the gutters. " * 2


@pytest.mark.parametrize(
    ("speaker", "text", "embedded"),
    [
        ("Ada", "I live in Porto.", "Ada: I live in Porto."),
        (None, "I live in Porto.", "I live in Porto."),
        ("User", "I live in Porto.", "I live in Porto."),
        ("用户", "我住在波尔图。", "我住在波尔图。"),
        ("user", LONG, f"user: {LONG}"),
        ("assistant", "You live in Porto.", "assistant: You live in Porto."),
    ],
)
def test_who_says_it_is_embedded_unless_it_is_a_brief_fact_of_nobody_in_particular(
    speaker: str | None, text: str, embedded: str
) -> None:
    assert passage(speaker, text) == embedded
