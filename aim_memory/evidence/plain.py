"""Text as one plain line: markdown marks and line breaks taken out, words untouched."""

from __future__ import annotations

import re
from functools import lru_cache

_MARKUP: tuple[tuple[re.Pattern[str], str], ...] = (  # no text takes any of them more than about linear time
    (re.compile(r"^[^\S\n]*+(?:```|~~~)[^\n]*$", re.MULTILINE), " "),  # fences; what they enclose stays
    # links and images keep their words
    (re.compile(r"!?\[([^\[\]\n]*)\]\([^)\s]{0,2000}+(?:\s+\"[^\"\n]*\")?\)"), r"\1"),
    (
        re.compile(r"^\s{0,3}(?:#{1,6}\s+|>\s?|[-*+•]\s+|\|)", re.MULTILINE),
        "",
    ),  # headings, quotes, bullets, table edges
    (re.compile(r"^[^\S\n]*+(?:[-*_=][^\S\n]*+){3,}+$", re.MULTILINE), " "),  # rules
    (re.compile(r"^(?=[^\n]*---)(?:[^\S\n]|[|:-])++$", re.MULTILINE), " "),  # table heads
    (re.compile(r"(\*\*|__|~~)(?=\S)(.{1,500}?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])"), r"\1"),
    (re.compile(r"`([^`\n]+)`"), r"\1"),
    (re.compile(r"\|[^\S\n]*+$", re.MULTILINE), " "),  # table edges on the right
    (re.compile(r"\s+"), " "),
)
_MARKED = re.compile(r"[`*|#>•_~=\[]|^(?:\s{0,3}|[^\S\n]*+)[-+]|---", re.MULTILINE)
"""Stands wherever one of the marks above may; most of what people say has nothing of it."""


def plain(text: str) -> str:
    """``text`` on one line, without markdown marks. Every word that is left was in the text, in this order."""
    if not _MARKED.search(text):
        return " ".join(text.split())
    for pattern, kept in _MARKUP:
        text = pattern.sub(kept, text)
    return text.strip()


plainly = lru_cache(maxsize=8192)(plain)
"""The same for stretches that come again from question to question."""
