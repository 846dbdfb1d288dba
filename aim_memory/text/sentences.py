"""Sentence boundaries where punctuation marks them, in any mix of scripts; Thai, which has no marks, stays whole."""

from __future__ import annotations

import re

_ABBREVIATIONS = frozenset(
    "mr mrs ms dr prof sr jr st no vs etc inc ltd co corp approx dept est fig vol al eg ie e.g i.e a.m p.m u.s u.k "
    "jan feb mar apr jun jul aug sep sept oct nov dec "
    "z.b d.h u.a bzw ca nr str usw ggf inkl sra srta ud uds avda "
    "ул кв стр руб тыс млн млрд др т.е т.д т.п обл".split()
)
"""In lower case and without their last period: English, German, Spanish, Russian."""
_MAY_END = frozenset("a.m p.m etc usw ca руб тыс млн др т.д т.п".split())
"""Those after which a capital begins a sentence."""
_GERMAN_MONTH = re.compile(
    r"\s(?:Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember)\b"
)
"""What shows that a period makes an ordinal of the number before it: "am 8. April"."""
_BREAK = re.compile(  # a run of marks is judged once, from its start: no text takes more than linear time
    r"(?<![.!?…])[.!?…]++[\"'”’)\]]*+(?=\s)"  # Latin: the mark, closing quotes, then space
    r"|[。！？；!?…؟۔।]+[”’」』）\"]*"  # Chinese, Arabic and Hindi marks need no space
    r"|\n\s*"
)
_LAST_WORD = re.compile(r"[\w.]+$")


def sentences(text: str) -> list[tuple[int, int]]:
    """Spans (start, end) of the sentences of a text, in order, without surrounding white space, none empty.

    Abbreviations ("Dr."), initials ("J. Smith"), decimals and "3 p.m. today" do not end a sentence.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for found in _BREAK.finditer(text):
        if _ends(text, start, found):
            _keep(text, start, found.end(), spans)
            start = found.end()
    _keep(text, start, len(text), spans)
    return spans


def _ends(text: str, start: int, found: re.Match[str]) -> bool:
    if found.group().rstrip("\"'”’)]") != ".":
        return True
    word = _LAST_WORD.search(text, max(start, found.start() - 24), found.start())
    before = word.group().lower() if word else ""
    if before in _ABBREVIATIONS:
        return before in _MAY_END and text[found.end() :].lstrip()[:1].isupper()
    if before.isdigit() and len(before) < 3:
        return not _GERMAN_MONTH.match(text, found.end())
    return not (len(before) == 1 and before.isalpha() and before != "i")


def _keep(text: str, start: int, end: int, spans: list[tuple[int, int]]) -> None:
    stretch = text[start:end]
    left = start + len(stretch) - len(stretch.lstrip())
    right = start + len(stretch.rstrip())
    if left < right:
        spans.append((left, right))
