"""Is a text a question? English and Chinese."""

from __future__ import annotations

import re
from functools import lru_cache

from aim_memory.text.sentences import sentences
from aim_memory.text.terms import analyse

_MARK = re.compile(r"[?？؟]\s*[\"'”’」』）)]*\s*$")
_ENGLISH = re.compile(
    r"^(?:(?:and|but|so|or|then|ok|okay|also|well|hey|please)[,\s]+)*"
    r"(?:who|whom|whose|what|when|where|which|why|how|is|are|was|were|am|do|does|did|can|could|will|would|should|shall|"
    r"may|might|has|have|had|isn't|aren't|don't|doesn't|didn't|can't|won't|what's|who's|where's|when's|how's)\b"
    r"(?!\s+(?:a\s+(?:great|nice|lovely|good|wonderful|fun|pity|shame|relief)|an\s+amazing))",
    re.IGNORECASE,
)
_CHINESE_WORD = re.compile(
    r"什么|甚么|什麼|怎么|怎麼|怎样|怎樣|为何|為何|为什么|哪[里儿裡兒个個些位年月天种種家]|哪|谁|誰|几[个時时点點岁歲天年月次位号]|"
    r"幾[個时時点點岁歲天年月次位号]|多少|多久|多大|多高|多长|多長|多远|多遠|是否|是不是|有没有|有沒有|能不能|可不可以|请问|請問"
)
_CHINESE_END = re.compile(r"(?:吗|嗎|么|麼|呢)[。.!！~～\s]*$")


_PAST = re.compile(
    r"\b(?:used to|previously|formerly|originally|initially|in the past|at first|back then|earlier|no longer|"
    r"(?:at|in) the (?:beginning|start|outset)|to (?:begin|start) with|first (?:planned|chosen|picked|booked|agreed)|"
    r"(?:former|previous|original|prior|ex)\s+\w+|(?:my|our|his|her|their|\w+['’]s)\s+old\s+\w+|"
    r"first (?:price|plan|version|choice|idea|address|date|estimate|quote|offer|draft)|"
    r"(?:did|was|were|had)\b.*\b(?:before|first\W*$))\b"
    r"|以前|之前|原来|原先|原本|曾经|曾經|从前|從前|过去|過去|当初|當初|最初|最早|起初|一开始|一開始|刚开始|剛開始|原來|旧的|舊的",
    re.IGNORECASE,
)


@lru_cache(maxsize=256)
def about_past(question: str) -> bool:
    """True when a question wants what was, not what is: "where did she live before", "以前的电话"."""
    return bool(_PAST.search(question))


_WHEN = re.compile(
    r"\bwhen(?:'s|\s+(?:is|was|are|were|do|does|did|has|have|had|will|would|can|could|should|might))\b"
    r"|\bwhen\s*[?？]|\bsince when\b|\bhow long ago\b"
    r"|\b(?:what|which)\s+(?:\w+\s+)?(?:date|day|weekend|week|month|season|year)\b"
    r"|什么时候|什麼時候|甚么时候|甚麼時候|何时|何時|哪一?[天年月日周週]|几月|幾月|[几幾][号號]|多久(?:以前|之前)",
    re.IGNORECASE,
)


@lru_cache(maxsize=256)
def asks_when(question: str) -> bool:
    """True when a question wants a date: "when did", "which day", 什么时候, 哪天."""
    return bool(_WHEN.search(question))


_BACK = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|she|him|her|his|hers|this|that|these|those|ones?|there)\b", re.IGNORECASE
)
_BACK_ZH = re.compile(r"[他她它牠其该該]|这|這|那(?![么里裡就])|呢[？?。]*$")


def refers_back(question: str) -> bool:
    """True when the wording points to something said before: "it", "that one", 它, 那, …呢?"""
    return bool(_BACK.search(question) or _BACK_ZH.search(question))


def is_question(text: str) -> bool:
    """True when the text as a whole asks: its last sentence does.

    A question mark decides; without one an English opening word ("how", "did") or a Chinese question word or
    particle does.
    """
    stripped = text.strip()
    if _MARK.search(stripped):
        return True
    spans = sentences(stripped)
    return bool(spans) and asks(stripped[slice(*spans[-1])])


def asks(sentence: str) -> bool:
    """True when one sentence asks."""
    if _MARK.search(sentence) or _CHINESE_END.search(sentence):
        return True
    if sentence.endswith((".", "!", "。", "！")):
        return False
    return bool(_ENGLISH.match(sentence) or _CHINESE_WORD.search(sentence))


MOST = 4
"""Questions that a text is split into; the last part holds the rest."""


@lru_cache(maxsize=256)
def questions(text: str) -> tuple[tuple[int, int], ...]:
    """Spans (start, end) of the questions that a text asks one after the other, in order; between them they hold every
    sentence.

    A statement belongs to the question after it, and at the end to the one before. A question of a single word ("And
    mine?") says too little to stand alone: it goes with the one before it, as one that opens goes with the next. A text
    with one question or none is one span.
    """
    spans: list[tuple[int, int]] = []
    told: set[str] = set()  # the words of the last
    for start, end in _up_to_each(text):
        words = set(analyse(text[start:end]))
        if spans and (len(spans) == MOST or len(told) < 2 or len(words) < 2):
            spans[-1] = (spans[-1][0], end)
            told |= words
        else:
            spans.append((start, end))
            told = words
    return tuple(spans)


def _up_to_each(text: str) -> list[tuple[int, int]]:
    """Spans that end with a question each, but for what is said after the last, which goes with it."""
    spans: list[tuple[int, int]] = []
    begin = None
    for start, end in sentences(text):
        begin = start if begin is None else begin
        if asks(text[start:end]):
            spans.append((begin, end))
            begin = None
    if begin is not None:
        spans[-1:] = [(spans[-1][0] if spans else begin, len(text.rstrip()))]
    return spans
