"""Slots: the head noun that a number is the value of, when the text says so right beside it.

"the 10M-token model" → model, "the rent is $1,200" → rent, "costs $300" → price, "三只猫" → 猫.
A wrong slot would invent conflicts, so anything less plain stays without one.
"""

from __future__ import annotations

import re

from aim_memory.anchors.surface import Surface
from aim_memory.anchors.units import UNITS

_NOT_NOUNS = frozenset(
    "the a an and or but of in on at to for from with by as is are was were be been am do did does has have had will "
    "would can could should may might must not no so too very more less than then that this these those it its he she "
    "they we you i me him her us them my your his our their who what when where why how which each every all both some "
    "any other another such only just also about around over under near off out up down after before later ago away "
    "old new big small long short high low good great nice extra total different now again per if because while since "
    "until till during last next yesterday today tomorrow tonight here there now ever never always often once twice "
    "plus minus times half am pm went got made took said left came ran paid cost into onto without within".split()
)
_AFTER = re.compile(r"[ -]([a-z]{3,})\b")
_LEAD = r" (?:a |an |the |now |only |just |about |around |over |under |at |exactly |roughly |still ){0,2}[\"'(]?$"
_COPULA = re.compile(
    r"\b([a-z]{3,})(?: (?:of|for|on|in|at) (?:[a-z'-]+ ?){1,4})?(?: ?[:=]| (?:is|was|are|were|is now|stands at"
    rf"|went up to|rose to|fell to|dropped to|moved to|changed to)){_LEAD}"
)
_HOLDER = re.compile(rf"\b([a-z]{{3,}}) (?:of|has|with){_LEAD}")
_LABEL = re.compile(
    r"\b(room|chapter|gate|bus|line|page|unit|flat|apartment|floor|platform|version|seat|route|building) (?:no\.? "
    r"?)?#?$"
)
_VERBS = re.compile(
    r"\b(costs?|paid|pay|pays|weighs?|weighed|earns?|earning)(?: (?:me|him|her|us|them|about|around|only|just)){0,2} $"
)
_VERB_SLOTS = {"cost": "price", "paid": "price", "pay": "price", "weigh": "weight", "earn": "salary"}
_CJK_BEFORE = re.compile(
    r"([\u4e00-\u9fff]{2})(?:现在|目前|已经|大概|差不多|才|就)?(?:是|为|:|：|涨到了?|降到了?|升到了?|改成了?|改到了?|"
    r"变成了?|达到了?|共)(?:大约|大概|约|每月)? ?[¥$]?$"
)
_CJK_CLASSIFIED = re.compile(
    r"[个只条张本台辆家位件栋间套双杯瓶碗份部首颗棵把支封场种项座]的?([\u4e00-\u9fff]{1,2})(?=[,。，；;!！?？、的在是了和都]|$)"
)
_CJK_NOT_NOUNS = re.compile(r"[的了在是和都吧吗呢啊左右上下以之前后多半来就也还不没有可能要会]")


def slot(surface: Surface, start: int, end: int, *, measured: bool = False) -> str | None:
    """The slot of a number at ``[start, end)``: the noun it is said of, the noun it counts, or the noun that has it.

    A ``measured`` amount ("10 km") counts no noun unless a hyphen joins them ("a 10-km run").
    """
    window = surface.lower[max(0, start - 60) : start]
    said = _said_of(window, surface.cjk)
    if said or (measured and "-" not in surface.lower[start:end]):
        return said
    return after(surface, end) or _noun(_HOLDER.search(window))


def _said_of(window: str, cjk: bool) -> str | None:
    if not window:
        return None
    if window[-1] in " :=(#":
        verb = _VERBS.search(window)
        if verb:
            return next(noun for stem, noun in _VERB_SLOTS.items() if verb[1].startswith(stem))
        return _noun(_COPULA.search(window) or _LABEL.search(window))
    return _chinese_noun(_CJK_BEFORE.search(window[-16:])) if cjk else None


def after(surface: Surface, end: int) -> str | None:
    """The noun that a number before it counts or qualifies."""
    match = _AFTER.match(surface.lower, end)
    if match:
        return None if match[1].endswith("ly") else _noun(match)
    return _chinese_noun(_CJK_CLASSIFIED.match(surface.lower, end)) if surface.cjk else None


def _noun(match: re.Match[str] | None) -> str | None:
    if not match or match[1] in _NOT_NOUNS or match[1] in UNITS:
        return None
    return _singular(match[1])


def _chinese_noun(match: re.Match[str] | None) -> str | None:
    return match[1] if match and not _CJK_NOT_NOUNS.search(match[1]) else None


def _singular(noun: str) -> str:
    if noun.endswith("ies") and len(noun) > 4:
        return noun[:-3] + "y"
    return noun[:-1] if noun.endswith("s") and not noun.endswith(("ss", "us", "is")) else noun
