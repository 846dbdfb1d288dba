"""Definitions: "X is a Y", "X means Y", "X stands for Y", "X 是 Y" in short clauses.

The key joins both sides; the slot is X. A clause about a pronoun, a question, and a negation define nothing.
"""

from __future__ import annotations

import re

from aim_memory.anchors.surface import Surface
from aim_memory.types import Anchor

_ENGLISH = re.compile(
    r"(?:^|(?<=[.!?;:\n] )|(?<=\n))(?:an? |the )?(?P<subject>[a-z0-9][\w'+-]*(?: [\w'+-]+){0,3}?)"
    r" (?:(?:is|are) (?:an?|the|called|defined as)|means?|stands? for|refers? to) "
    r"(?P<object>[^.!?;\n,]{2,80})(?P<mark>.?)"
)
_CHINESE = re.compile(
    r"(?:^|(?<=[。!?;,\n ，；！？]))(?P<subject>[^，。,!?;；！？\s是的]{1,12}?)(?:是指|指的是|就是|是|"
    r"叫做)(?:一?[种个位家款名座部本])?(?P<object>[^，。,!?;；！？\n]{2,30})(?P<mark>.?)"
)
_NOT_SUBJECTS = frozenset(
    "it this that there he she they we i you here what who which where when why how if and but so or because what's "
    "that's all one next then last everything something nothing anything these those".split()
)
_CJK_NOT_SUBJECT = re.compile(
    r"不知|^[我你您他她它这那哪谁什怎咱]|[不还但可于总也都只要算像真正更倒老凡若或就]$|时候|如果|因为|今天|昨天|明天"
)
_CJK_NOT_OBJECT = re.compile(r"什么|谁|哪|吗$|呢$|多少|[的了吧啊呀]$")


def find_definitions(surface: Surface) -> list[Anchor]:
    """Definition anchors, in no order; they may hold anchors of other kinds."""
    found = []
    if " is " in surface.lower or " are " in surface.lower or " mean" in surface.lower or " stand" in surface.lower:
        found += [_anchor(surface, match) for match in _ENGLISH.finditer(surface.lower) if _english(match)]
    if surface.cjk and "是" in surface.lower:
        found += [_anchor(surface, match) for match in _CHINESE.finditer(surface.lower) if _chinese(match)]
    return found


def _english(match: re.Match[str]) -> bool:
    words = match["subject"].split()
    return match["mark"] != "?" and not _NOT_SUBJECTS & {words[0], words[-1]} and not match["object"].startswith("not ")


def _chinese(match: re.Match[str]) -> bool:
    asked = match["mark"] in {"?", "？"} or _CJK_NOT_OBJECT.search(match["object"])
    return not asked and not _CJK_NOT_SUBJECT.search(match["subject"])


def _anchor(surface: Surface, match: re.Match[str]) -> Anchor:
    start, end = match.start("subject"), match.end("object")
    subject, defined = match["subject"], match["object"].strip()
    return Anchor("definition", f"{subject} = {defined}", surface.text[start:end], start, end, slot=subject)
