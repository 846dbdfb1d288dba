"""Numbers written as words: English ("twenty-one", "a dozen") and Chinese ("一千万", "两万五", "二〇二六")."""

from __future__ import annotations

from collections.abc import Sequence

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
SMALL = {word: value for value, word in enumerate(_SMALL)} | {word: 20 + 10 * place for place, word in enumerate(_TENS)}
SCALES = {"hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
LARGEST = 10**18
"""No number this large or larger is read."""
_MOST_DIGITS = 18
NUMBER_WORDS = frozenset(SMALL) | frozenset(SCALES)
ORDINALS = {
    word: value
    for value, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(), start=1
    )
}

_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")}
_DIGITS |= {"〇": 0, "两": 2, "壹": 1, "贰": 2, "叁": 3}
_PLACES = {"十": 10, "百": 100, "千": 1_000}
HANGUL_NUMERALS = str.maketrans("영일이삼사오육칠팔구십백천만억", "零一二三四五六七八九十百千万亿")
"""Sino-Korean numerals, as the Chinese ones they are."""
CJK_NUMERALS = "零〇一二两三四五六七八九十百千万亿"


def spelled(words: Sequence[str]) -> float | None:
    """The value of a run of English number words, or None when they make no number.

    "and" may stand between a scale and the rest; "a" before a scale counts as one.
    """
    total, group, last = 0, 0, 0
    for word in words:
        if word in SMALL:
            step = SMALL[word]
            if last and not (last % 100 == 0 or (last >= 20 and step < 10)):
                return None
            group, last = group + step, step
        elif word in SCALES:
            group, total, last = _scaled(group or 1, total, SCALES[word])
        elif word == "a" and not (total or group):
            group = 0
    return float(total + group) if total + group < LARGEST else None


def _scaled(group: int, total: int, scale: int) -> tuple[int, int, int]:
    if scale < 1_000:
        return group * scale, total, 100
    return 0, total + group * scale, 1_000


def chinese(text: str) -> float | None:
    """The value of a Chinese numeral (simplified, folded), or None when the characters make no number.

    Digits alone are read one by one: 二〇二六 = 2026. A last digit right after a place counts in the next place down:
    两万五 = 25,000, 一百五 = 150.
    """
    if len(text) > _MOST_DIGITS:
        return None
    if len(text) > 1 and all(char in _DIGITS for char in text):
        return float("".join(str(_DIGITS[char]) for char in text))
    total, place, rest = 0.0, 0, text
    for mark, scale in (("亿", 10**8), ("万", 10**4)):
        if mark in rest:
            head, _, rest = rest.partition(mark)
            value = chinese(head) if head else None
            if value is None:
                return None
            total, place = total + value * scale, scale
    section = _section(rest, place)
    return None if section is None else total + section


def _section(text: str, place: int) -> int | None:
    """A numeral below ten thousand that follows a ``place`` of a larger one (0: nothing)."""
    total, digit = 0, None
    for char in text:
        if char in _PLACES:
            total, digit, place = total + (1 if digit is None else digit) * _PLACES[char], None, _PLACES[char]
        elif digit:
            return None
        else:
            digit = _DIGITS.get(char)
            if digit is None:
                return None
            place = place if digit else 0
    last = digit or 0
    return total + last * (place // 10 if place >= 100 else 1)
