"""Numbers written as words: English ("twenty-one", "a dozen") and Chinese ("一千万", "两万五", "二〇二六")."""

from __future__ import annotations

from collections.abc import Sequence

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
SMALL = {word: value for value, word in enumerate(_SMALL)} | {
    word: 20 + 10 * place for place, word in enumerate(_TENS)
}
SCALES = {"hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
NUMBER_WORDS = frozenset(SMALL) | frozenset(SCALES)
ORDINALS = {
    word: value
    for value, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(), start=1
    )
}

_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "壹": 1, "贰": 2, "叁": 3}
_PLACES = {"十": 10, "百": 100, "千": 1_000}
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
    return float(total + group)


def _scaled(group: int, total: int, scale: int) -> tuple[int, int, int]:
    if scale < 1_000:
        return group * scale, total, 100
    return 0, total + group * scale, 1_000


def chinese(text: str) -> float | None:
    """The value of a Chinese numeral (simplified, folded), or None when the characters make no number.

    A last digit right after a place counts in the next place down: 两万五 = 25,000, 一百五 = 150.
    """
    if len(text) > 1 and all(char in _DIGITS for char in text):
        return float("".join(str(_DIGITS[char]) for char in text))
    total, section, digit, place = 0, 0, -1, 0
    for index, char in enumerate(text):
        if char in _DIGITS:
            if digit > 0:
                return None
            digit, place = _DIGITS[char], 0 if _DIGITS[char] == 0 else place
        elif char in _PLACES:
            section, digit, place = section + max(digit, 0 if section and digit < 0 else 1) * _PLACES[char], -1, _PLACES[char]
        else:
            scale = 10_000 if char == "万" else 10**8
            if index == 0:
                return None
            total, section, digit, place = (total + section + max(digit, 0)) * scale, 0, -1, scale
    return float(total + section + (digit * (place // 10) if digit > 0 and place >= 100 else max(digit, 0)))
