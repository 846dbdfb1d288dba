"""Text as one plain line: markdown marks and line breaks taken out, words untouched."""

from __future__ import annotations

import re

_MARKUP: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^\s*(?:```|~~~)[^\n]*$", re.MULTILINE), " "),  # fences; what they enclose stays
    (re.compile(r"!?\[([^\]\n]*)\]\([^)\s]*(?:\s+\"[^\"\n]*\")?\)"), r"\1"),  # links and images keep their words
    (re.compile(r"^\s{0,3}(?:#{1,6}\s+|>\s?|[-*+•]\s+|\|)", re.MULTILINE), ""),  # headings, quotes, bullets, table edges
    (re.compile(r"^\s*(?:[-*_=]\s*){3,}$|^[\s|:-]*-{3,}[\s|:-]*$", re.MULTILINE), " "),  # rules, table heads
    (re.compile(r"(\*\*|__|~~)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])"), r"\1"),
    (re.compile(r"`([^`\n]+)`"), r"\1"),
    (re.compile(r"\s*\|\s*(?=\n|$)"), " "),
    (re.compile(r"\s+"), " "),
)


def plain(text: str) -> str:
    """``text`` on one line, without markdown marks. Every word that is left was in the text, in this order."""
    for pattern, kept in _MARKUP:
        text = pattern.sub(kept, text)
    return text.strip()
