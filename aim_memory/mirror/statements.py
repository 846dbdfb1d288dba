"""Statements: the single-valued facts that a memory asserts."""

from __future__ import annotations

import re
from collections.abc import Sequence

from aim_memory.text import fold, is_question
from aim_memory.types import Anchor, Statement

_RULES = (
    ("home", re.compile(r"\bi (?:moved to|now live in|live in) ([a-z][a-z ]{1,40}?)(?= (?:last|in|on|with|and|now)\b|[.,!;]|$)")),
    ("employer", re.compile(r"\bi (?:now )?work (?:at|for) ([a-z0-9][a-z0-9 &]{1,40}?)(?= (?:as|now|since|and)\b|[.,!;]|$)")),
    ("home", re.compile(r"我(?:现在)?(?:搬到|住在)了?([\u4e00-\u9fff]{2,8}?)(?=了|[，。！,.!]|$)")),
    ("employer", re.compile(r"我现在在([\u4e00-\u9fff]{2,10}?)(?:上班|工作)")),
)


def statements(
    text: str, *, speaker: str | None, role: str | None, anchors: Sequence[Anchor] | None = None
) -> tuple[Statement, ...]:
    """What ``text`` asserts; nothing for an assistant or a question."""
    if role == "assistant" or is_question(text):
        return ()
    folded, subject = fold(text), fold(speaker or "user")
    return tuple(
        Statement(subject, attribute, match[1].strip()) for attribute, rule in _RULES for match in rule.finditer(folded)
    )
