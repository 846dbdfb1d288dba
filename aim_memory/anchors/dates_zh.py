"""Chinese date expressions, read on folded (simplified, half-width) text.

上周三 is the Wednesday of the last ISO week and 下周三 of the next; a bare 周三 is the nearest one to come.
两周前 names the week, 三个月前 the month, 两年前 the year.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from aim_memory.anchors import calendar
from aim_memory.anchors.calendar import Span
from aim_memory.anchors.numerals import chinese
from aim_memory.anchors.surface import Surface

Found = tuple[int, int, Span | None]

_N = r"(?:\d{1,2}|[一二三四五六七八九十]{1,3})"
_NEAR_DAYS = {
    "大前天": -3,
    "前天": -2,
    "昨天": -1,
    "昨日": -1,
    "昨晚": -1,
    "昨夜": -1,
    "今天": 0,
    "今日": 0,
    "今早": 0,
    "今晚": 0,
}
_NEAR_DAYS |= {"今晨": 0, "今夜": 0, "明天": 1, "明日": 1, "明早": 1, "明晚": 1, "后天": 2, "大后天": 3}
NEAR_YEARS = {"前年": -2, "去年": -1, "今年": 0, "本年": 0, "明年": 1, "后年": 2}
_WEEKDAYS = (
    {char: index for index, char in enumerate("一二三四五六")}
    | {"日": 6, "天": 6}
    | {str(n): n - 1 for n in range(1, 7)}
)
_STEPS = {"上": -1, "下": 1, "这": 0, "本": 0, "": 0}
_UNITS = {"天": "day", "日": "day", "周": "week", "星期": "week", "礼拜": "week", "月": "month", "年": "year"}
_QUARTERS = {"一": 1, "二": 2, "三": 3, "四": 4, "1": 1, "2": 2, "3": 3, "4": 4}

_ZH = re.compile(
    rf"(?P<absolute>(?P<year>(?:19|20)\d\d|[一二][零〇一二三四五六七八九]{{3}}|{'|'.join(NEAR_YEARS)})(?:年|(?<=年))的?"
    rf"(?:(?P<ymonth>{_N})月(?:份|(?P<yday>{_N})[日号]?)?|第?(?P<quarter>[一二三四1-4])季度|(?P<season>[春夏秋冬])[天季]?)?)"
    rf"|(?P<monthday>(?<![\d个几])(?P<month>{_N})月(?:份|(?P<day>{_N})[日号]?(?:[-到至](?P<until>{_N})[日号])?)?)"
    rf"|(?P<named>{'|'.join(sorted(_NEAR_DAYS, key=len, reverse=True))})"
    r"|(?P<weekday>(?<![一二两三四五六七八九十几\d])(?P<wsteps>上上|下下|上|下|这|本|)个?(?:周|星期|礼拜)(?P<wday>[一二三四五六日天1-6])(?![个天周星礼年月点岁块元\d]))"
    r"|(?P<week>(?P<ksteps>上上|下下|上|下|这|本)(?:一|个)?(?:周|星期|礼拜)(?P<weekend>末)?)"
    rf"|(?P<nearmonth>(?P<msteps>上上|下下|上|下|这|本)个?月(?:(?P<mday>{_N})[日号])?)"
    r"|(?P<ago>(?P<count>\d{1,4}|[一二两三四五六七八九十]{1,3}|半)个?(?P<unit>天|日|周|星期|礼拜|月|年)(?:之|以)?(?P<side>前|后))"
)


def chinese_dates(surface: Surface, today: date) -> Iterator[Found]:
    """(start, end, days) of each expression, in order of appearance."""
    if not surface.cjk:
        return
    for match in _ZH.finditer(surface.lower):
        read = _READERS[str(match.lastgroup)]
        span = read(match, today)
        if span:
            yield match.start(), match.end(), span


def _number(text: str) -> int:
    return int(text) if text.isdigit() else int(chinese(text) or 0)


def _absolute(match: re.Match[str], today: date) -> Span | None:
    word = match["year"]
    year = today.year + NEAR_YEARS[word] if word in NEAR_YEARS else _number(word)
    if match["yday"]:
        return calendar.day(year, _number(match["ymonth"]), _number(match["yday"]))
    if match["ymonth"]:
        return _month_of(year, _number(match["ymonth"]))
    if match["quarter"]:
        return calendar.month(year, 3 * _QUARTERS[match["quarter"]] - 2, 3)
    return calendar.season(year, match["season"]) if match["season"] else calendar.year(year)


def _month_of(year: int, month: int) -> Span | None:
    return calendar.month(year, month) if 1 <= month <= 12 else None


def _monthday(match: re.Match[str], today: date) -> Span | None:
    month = _number(match["month"])
    if not 1 <= month <= 12:
        return None
    span = calendar.nearest(today, month, _number(match["day"]) if match["day"] else None)
    last = calendar.day(span[0].year, month, _number(match["until"])) if span and match["until"] else None
    return (span[0], last[1]) if span and last and last[0] > span[0] else span


def _named(match: re.Match[str], today: date) -> Span | None:
    return calendar.days(calendar.shift(today, _NEAR_DAYS[match["named"]]), 1)


def _steps(text: str) -> int:
    return _STEPS[text[:1]] * max(len(text), 1)


def _weekday(match: re.Match[str], today: date) -> Span | None:
    index = _WEEKDAYS[match["wday"]]
    if match["wsteps"]:
        return calendar.weekday(today, index, _steps(match["wsteps"]))
    return calendar.days(calendar.shift(today, (index - today.weekday()) % 7), 1)


def _week(match: re.Match[str], today: date) -> Span | None:
    steps = _steps(match["ksteps"])
    return calendar.weekend(today, steps) if match["weekend"] else calendar.week(today, steps)


def _nearmonth(match: re.Match[str], today: date) -> Span | None:
    span = calendar.month(today.year, today.month + _steps(match["msteps"]))
    return calendar.day(span[0].year, span[0].month, _number(match["mday"])) if span and match["mday"] else span


def _ago(match: re.Match[str], today: date) -> Span | None:
    sign, unit = (1 if match["side"] == "前" else -1), _UNITS[match["unit"]]
    if match["count"] == "半":
        return calendar.ago(today, 6 * sign, "month") if unit == "year" else None
    return calendar.ago(today, sign * _number(match["count"]), unit)


_READERS = {
    "absolute": _absolute,
    "monthday": _monthday,
    "named": _named,
    "weekday": _weekday,
    "week": _week,
    "nearmonth": _nearmonth,
    "ago": _ago,
}
