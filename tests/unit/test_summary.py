"""The line that stands for a memory."""

import pytest

from aim_memory.evidence.plain import plain
from aim_memory.evidence.summary import SUMMARY_WORDS, summarise, summary_spans, words

LONG = (
    "Sure, happy to help! There are many ways to think about hosting and all of them have merits. "
    "The cheapest offer came from Kastell at 176 euros a month without backups. Nordhaven asks 198 euros with backups. "
    "Would you like me to compare them in detail? Let me know what matters most to you, and I will prepare a table of "
    "all the points that we have talked about so far, with sources."
)


def test_a_short_text_is_its_own_summary() -> None:
    assert summarise("I pay $1,480 a month.\nWater included.") == "I pay $1,480 a month. Water included."


def test_a_long_text_keeps_its_facts_and_drops_its_courtesies() -> None:
    summary = summarise(LONG)
    assert "176" in summary
    assert "198" in summary
    assert "happy to help" not in summary
    assert words(summary) <= SUMMARY_WORDS


def test_chinese_is_summarised_by_sentences_too() -> None:
    text = "好的，没问题。" + "今天天气不错，我们聊了很多有意思的事情，也喝了茶。" * 4 + "房租每月3600元，押一付三。"
    assert "3600" in summarise(text)
    assert words(summarise(text)) <= SUMMARY_WORDS


def test_code_is_not_what_a_memory_is_about() -> None:
    text = "My deploy fails since Monday with error 502.\n```\n" + "x = compute(y)\n" * 60 + "```\n"
    assert summarise(text) == "My deploy fails since Monday with error 502."


def test_one_endless_sentence_is_cut_between_words_and_says_so() -> None:
    summary = summarise("word " * 200)
    assert summary.endswith("…")
    assert words(summary) <= SUMMARY_WORDS


@pytest.mark.parametrize(
    ("marked", "bare"),
    [
        ("# Plan\n\n- **first** step\n- `second` step", "Plan first step second step"),
        ("see [the docs](https://example.com/a) and ![a cat](cat.png)", "see the docs and a cat"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a | b 1 | 2"),
        ("2 * 3 * 4 and snake_case_name", "2 * 3 * 4 and snake_case_name"),
        ("```python\nprint(1)\n```", "print(1)"),
    ],
)
def test_markdown_is_taken_out_and_words_stay(marked: str, bare: str) -> None:
    assert plain(marked) == bare


@pytest.mark.parametrize("text", ["", "  \n ", "。。。", "```\n```"])
def test_texts_without_words_give_a_short_line(text: str) -> None:
    assert len(summarise(text)) <= len(text)
    assert len(summary_spans(text)) <= 1
