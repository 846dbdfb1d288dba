"""Times of day: 3pm, 15:30, half past three, 下午三点半.

They are numbers of unit "time" (minutes after midnight). Where morning or afternoon is not said (6:30, 三点) the unit
is "clock" and the value lies in the first twelve hours; it agrees with both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from aim_memory.anchors.numerals import SMALL, chinese
from aim_memory.anchors.surface import Surface

Found = tuple[int, int, int, bool]
"""(start, end, minutes after midnight, whether the half of the day is known)."""
_Clock = Callable[[re.Match[str]], tuple[int, bool] | None]

_HOURS = "|".join(word for word, value in SMALL.items() if 1 <= value <= 12)
_PART = r"(?: in the (?P<part>morning|afternoon|evening))"
_DIGITS = re.compile(
    rf"(?P<hour>\d{{1,2}})(?:(?:[:.](?P<minute>[0-5]\d))? ?(?P<half>[ap])(?:\.m\.|m\b)"
    rf"|:(?P<minute24>[0-5]\d)(?P<seconds>:[0-5]\d)?(?!\d)(?:{_PART})?| ?o'clock(?:{_PART.replace('part', 'part2')})?"
    rf"|{_PART.replace('part', 'part3')})"
)
_WORDS = re.compile(
    rf"(?P<past>half past|quarter past|quarter to) (?P<pasthour>\d{{1,2}}|{_HOURS})\b"
    rf"|(?P<hour>{_HOURS})(?: o'clock(?:{_PART})?|{_PART.replace('part', 'part2')})|(?P<named>noon|midnight|midday)\b"
)
_WORD_MARKS = ("clock", " in the ", "half past", "quarter", "noon", "mid")
_PERIODS = {"凌晨": 0, "清晨": 0, "早上": 0, "早晨": 0, "上午": 0, "今早": 0, "明早": 0, "早": 0}
_PERIODS |= {"中午": 1, "下午": 1, "傍晚": 1, "晚上": 1, "夜里": 1, "今晚": 1, "明晚": 1, "晚": 1}
_CJK_MINUTE = r"[一二三四五]?十[一二三四五六七八九]?|[零〇][一二三四五六七八九]|[一二三四五六七八九](?=分)"
_CHINESE = re.compile(
    rf"(?P<period>{'|'.join(sorted(_PERIODS, key=len, reverse=True))})?"
    r"(?P<hour>\d{1,2}|十[一二]?|[一二两三四五六七八九零])"
    rf"(?:点钟?|时(?=\d|[一二三四五]?十|整|[,。，；;!！?？]|$))(?:(?P<part>半|一刻|三刻|整)|(?P<minute>\d{{1,2}}(?=分|\D|$)|{_CJK_MINUTE})分?)?"
)
_AFTER_POINT = re.compile(r"[建要意原好理想优缺]|[一二三四五六七八九\d]|儿|[以之]下|也|都|没|不")


def times(surface: Surface) -> Iterator[Found]:
    """Every time of day, by form."""
    yield from _english(surface, _DIGITS, _digit_clock)
    if any(mark in surface.lower for mark in _WORD_MARKS):
        yield from _english(surface, _WORDS, _word_clock)
    if "点" in surface.lower or "时" in surface.lower:
        yield from _chinese(surface)


def _english(surface: Surface, pattern: re.Pattern[str], clock: _Clock) -> Iterator[Found]:
    for match in pattern.finditer(surface.lower):
        before = surface.lower[match.start() - 1] if match.start() else " "
        if not (before.isascii() and (before.isalnum() or before in ".:,$/_")) and (read := clock(match)):
            yield match.start(), match.end(), *read


def _digit_clock(match: re.Match[str]) -> tuple[int, bool] | None:
    hour, minute = int(match["hour"]), int(match["minute"] or match["minute24"] or 0)
    part = match["half"] or match["part"] or match["part2"] or match["part3"]
    if part:
        return _halved(hour, minute, "a" if part in {"a", "morning"} else "p")
    if match["seconds"] and len(match["hour"]) == 1:
        return None  # 1:57:26 is how long something took
    return _bare(hour, minute, leading_zero=match["hour"].startswith("0"))


def _word_clock(match: re.Match[str]) -> tuple[int, bool] | None:
    if match["named"]:
        return (0 if match["named"] == "midnight" else 720), True
    if match["past"]:
        offset = {"half past": 30, "quarter past": 15, "quarter to": -15}[match["past"]]
        return (_hour(match["pasthour"]) % 12 * 60 + offset) % 720, False
    part = match["part"] or match["part2"]
    hour = _hour(match["hour"])
    return _halved(hour, 0, "a" if part == "morning" else "p") if part else _bare(hour, 0, leading_zero=False)


def _hour(text: str) -> int:
    return int(text) if text.isdigit() else SMALL[text]


def _halved(hour: int, minute: int, half: str) -> tuple[int, bool] | None:
    if not 1 <= hour <= 12:
        return (hour * 60 + minute, True) if hour < 24 else None
    return (hour % 12 + (12 if half == "p" else 0)) * 60 + minute, True


def _bare(hour: int, minute: int, *, leading_zero: bool) -> tuple[int, bool] | None:
    if hour > 24 or minute > 59:
        return None
    known = leading_zero or hour > 12 or hour == 0
    return (hour % 24 * 60 + minute, True) if known else (hour % 12 * 60 + minute, False)


def _chinese(surface: Surface) -> Iterator[Found]:
    for match in _CHINESE.finditer(surface.lower):
        if read := _chinese_clock(match, surface.lower):
            yield match.start(), match.end(), *read


def _chinese_clock(match: re.Match[str], text: str) -> tuple[int, bool] | None:
    start, end = match.span()
    exact = match["period"] or match["part"] or match["minute"] or "钟" in match.group()
    before, spelled = text[start - 1 : start], not match["hour"].isdigit()
    if not exact and (_AFTER_POINT.match(text, end) or (spelled and not _introduced(text, start, match["hour"]))):
        return None
    if before.isdigit() or before in {".", ":", "十", "百", "这", "那", "几"}:
        return None
    hour, minute = int(chinese(match["hour"]) or 0) if spelled else int(match["hour"]), _minute(match)
    if match["period"]:
        return _halved(hour, minute, "p" if _afternoon(match["period"], hour) else "a")
    return _bare(hour, minute, leading_zero=match["hour"].startswith("0"))


def _afternoon(period: str, hour: int) -> bool:
    return (
        bool(_PERIODS[period])
        and not (hour == 11 and period == "中午")
        and not (hour == 12 and period.startswith("晚"))
    )


def _introduced(text: str, start: int, hour: str) -> bool:
    """Whether a bare 三点 reads as a time: after a preposition or a day; 一点 alone is "a little"."""
    return hour != "一" and text[start - 1 : start] in set("到在是天日号前后周一二三四五六约早") - {""}


def _minute(match: re.Match[str]) -> int:
    if match["part"]:
        return {"半": 30, "一刻": 15, "三刻": 45, "整": 0}[match["part"]]
    text = match["minute"] or "0"
    return min(int(text) if text.isdigit() else int(chinese(text) or 0), 59)


def clock_key(minutes: int, known: bool) -> str:
    """ "15:30" when the half of the day is known, "3:30?" when it is not."""
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}:{minute:02d}" if known else f"{hour or 12}:{minute:02d}?"
