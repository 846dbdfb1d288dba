"""Times that come back every year and are named without one: seasons, feasts, school holidays, "the end of the year".

Feasts that move with the moon or by weekday stand for the stretch of days in which they can fall.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from aim_memory.anchors import calendar
from aim_memory.anchors.calendar import Span
from aim_memory.anchors.dates_zh import NEAR_YEARS
from aim_memory.anchors.surface import Surface

FEASTS: Mapping[str, tuple[int, int, int]] = {
    "christmas": (12, 20, 13),
    "xmas": (12, 20, 13),
    "boxing day": (12, 26, 1),
    "new year": (12, 30, 5),
    "new year's": (12, 30, 5),
    "new year's eve": (12, 31, 2),
    "valentine's day": (2, 13, 3),
    "easter": (3, 20, 39),
    "halloween": (10, 29, 5),
    "thanksgiving": (11, 20, 12),
    "summer holidays": (6, 15, 85),
    "start of the year": (1, 1, 59),
    "beginning of the year": (1, 1, 59),
    "end of the year": (12, 1, 31),
    "圣诞": (12, 20, 13),
    "元旦": (12, 30, 5),
    "跨年": (12, 30, 5),
    "春节": (1, 20, 36),
    "过年": (1, 20, 36),
    "除夕": (1, 20, 32),
    "元宵": (2, 3, 34),
    "清明": (4, 3, 5),
    "五一": (4, 30, 6),
    "端午": (5, 26, 33),
    "中秋": (9, 6, 34),
    "国庆": (9, 30, 9),
    "冬至": (12, 20, 4),
    "寒假": (1, 10, 46),
    "暑假": (7, 1, 62),
    "年初": (1, 1, 59),
    "年底": (12, 1, 31),
    "年末": (12, 1, 31),
}
"""Name → first month and day, and how many days it may take."""

_SEASON = re.compile(
    r"\b(?:in|over|during|through|by|since|until|till|before|after|of|early|late|mid|that)[ -](?:the |a )?"
    r"(?:(?:early|late|mid|past)[ -])?(?P<season>spring|summer|autumn|fall|winter)\b"
    r"(?! holiday|,? (?:of )?(?:19|20)\d\d)"
)
"""With a lead, for "a spring" and "the fall" are other things, too; with a year it is a date like others."""
_ENGLISH = "|".join(sorted((name for name in FEASTS if name.isascii()), key=len, reverse=True))
_FEAST = re.compile(
    rf"(?:\b(?P<step>last|this|next) )?\b(?P<feast>{_ENGLISH})\b(?:(?:,? (?:of |in )?)(?P<year>(?:19|20)\d\d)\b)?"
)
_STEPS = {"last": -1, "this": 0, "next": 1}
_CHINESE = re.compile(
    rf"(?:(?P<year>(?:19|20)\d\d|{'|'.join(NEAR_YEARS)})(?:年|(?<=年))的?)?"
    rf"(?:(?P<feast>{'|'.join(name for name in FEASTS if not name.isascii())})|(?P<season>[春夏秋冬])[天季])"
)

NAMES = rf"{_ENGLISH}|spring|summer|autumn|fall|winter|[春夏秋冬年]|[假节節旦夕宵明端五]"
"""A pattern that every such name holds."""


def yearly(surface: Surface, today: date, years: Iterable[int]) -> Iterator[tuple[int, int, list[Span]]]:
    """(start, end, days) of each such name: of the year that is said with it, else of each of the ``years``."""
    for match in _SEASON.finditer(surface.lower):
        yield *match.span("season"), _of(match["season"], years)
    for match in _FEAST.finditer(surface.lower):
        yield *match.span(), _stepped(match, today) if match["step"] else _dated(match, years)
    for match in _CHINESE.finditer(surface.lower) if surface.cjk else ():
        near = NEAR_YEARS.get(match["year"] or "")
        yield *match.span(), _dated(match, years) if near is None else _of(_name(match), [today.year + near])


def _name(match: re.Match[str]) -> str:
    return str(match["feast"] or match["season"])


def _dated(match: re.Match[str], years: Iterable[int]) -> list[Span]:
    return _of(_name(match), [int(match["year"])] if match["year"] else years)


def _stepped(match: re.Match[str], today: date) -> list[Span]:
    """ "last Christmas" is the latest one that is over, "next Christmas" the first to begin, "this" this year's."""
    step = _STEPS[match["step"]]
    near = _of(match["feast"], [today.year - 1, today.year, today.year + 1])
    if step < 0:
        return [span for span in near if span[1] <= today][-1:]
    return [span for span in near if span[0] > today][:1] if step else near[1:2]


def _of(name: str, years: Iterable[int]) -> list[Span]:
    spans = (calendar.season(year, name) if name in calendar.SEASONS else _feast(name, year) for year in years)
    return [span for span in spans if span]


def _feast(name: str, year: int) -> Span | None:
    month, day, count = FEASTS[name]
    first = calendar.day(year, month, day)
    return calendar.days(first[0], count) if first else None
