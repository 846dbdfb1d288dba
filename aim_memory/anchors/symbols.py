"""Symbols: acronyms (GPU, NASA) and the names of code (camelCase, snake_case, calls, files, flags, `quoted`)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from aim_memory.anchors.surface import Surface
from aim_memory.types import Anchor

_FILE = re.compile(
    r"\.(?:py|js|ts|tsx|md|json|ya?ml|toml|txt|csv|pdf|docx?|xlsx?|sql|sh|java|cpp|go|rs|html|css)(?![A-Za-z0-9_])"
)
_CUED = (
    ("`", re.compile(r"`[^`\n]{1,60}`")),
    ("()", re.compile(r"[A-Za-z_]\w{0,60}(?:\.\w{1,60}){0,4}\(\)")),
    ("_", re.compile(r"[A-Za-z]\w{0,60}_\w+")),
    ("--", re.compile(r"(?<![\w-])--[a-z][a-z0-9-]+")),
)
"""Patterns, each tried only where its mark occurs."""
_HUMP = re.compile(r"[a-z][A-Z]")
_CAMEL = re.compile(r"[a-z]{2,}(?:[A-Z][a-z0-9]+)+(?![A-Za-z0-9_])")
_STEM = re.compile(r"[A-Za-z][\w.-]*$")
_ACRONYM = re.compile(r"[A-Z]{2,8}s?(?![A-Za-z0-9_-]|'(?!s\b))|[A-Z]&[A-Z]\b")
_NOT_ACRONYMS = frozenset(
    "OK AM PM LOL OMG BTW FYI ASAP IMO IMHO PS TBH AKA ETC VS NO YES NOT AND THE BUT SO MY WE IT IS TO IN ON OF FOR "
    "ALL YOU ARE WAS HAHA WOW OH HI HEY USD EUR GBP CNY RMB JPY HKD TWD KM KG GB MB TB KB".split()
)
_SHOUTED = 0.5
_FEW = 3


def find_symbols(surface: Surface) -> list[Anchor]:
    """Symbol anchors. Text that is mostly capitals is shouting and has no acronyms."""
    found = []
    for start, end in (*_code(surface.cased), *_acronyms(surface)):
        if surface.free(start, end):
            surface.claim(start, end)
            found.append(_anchor(surface, start, end))
    return found


def _code(cased: str) -> Iterator[tuple[int, int]]:
    for mark, pattern in _CUED:
        if mark in cased:
            yield from (match.span() for match in pattern.finditer(cased))
    for match in _FILE.finditer(cased):
        stem = _STEM.search(cased, max(0, match.start() - 40), match.start())
        if stem:
            yield stem.start(), match.end()
    for match in _HUMP.finditer(cased):
        start = match.start()
        while start and cased[start - 1].islower() and cased[start - 1].isascii():
            start -= 1
        camel = None if start and cased[start - 1].isalnum() else _CAMEL.match(cased, start)
        if camel:
            yield camel.span()


def _acronyms(surface: Surface) -> Iterator[tuple[int, int]]:
    capitals = list(_ACRONYM.finditer(surface.cased))
    if _FEW <= len(capitals) > _SHOUTED * len(surface.words) and not surface.cjk:
        return
    for match in capitals:
        before = surface.cased[match.start() - 1] if match.start() else " "
        glued = before.isascii() and (before.isalnum() or before in "_'-")
        if not glued and match.group() not in _NOT_ACRONYMS:
            yield match.span()


def _anchor(surface: Surface, start: int, end: int) -> Anchor:
    key = surface.lower[start:end].strip("`").removesuffix("()")
    plural = surface.cased[start : end - 1].isupper() and surface.cased[end - 1] == "s"
    return Anchor("symbol", key[:-1] if plural else key, surface.text[start:end], start, end)
