"""Symbols: acronyms (GPU, NASA) and the names of code (camelCase, snake_case, calls, files, flags, `quoted`)."""

from __future__ import annotations

import re

from aim_memory.anchors.surface import Surface
from aim_memory.types import Anchor

_CODE = re.compile(
    r"`[^`\n]{1,60}`|\b[A-Za-z][\w.-]*\.(?:py|js|ts|tsx|md|json|ya?ml|toml|txt|csv|pdf|docx?|xlsx?|sql|sh|java|cpp|go|rs|html|css)\b"
    r"|[A-Za-z_]\w*(?:\.\w+)*\(\)|\b[A-Za-z]+\w*_\w+|(?<![\w-])--[a-z][a-z0-9-]+|\b[a-z]{2,}(?:[A-Z][a-z0-9]+)+\b"
)
_ACRONYM = re.compile(r"[A-Z]{2,8}s?(?![A-Za-z0-9_'-])|[A-Z]&[A-Z]\b")
_NOT_ACRONYMS = frozenset(
    "OK AM PM LOL OMG BTW FYI ASAP IMO IMHO PS TBH AKA ETC VS NO YES NOT AND THE BUT SO MY WE IT IS TO IN ON OF FOR "
    "ALL YOU ARE WAS HAHA WOW OH HI HEY USD EUR GBP CNY RMB JPY HKD TWD KM KG GB MB TB KB".split()
)
_SHOUTED = 0.4


def find_symbols(surface: Surface) -> list[Anchor]:
    """Symbol anchors. Text that is mostly capitals is shouting and has no acronyms."""
    found = [_anchor(surface, match.start(), match.end()) for match in _CODE.finditer(surface.cased) if _fresh(surface, match)]
    acronyms = [match for match in _ACRONYM.finditer(surface.cased) if _acronym(surface, match)]
    if len(acronyms) <= 1 or len(acronyms) < _SHOUTED * len(surface.words) or surface.cjk:
        found += [_anchor(surface, match.start(), match.end()) for match in acronyms]
    return found


def _fresh(surface: Surface, match: re.Match[str]) -> bool:
    free = surface.free(*match.span())
    if free:
        surface.claim(*match.span())
    return free


def _acronym(surface: Surface, match: re.Match[str]) -> bool:
    before = surface.cased[match.start() - 1] if match.start() else " "
    glued = before.isascii() and (before.isalnum() or before in "_'-")
    return not glued and match.group() not in _NOT_ACRONYMS and surface.free(*match.span())


def _anchor(surface: Surface, start: int, end: int) -> Anchor:
    key = surface.lower[start:end].strip("`").removesuffix("()")
    if surface.cased[start : end - 1].isupper() and surface.cased[end - 1] == "s":
        key = key[:-1]
    return Anchor("symbol", key, surface.text[start:end], start, end)
