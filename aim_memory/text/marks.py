"""What an index keeps of a segment, and what a question looks for in it."""

from __future__ import annotations

from aim_memory.text.concepts import notions
from aim_memory.text.questions import is_question
from aim_memory.text.terms import analyse
from aim_memory.types import ASKS


def index_terms(text: str) -> dict[str, int]:
    """The terms of a segment, the notions they touch, and the mark ``ASKS`` if it ends by asking something."""
    terms = analyse(text)
    terms.update(dict.fromkeys(notions(text), 1))
    if is_question(text):
        terms[ASKS] = 1
    return terms


def question_terms(text: str, notion_weight: float) -> dict[str, float]:
    """The terms of a question with weight 1, and the notions they touch with ``notion_weight``; 0 leaves those out."""
    terms = dict.fromkeys(analyse(text), 1.0)
    return {**terms, **dict.fromkeys(notions(text), notion_weight)} if notion_weight else terms
