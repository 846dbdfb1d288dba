"""What kind of value does a question want, and does it want the one that holds now? English and Chinese."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from aim_memory.text.questions import about_past, asks_when

Wanted: TypeAlias = Literal["amount", "moment", "name", "thing"]
"""A number; a day or an hour; a person or a place; whatever else."""

_PRESENT = re.compile(r"\b(?:is|are|am|do|does|can|will)\b|\b(?:what|where|who|when|how)'s\b", re.IGNORECASE)
_PERFECT = re.compile(r"\b(?:has|have)\b", re.IGNORECASE)
_NOT_NOW = re.compile(
    r"\b(?:did|was|were|had|first|initial|previous|used to|ago|yesterday|why|change[ds]?|over time|history|ever|"
    r"last (?:year|month|week|summer|winter|spring|autumn|time)|in (?:19|20)\d\d|when (?:i|we|he|she|they))\b",
    re.IGNORECASE,
)
_ADVICE = re.compile(r"\bshould\b", re.IGNORECASE)
_MANNER = re.compile(r"\bhow (?:can|could|will|would|should|might|to)\b", re.IGNORECASE)
_NOT_NOW_ZH = re.compile(
    "一开始|一開始|刚开始|剛開始|第一次|第一期|去年|昨天|上次|上个月|上個月|为什么|為什麼|为何|為何|变化|變化|哪年|历史|歷史|[从從].{1,8}[开開]始"
)
_HAN = re.compile("[\u4e00-\u9fff]")
_MOMENT = re.compile(r"\bwhat time\b|\bdeadline\b|[什甚][么麼][时時][间間]|[几幾][点點]|日期", re.IGNORECASE)
_AMOUNT = re.compile(
    r"\bhow (?:many|much|long|far|old|high|big|fast|quickly|often|large|tall|heavy|warm|deep|wide)\b|\bpercent"
    r"|多少|[几幾]|多[长長久大高远遠宽寬重快]",
    re.IGNORECASE,
)
_NAME = re.compile(r"\b(?:who|whom|whose|where)\b|[谁誰]|哪[里裡儿兒位]", re.IGNORECASE)


def wanted(question: str) -> Wanted:
    """The kind of value that a question asks for."""
    if asks_when(question) or _MOMENT.search(question):
        return "moment"
    if _AMOUNT.search(question):
        return "amount"
    return "name" if _NAME.search(question) else "thing"


def about_now(question: str) -> bool:
    """True when a question wants how things stand, not what was, what changed or why.

    English says so by its tense: the present, and the perfect of what adds up ("how many have I read", not "where has
    she been"). Chinese has none: there whatever does not speak of the past is about now.
    """
    if about_past(question):
        return False
    if _HAN.search(question):
        return not _NOT_NOW_ZH.search(question)
    kind = wanted(question)
    if _MANNER.search(question):
        return False
    if _ADVICE.search(question):  # "what should I cook", but "what time should I be there" has an answer
        return kind in ("amount", "moment") and not _NOT_NOW.search(question)
    present = _PRESENT.search(question) or (_PERFECT.search(question) and kind == "amount")
    return bool(present) and not _NOT_NOW.search(question)
