"""Names of the people in a conversation, as the speaker field gives them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from aim_memory.text.fold import fold
from aim_memory.text.script import HAN, HANGUL, KANA, UNSPACED

ROLES = frozenset(
    "user assistant system tool human ai bot agent doc document kb note import function developer model me you "
    "用户 助手 助理 系统 客服 机器人".split()
)
"""Speaker values that say what somebody is, not who."""
PEOPLE = frozenset("user human customer 用户 用戶".split())
"""Roles of people, not of assistants, tools or documents."""
_GLUED = re.compile(f"[{HAN}{KANA}{HANGUL}{UNSPACED}]")


def participants(speakers: Iterable[str | None]) -> tuple[str, ...]:
    """The speakers that are names of somebody: no roles, no duplicates (folded), no lone letters or digits; sorted."""
    kept: dict[str, str] = {}
    for speaker in speakers:
        folded = fold(speaker.strip()) if speaker else ""
        if speaker and len(folded) > 1 and folded not in ROLES and any(map(str.isalpha, folded)):
            kept.setdefault(folded, speaker.strip())
    return tuple(kept[folded] for folded in sorted(kept))


def named(question: str, names: Iterable[str]) -> tuple[str, ...]:
    """Those of ``names`` that the question mentions, whole or by their first word ("Ada" for "Ada Lovelace")."""
    return tuple(name for name in names if _pattern((name,)).search(question))


def cut_names(question: str, names: Iterable[str]) -> str:
    """The question without the names (and the possessive "'s" on them), for embedding.

    A question that names a participant otherwise pulls the turns that address that person. If nothing but names and
    punctuation would be left, the question comes back unchanged.
    """
    known = tuple(names)
    if not known:
        return question
    cut = re.sub(r"\s+", " ", _pattern(known).sub(" ", question)).strip()
    return cut if any(map(str.isalnum, cut)) else question


@lru_cache(maxsize=4096)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    forms = {form for name in names for form in _forms(name)}
    ordered = sorted(forms, key=len, reverse=True)
    return re.compile("|".join(map(_bounded, ordered)), re.IGNORECASE)


def _forms(name: str) -> list[str]:
    words = name.split()
    first = words[0] if words else name
    return [name, first] if len(first) > 2 and fold(first) not in ROLES else [name]


def _bounded(form: str) -> str:
    if _GLUED.search(form):
        return re.escape(form)
    return rf"(?<!\w){re.escape(form)}(?!\w)(?:['’]s\b|['’](?=\s))?"
