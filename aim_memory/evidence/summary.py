"""One line that stands for a memory: the text itself when it is short, its most telling sentences when it is long."""

from __future__ import annotations

import math
import re
from collections import Counter

from aim_memory.evidence.plain import plain
from aim_memory.text import analyse, is_question, sentences

Span = tuple[int, int]

SUMMARY_WORDS = 40
"""Most words of a summary; an ideograph counts as half a word."""
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]|[^\W_]+(?:['’.,:-][^\W_]+)*")
_VALUE = re.compile(
    r"\d|(?<![\w.+-])[\w.+-]++@\w|https?://"
    r"|(?<![零一二三四五六七八九十百千万亿两])[零一二三四五六七八九十百千万亿两]++[个岁年月日号点块元次天周]"
)
_NAME = re.compile(r"(?<=[a-z,;:] )[A-Z][\w'’-]+")
_FILLER = re.compile(
    r"^(?:hi|hey|hello|thanks|thank you|sure|ok|okay|great|good (?:morning|question|idea)|of course|certainly|"
    r"absolutely|got it|noted|understood|let me know|i hope|here(?:'s| is| are)|"
    r"好的|谢谢|你好|您好|当然|没问题|希望|以下是|收到)\b",
    re.IGNORECASE,
)
_CODE = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1|\Z)", re.DOTALL | re.MULTILINE)
_GLUE = re.compile(r"(?<=[\u3000-\u30ff\uff00-\uffef]) ")
"""Chinese and Japanese sentences follow each other without a space."""
_CLAUSE = re.compile(r"(?<=[,;:，；：、])\s*")


def words(text: str) -> float:
    """Words of a text; an ideograph, kana or Hangul syllable counts as half a word."""
    found = _WORD.findall(text)
    if text.isascii():
        return float(len(found))
    return sum(0.5 if len(word) == 1 and word > "\u2fff" else 1.0 for word in found)


def summarise(text: str) -> str:
    """One plain line of at most about 40 words, made only of the text's own words, in their order."""
    line = plain(text)
    if words(line) <= SUMMARY_WORDS:
        return line
    spans = summary_spans(text)
    chosen = _GLUE.sub("", " ".join(plain(text[start:end]) for start, end in spans))
    return chosen if words(chosen) <= SUMMARY_WORDS else _shortened(chosen)


def summary_spans(text: str) -> tuple[Span, ...]:
    """The sentences a summary is made of, as spans of ``text``, in order; the whole text when it is short.

    Sentences are scored by how much of the text's frequent vocabulary they carry, by values and names, and by
    place; questions and courtesies count less. The best ones are taken while they fit
    and say something; at least one is.
    """
    whole = (len(text) - len(text.lstrip()), len(text.rstrip()))
    if words(plain(text)) <= SUMMARY_WORDS:
        return (whole,) if whole[0] < whole[1] else ()
    spans = _prose(text)
    if not spans:
        return (whole,)
    scores = _scores([plain(text[start:end]) for start, end in spans])
    chosen: list[int] = []
    room = float(SUMMARY_WORDS)
    for place in sorted(range(len(spans)), key=lambda place: -scores[place]):
        cost = words(plain(text[slice(*spans[place])]))
        if not chosen or (cost <= room and scores[place] > 0):
            chosen.append(place)
            room -= cost
    return tuple(spans[place] for place in sorted(chosen))


def _prose(text: str) -> list[Span]:
    """The sentences that are neither code nor bare marks; code too when there is nothing else."""
    code = [found.span() for found in _CODE.finditer(text)]
    worded = [span for span in sentences(text) if words(plain(text[slice(*span)])) >= 1]
    prose = [(start, end) for start, end in worded if not any(left < end and start < right for left, right in code)]
    return prose or worded


def _scores(lines: list[str]) -> list[float]:
    terms = [analyse(line) for line in lines]
    frequent = Counter(term for bag in terms for term in bag)
    return [_score(line, bag, frequent, place) for place, (line, bag) in enumerate(zip(lines, terms, strict=True))]


def _score(line: str, bag: dict[str, int], frequent: Counter[str], place: int) -> float:
    shared = sum(math.log1p(frequent[term] - 1) for term in bag) / math.sqrt(1 + len(bag))
    values = 0.5 * min(3, len(_VALUE.findall(line))) + 0.25 * min(3, len(_NAME.findall(line)))
    empty = 3.0 * courtesy(line) + 0.7 * is_question(line) + 1.5 * (words(line) < 4)
    return shared + values + 1.2 / (1 + place) - empty


def courtesy(line: str) -> bool:
    """Whether a sentence begins as courtesies do: thanks, a greeting, an announcement."""
    return bool(_FILLER.match(line))


def _shortened(line: str) -> str:
    """The first clauses of a sentence that alone is too long; its first words when it has no clauses."""
    kept, room = "", float(SUMMARY_WORDS)
    for clause in _CLAUSE.split(line):
        room -= words(clause)
        if room < 0:
            break
        kept = f"{kept} {clause}" if kept and kept[-1].isascii() else kept + clause
    return f"{(kept or _first_words(line)).rstrip(' ,;:，；：、')} …"


def _first_words(line: str) -> str:
    room, end = float(SUMMARY_WORDS), 0
    for word in _WORD.finditer(line):
        room -= words(word.group())
        if room < 0:
            break
        end = word.end()
    return line[:end] or line[: 4 * SUMMARY_WORDS]
