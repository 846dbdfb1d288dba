"""What an index keeps of a segment, and what a question looks for in it."""

from __future__ import annotations

from collections import Counter

from aim_memory.text.changes import tells_change
from aim_memory.text.concepts import notions
from aim_memory.text.questions import is_question
from aim_memory.text.terms import pieces, read
from aim_memory.types import ASKS, CHANGES

PIECE_WEIGHT = 0.25
"""Of a shared piece of a word: four count as much as a shared word."""


def index_terms(text: str) -> dict[str, int]:
    """The terms of a segment, pieces of them, the notions they touch, and the marks ``ASKS`` if it ends by asking
    something and ``CHANGES`` if it speaks of a change."""
    reading = read(text)
    terms = dict(Counter(reading.tokens))
    terms.update(dict.fromkeys(pieces(reading) | notions(text), 1))
    if is_question(text):
        terms[ASKS] = 1
    if tells_change(text):
        terms[CHANGES] = 1
    return terms


def question_terms(text: str, notion_weight: float) -> dict[str, float]:
    """The terms of a question with weight 1, pieces with ``PIECE_WEIGHT``, notions with ``notion_weight`` if any."""
    reading = read(text)
    terms = dict.fromkeys(pieces(reading), PIECE_WEIGHT)
    terms |= dict.fromkeys(reading.tokens, 1.0)
    return {**terms, **dict.fromkeys(notions(text), notion_weight)} if notion_weight else terms
