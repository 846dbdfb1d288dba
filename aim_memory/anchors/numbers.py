"""Numbers with their magnitude, unit and slot, in digits and in words: 10M, $3.2k, 12.5 percent, 一千万, 百分之十二.

Order matters: times of day first, then ordinals, then amounts. What earlier grammars claimed (identifiers, dates) is
not read again. A digit glued to letters that are no unit (3D, B2B) is no number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from aim_memory.anchors import slots
from aim_memory.anchors.numerals import (
    CJK_NUMERALS,
    HANGUL_NUMERALS,
    LARGEST,
    NUMBER_WORDS,
    ORDINALS,
    SCALES,
    SMALL,
    chinese,
    spelled,
)
from aim_memory.anchors.surface import Surface
from aim_memory.anchors.times import clock_key, times
from aim_memory.anchors.units import CJK_UNIT, COUNT_UNITS, CURRENCY_SIGNS, UNITS, magnitude, number_key
from aim_memory.anchors.units_world import WORLD_SCALES
from aim_memory.text import script
from aim_memory.types import Anchor

_DIGITS = re.compile(r"\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\d+")
_CONTINENTAL = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?(?!\d)|\d+[.,]\d{1,2}(?!\d)|\d+")
"""Of German, Spanish, Russian: 1.150,50."""
_MOST_CHARACTERS = 40
_DURATION = re.compile(r"(?<![\d:])(\d):([0-5]\d):([0-5]\d)(?![\d:])")
_MIXED = re.compile(r"(?<![\d.])(?<!\d,)(\d{1,4})万(\d{1,4})(千|百|(?<=\d{4}))")
"""5万8千, 5万8000; 5万8 alone is left to the first part."""
_CURRENCY_BEFORE = re.compile(r"(?:(?:us|ca|a|hk|nt)?\$|[€£¥₹₩]|\b(?:usd|eur|gbp|cny|rmb|jpy|hkd|twd) ?) ?$")
_SIGNED = {"hk$": "hkd", "nt$": "twd", "us$": "usd", "ca$": "cad", "a$": "aud"}
_MAGNITUDE = re.compile(
    r"[ -]?(?P<word>hundred|thousand|million|billion|trillion|mln|mn|bn)\b|"
    r"(?P<letter>[kKMB])(?:[nN])?(?![A-Za-z0-9])|(?P<cjk>[十百千万亿]+)|"
    rf" ?(?P<far>{'|'.join(sorted(WORLD_SCALES, key=len, reverse=True))})(?![a-zа-я\u0620-\u064a])(?:(?<=тыс|млн)\.)?"
)
_LETTERS = {"k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9}
_SHORT = {"mln": 1e6, "mn": 1e6, "bn": 1e9}
_PLACES = {"十": 10.0, "百": 100.0, "千": 1e3, "万": 1e4, "亿": 1e8}
_UNIT_WORD = re.compile(r"( ?-?)(%|°[cf]?|℃|km/h\b|m²|m2\b|[a-z]+(?:-olds?)?|[а-я]+|[\u0620-\u064a]+)")
_ALONE = frozenset("gmlhw%°")
"""Units of one character that may stand apart from their number."""
_ORDINAL = re.compile(r"(?<!\d)(\d++)(?:st|nd|rd|th)\b")
_CJK_ORDINAL = re.compile(rf"第(\d+|[{CJK_NUMERALS}]+)")
_CJK_PERCENT = re.compile(rf"百分之(\d+(?:\.\d+)?|[{CJK_NUMERALS}]+(?:点[{CJK_NUMERALS}]+)?)")
_CJK_NUMERAL = re.compile(
    rf"[{CJK_NUMERALS}]+(?:点[{CJK_NUMERALS}]+(?=[万亿%度公千米元块]|$))?|半(?=小时|年|个小时|个钟头)"
)
_HANGUL = re.compile("[가-힣]")
_KOREAN_NUMERAL = re.compile("(?<![가-힣])[일이삼사오육칠팔구]?[십백천만억][일이삼사오육칠팔구십백천만억]*")
_CLASSIFIER = re.compile(
    r"个(?!小时|钟头|星期|礼拜|月|人|字)|[只条张本台辆家位件栋间套层双杯瓶碗份部首颗棵把支封场届门颗粒箱包盒种项座间]"
)
_IDIOMS = re.compile(
    r"千万(?=别|不|要|记|得|小)|万一|十分(?!钟)|三三两两|一五一十|七七八八|五一|十一(?=假|长假|黄金)|双十一|六一|千千万|一时间"
)
_HALF_AFTER = re.compile(r"(?:个?半)")
_DETERMINERS = frozenset("the my our his her their its your".split())


@dataclass(frozen=True, slots=True)
class _Amount:
    start: int
    end: int
    value: float
    unit: str | None = None


def find_numbers(surface: Surface) -> list[Anchor]:
    """Number anchors, in no order; their text is claimed."""
    found = [_anchor(surface, amount) for amount in _percents(surface)]
    found += [*_times(surface), *_ordinals(surface)]
    for grammar in (_chinese_amounts, _korean_amounts, _digit_amounts, _word_amounts):
        found.extend(
            _anchor(surface, amount) for amount in grammar(surface) if _claim(surface, amount.start, amount.end)
        )
    return found


def _claim(surface: Surface, start: int, end: int) -> bool:
    free = surface.free(start, end)
    if free:
        surface.claim(start, end)
    return free


def _anchor(surface: Surface, amount: _Amount) -> Anchor:
    start, end, unit = amount.start, amount.end, amount.unit
    measured = unit is not None and unit not in COUNT_UNITS
    key, slot = number_key(amount.value, unit), slots.slot(surface, start, end, measured=measured)
    return Anchor("number", key, surface.text[start:end], start, end, value=amount.value, unit=unit, slot=slot)


def _times(surface: Surface) -> Iterator[Anchor]:
    for start, end, minutes, known in times(surface):
        if _claim(surface, start, end):
            yield Anchor(
                "number",
                clock_key(minutes, known),
                surface.text[start:end],
                start,
                end,
                value=float(minutes),
                unit="time" if known else "clock",
                slot=slots.slot(surface, start, end, measured=True),
            )


def _ordinals(surface: Surface) -> Iterator[Anchor]:
    for start, end, value in _ordinal_spans(surface):
        if _claim(surface, start, end):
            slot = slots.after(surface, end)
            key = f"#{magnitude(value)}"
            yield Anchor("number", key, surface.text[start:end], start, end, value=value, unit="ordinal", slot=slot)


def _ordinal_spans(surface: Surface) -> Iterator[tuple[int, int, float]]:
    for match in _ORDINAL.finditer(surface.lower):
        yield match.start(), match.end(), float(match[1])
    for previous, (start, end, word) in zip(surface.words, surface.words[1:], strict=False):
        if word in ORDINALS and previous[2] in _DETERMINERS and previous[1] + 1 == start:
            yield start, end, float(ORDINALS[word])
    for match in _CJK_ORDINAL.finditer(surface.lower) if "第" in surface.lower else ():
        value = float(match[1]) if match[1].isdigit() else chinese(match[1])
        if value:
            yield match.start(), match.end(), value


def _digit_amounts(surface: Surface) -> Iterator[_Amount]:
    lower = surface.lower
    for match in _DURATION.finditer(lower):
        hours, minutes, seconds = (int(part) for part in match.groups())
        yield _Amount(*match.span(), 3600.0 * hours + 60 * minutes + seconds, "second")
    for match in _MIXED.finditer(lower) if "万" in lower else ():
        value = 1e4 * int(match[1]) + int(match[2]) * _PLACES.get(match[3], 1.0)
        if amount := _measured(surface, *match.span(), value, None):
            yield amount
    grammar, mark = _notation(surface)
    for match in grammar.finditer(lower):
        start, end = match.span()
        before = lower[start - 1] if start else " "
        if (before.isascii() and (before.isalpha() or before in "_./:#@\\")) or not surface.free(start, end):
            continue
        currency, start = _currency(lower, start)
        value = _value(match.group(), mark) if end - start < _MOST_CHARACTERS else LARGEST
        amount = _measured(surface, start, end, value, currency) if value < LARGEST else None
        if amount:
            yield amount


def _notation(surface: Surface) -> tuple[re.Pattern[str], str]:
    """How digits are written in a text: (grammar, decimal mark)."""
    continental = surface.language != "en" or script(surface.text) == "cyrillic"
    return (_CONTINENTAL, ",") if continental else (_DIGITS, ".")


def _value(digits: str, mark: str) -> float:
    if mark == "," and not re.fullmatch(r"\d+\.\d{1,2}", digits):
        digits = digits.replace(".", "").replace(",", ".")
    return float(digits.replace(",", ""))


def _currency(lower: str, start: int) -> tuple[str | None, int]:
    """(currency, new start) of an amount that a currency sign or code leads; a minus sign is taken in too."""
    match = _CURRENCY_BEFORE.search(lower, max(0, start - 5), start)
    if match:
        sign = match.group().strip()
        return _SIGNED.get(sign) or CURRENCY_SIGNS.get(sign) or UNITS.get(sign, sign), match.start()
    return None, start


def _measured(surface: Surface, start: int, end: int, value: float, currency: str | None) -> _Amount | None:
    """The amount with what follows it: magnitude, half, unit. None when letters follow that are no unit."""
    factor, end = _magnitude(surface, end, currency)
    value *= factor
    unit, unit_end = (currency, end) if currency else _unit(surface, end)
    if unit is None and unit_end < 0:
        return None
    minus = surface.lower[start - 1 : start] == "-" and (start < 2 or not surface.lower[start - 2].isalnum())
    return _Amount(start - minus, unit_end, -value if minus else value, unit)


def _magnitude(surface: Surface, end: int, currency: str | None) -> tuple[float, int]:
    match = _MAGNITUDE.match(surface.cased, end)
    if not match:
        if currency and surface.cased[end : end + 1] in {"m", "b"} and not surface.cased[end + 1 : end + 2].isalpha():
            return (1e6 if surface.cased[end] == "m" else 1e9), end + 1
        return 1.0, end
    if match["cjk"]:
        factor = 1.0
        for char in match["cjk"]:
            factor *= _PLACES[char]
        return factor, match.end()
    if match["far"]:
        return WORLD_SCALES[match["far"]], match.end()
    if match["word"]:
        return float(SCALES.get(match["word"], 0) or _SHORT[match["word"]]), match.end()
    return _LETTERS[match["letter"]], match.end()


def _unit(surface: Surface, end: int) -> tuple[str | None, int]:
    """(unit, end): (None, end) without a unit, (None, -1) when glued letters show that this is no number."""
    lower = surface.lower
    match = _UNIT_WORD.match(lower, end)
    if match:
        glued, word = not match[1], match[2]
        unit = UNITS.get(word) or UNITS.get(word.replace(" ", "-"))
        if word in {"year", "years"} and (old := re.compile(r"[ -]olds?\b").match(lower, match.end())):
            return "age", old.end()
        if unit and (glued or len(word) > 1 or word in _ALONE):
            return unit, match.end()
        return (None, -1) if glued and word[0].isalpha() else (None, end)
    cjk = CJK_UNIT.match(lower, end + (lower[end : end + 1] == " "))
    return (UNITS[cjk.group()], cjk.end()) if cjk else (None, end)


def _word_amounts(surface: Surface) -> Iterator[_Amount]:
    index, words = 0, surface.words
    while index < len(words):
        if words[index][2] not in NUMBER_WORDS and words[index][2] != "half":
            index += 1
            continue
        stop = _run(surface, index)
        amount = _half(surface, index) if words[index][2] == "half" else _spelled_amount(surface, index, stop)
        if amount:
            yield amount
        index = stop


def _run(surface: Surface, index: int) -> int:
    """The index after the run of number words that begins at ``index`` ("and" only between two of them)."""
    words, stop = surface.words, index + 1
    while stop < len(words) and surface.lower[words[stop - 1][1] : words[stop][0]] in {" ", "-"}:
        if words[stop][2] in NUMBER_WORDS:
            stop += 1
        elif words[stop][2] == "and" and words[stop - 1][2] in SCALES and _numeric(words, stop + 1):
            stop += 2
        else:
            break
    return stop


def _numeric(words: tuple[tuple[int, int, str], ...], index: int) -> bool:
    return index < len(words) and words[index][2] in SMALL


def _spelled_amount(surface: Surface, index: int, stop: int) -> _Amount | None:
    words = surface.words
    value = spelled([word for _, _, word in words[index:stop]])
    start, end = words[index][0], words[stop - 1][1]
    if index and words[index][2] in SCALES and words[index - 1][2] in {"a", "half"}:
        return (
            None if words[index - 1][2] == "half" else _measured(surface, words[index - 1][0], end, value or 1.0, None)
        )
    if value is None or (words[index][2] in SCALES):
        return None
    amount = _measured(surface, start, end, value, None)
    return None if words[index][2] == "one" and stop == index + 1 and not (amount and amount.unit) else amount


def _half(surface: Surface, index: int) -> _Amount | None:
    """half an hour, half a million, half a dozen."""
    words = surface.words
    if index + 2 >= len(words) or words[index + 1][2] not in {"a", "an"}:
        return None
    start, (_, end, word) = words[index][0], words[index + 2]
    if word in SCALES:
        return _measured(surface, start, end, SCALES[word] / 2, None)
    return _Amount(start, end, 0.5, UNITS[word]) if word in UNITS and len(word) > 2 else None


def _percents(surface: Surface) -> Iterator[_Amount]:
    for match in _CJK_PERCENT.finditer(surface.lower) if "百分之" in surface.lower else ():
        value = _decimal(match[1])
        if value is not None and _claim(surface, *match.span()):
            yield _Amount(match.start(), match.end(), value, "percent")


def _korean_amounts(surface: Surface) -> Iterator[_Amount]:
    """칠십만 원: numerals with a unit behind them; without one they are syllables of words."""
    for match in _KOREAN_NUMERAL.finditer(surface.lower) if _HANGUL.search(surface.lower) else ():
        value, (unit, end) = chinese(match.group().translate(HANGUL_NUMERALS)), _unit(surface, match.end())
        if value is not None and unit:
            yield _Amount(match.start(), end, value, unit)


def _chinese_amounts(surface: Surface) -> Iterator[_Amount]:
    if not surface.cjk:
        return
    for match in _IDIOMS.finditer(surface.lower):
        surface.claim(*match.span())
    for match in _CJK_NUMERAL.finditer(surface.lower):
        amount = _chinese_amount(surface, match)
        if amount:
            yield amount


def _decimal(text: str) -> float | None:
    if text[0].isdigit():
        return float(text)
    whole, _, rest = text.partition("点")
    value = chinese(whole)
    if value is None or not rest:
        return value
    digits = "".join(str(int(chinese(char) or 0)) for char in rest)
    return value + float(f"0.{digits}") if digits.isdigit() else None


def _chinese_amount(surface: Surface, match: re.Match[str]) -> _Amount | None:
    lower, (start, end) = surface.lower, match.span()
    if start and (lower[start - 1].isdigit() or lower[start - 1] in "第几数周期"):
        return None
    value = 0.5 if match.group() == "半" else _decimal(match.group())
    if value is None:
        return None
    half = _HALF_AFTER.match(lower, end)
    unit, unit_end = _unit(surface, half.end() if half else end)
    if half and unit:
        return _Amount(start, unit_end, value + 0.5, unit)
    unit, unit_end = _unit(surface, end)
    if unit:
        return _tenths(lower, _Amount(start, unit_end, value, unit))
    counted = _CLASSIFIER.match(lower, end)
    if match.group() == "一" or not (counted or len(match.group()) > 1):
        return None
    return _Amount(start, end, value)


def _tenths(lower: str, amount: _Amount) -> _Amount:
    """三块五 is 3.5 yuan."""
    digit = lower[amount.end : amount.end + 1]
    if amount.unit == "cny" and lower[amount.end - 1] == "块" and digit and digit in CJK_NUMERALS[2:12]:
        return _Amount(amount.start, amount.end + 1, amount.value + float(chinese(digit) or 0) / 10, "cny")
    return amount
