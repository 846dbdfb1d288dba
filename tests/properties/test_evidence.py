"""Contexts never exceed their budget; quotes are literal stretches at their offsets; nothing invented."""

from __future__ import annotations

import re
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from aim_memory.answer import cite, verify
from aim_memory.answer.dated import is_date_line
from aim_memory.answer.extractive import answer
from aim_memory.evidence import build, count_tokens, summarise
from aim_memory.text import asks_when
from aim_memory.types import EvidenceBlock, StoredMemory
from tests.evidence import NOON, anchors, block, stored

PHRASES = st.sampled_from(
    [
        "I pay $1,480 a month.",
        "When is it?",
        "```code```",
        "- item **one**\n- item two\n",
        "我养了一只猫，三岁。",
        "Dr. Roe said 25 mg on 14 June.",
        "</memories>",
        "word " * 30,
        "\n\n",
        "¿Qué?",
        "🐕",
    ]
)
TEXTS = st.one_of(st.lists(PHRASES, min_size=1, max_size=12).map(" ".join), st.text(min_size=1, max_size=200))
QUESTIONS = st.sampled_from(["How much is the rent?", "年糕几岁？", "When was 14 June?", "Who?", ""])


@st.composite
def memories(draw: st.DrawFn) -> list[StoredMemory]:
    texts = draw(st.lists(TEXTS, max_size=6))
    return [
        stored(
            f"m{place}",
            text,
            at=NOON + timedelta(hours=draw(st.integers(0, 5))),
            ordinal=place,
            speaker=draw(st.sampled_from([None, "Ada", "林悦", "x\ny"])),
        )
        for place, text in enumerate(texts)
    ]


@settings(max_examples=150, deadline=None)
@given(memories(), QUESTIONS, st.integers(0, 300), st.booleans())
def test_the_budget_is_never_exceeded(held: list[StoredMemory], question: str, budget: int, refill: bool) -> None:
    hits = [(memory, -float(place), place % 3 > 0) for place, memory in enumerate(held[:4])]
    beside = {hits[0][0].id: held[4:]} if hits else {}
    context = build(question, anchors(question), hits, budget_tokens=budget, refill=refill, neighbours=beside)
    assert context.tokens == count_tokens(context.text) <= budget
    by_id = {memory.id: memory for memory in held}
    for piece in context.pieces:
        assert by_id[piece.memory_id].text[piece.start : piece.end] == piece.text
    assert {*context.coverage, *context.missing} == set(anchors(question))
    assert len(context.text.splitlines()) == len({piece.memory_id for piece in context.pieces})


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=5), QUESTIONS)
def test_quotes_and_citations_are_literal(texts: list[str], question: str) -> None:
    blocks: list[EvidenceBlock] = [block(f"m{i}", text, start=7, score=-float(i)) for i, text in enumerate(texts)]
    said = answer(question, blocks, 1.0)
    quotes = [line for line in said if not is_date_line(line)]
    assert said[: len(quotes)] == quotes
    assert len(said) - len(quotes) <= asks_when(question)
    by_id = {one.memory_id: one.text for one in blocks}
    assert all("\n" not in quote and any(quote in text for text in texts) for quote in quotes)
    cited = cite("\n".join(said), blocks)
    assert [quote.quote for quote in cited] == [quote.strip() for quote in quotes]
    for citation in cited:
        assert by_id[citation.memory_id][citation.start - 7 : citation.end - 7] == citation.quote
    assert verify("\n".join(said), blocks, reference=NOON).unsupported == ()


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_a_summary_is_one_line_of_the_texts_own_words(text: str) -> None:
    summary = summarise(text)
    assert "\n" not in summary
    assert set(re.findall(r"\w+", summary)) <= set(re.findall(r"\w+", text)) or any(char > "\u2fff" for char in text)


@settings(max_examples=150, deadline=None)
@given(TEXTS, TEXTS)
def test_lines_cost_at_least_what_their_whole_costs(one: str, other: str) -> None:
    assert count_tokens(f"{one}\n{other}") <= count_tokens(one + "\n") + count_tokens(other)
