"""The time a question asks about, as intervals of days: "in May", "early in 2022", "the week before 9 July", 三月初.

Expressions are read as in memories (``dates``) and then moved as the words around them say: narrowed ("early", 月底),
opened to one side ("before", 之后), shifted ("the week before") or joined ("between … and …"). What names no year
stands for that time in each year that comes into question.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

from aim_memory.anchors import calendar
from aim_memory.anchors.calendar import Span
from aim_memory.anchors.dates_en import MONTHS
from aim_memory.anchors.numerals import SMALL, chinese
from aim_memory.anchors.seasons import NAMES, yearly
from aim_memory.anchors.surface import Surface, read
from aim_memory.types import Anchor

Mention = tuple[int, int, list[Span]]
"""(start, end, days): where the expression stands, and what it may mean, oldest first."""

_EVER = (date.min, date.max)
_YEARLESS = re.compile(
    rf"(?!.*(?:19|20)\d\d)(?:(?:\d{{1,2}}\D{{1,7}})?(?:\d{{1,2}}\D{{1,6}})?(?:{'|'.join(MONTHS)})\b.*"
    r"|(?:\d{1,2}|[一二三四五六七八九十]{1,3})月.*)"
)
_NOW = re.compile(r"today|tonight|今[天日早晚晨夜]")
_PARTS = {
    word: share
    for share, words in (
        ((0.0, 0.4), "early, start, beginning, 初, 上旬"),
        ((0.3, 0.7), "mid, middle, 中旬"),
        ((0.6, 1.0), "late, end, 下旬, 底, 末"),
        ((0.0, 0.25), "first week"),
        ((0.75, 1.0), "last week"),
        ((0.0, 0.5), "first half, 上半年"),
        ((0.5, 1.0), "second half, 下半年"),
    )
    for word in words.split(", ")
}
"""Words for a part of a month, season or year → the shares at which it begins and ends."""
_SHORTEST = 7
"""Days from which on an expression has an early and a late part."""
_MONTH = 28
"""Days of the shortest month."""
_MOST = 8
"""Expressions of a question that are read."""
_BESIDE = 40
"""Characters before an expression in which words that move it are looked for."""
_PART_BEFORE = re.compile(
    r"\b(?:the )?(early|late|mid|middle|start|beginning|end|(?:first|second) half|(?:first|last) week)"
    r"(?: of| in|-)? ?(?:the )?$"
)
_PART_AFTER = re.compile(r"份?的?(初|上旬|中旬|下旬|底|末|上半年|下半年)")
_CLAIMED_FIRST = re.compile(r"\b(?:first|last) week of\b|上半年|下半年")
"""Would be read as a date of its own: "last week of June"."""
_STEP_BEFORE = re.compile(
    r"\b(?:the )?(?:(?P<count>few|two|three|couple of) )?(?P<unit>day|night|week|weekend|month|year)s? "
    r"(?P<side>before|preceding|after|following|of) (?:the )?$"
)
_STEP_AFTER = re.compile(r"的?(?P<side>前|后)的?(?P<count>[一两三几])个?(?P<unit>天|周|星期|月|年)")
_SIDES = {"before": -1, "preceding": -1, "前": -1, "after": 1, "following": 1, "后": 1, "of": 0}
_SIDE_BEFORE = re.compile(
    r"\b(before|prior to|until|till|up to|by|after|following|since|from|as of)(?: (?:the|about|around))? ?$|(自从?|从)$"
)
_SIDE_AFTER = re.compile(r"(?:之|以)?(前(?!后)|后)(?!天|面|来)|(以来|起)| (?:onwards|or later)\b")
_JOINED = re.compile(r",? ?(?:and|to|until|till|through|-|到|至|~|和)(?: (?:the|early|mid|late))? ?")
_JOIN_LEAD = re.compile(r"(?:\b(?:between|from)(?: the)?(?: early| mid| late)?[ -]|[从在自])$")
_TRAILING = re.compile(
    r"\b(?:last|past|previous) (few|couple of|several|\d{1,3}|[a-z]+) (day|week|month|year)s\b"
    r"|(?:最近|过去|近)这?(几|\d{1,3}|[一两二三四五六七八九十]{1,3})个?(天|周|星期|礼拜|月|年)"
)
_HINT = re.compile(rf"{NAMES}|\b(?:last|past|previous) |最近|过去|過去|近", re.IGNORECASE)
_COUNTS = {**SMALL, "a": 1, "few": 4, "several": 6, "couple of": 2, "几": 4, "两": 2}
_UNITS = {"天": "day", "night": "day", "周": "week", "星期": "week", "礼拜": "week", "weekend": "week"}
_UNITS |= {"月": "month", "年": "year"}


def names_time(text: str, anchors: Sequence[Anchor]) -> bool:
    """Whether it may be worth asking for ``periods``: cheap, and true whenever there are some."""
    return any(anchor.kind == "date" for anchor in anchors) or bool(_HINT.search(text))


def periods(
    text: str, anchors: Sequence[Anchor], *, reference: datetime, years: Sequence[int] = ()
) -> tuple[Span, ...]:
    """The intervals of days that a question asks about; none when it names no time. Open sides end with the calendar.

    "Today" is no time: in a question it says "now".

    Args:
        text: The question.
        anchors: What ``extract`` found in it.
        reference: Today: "last summer" is resolved against it.
        years: In which a month, day, season or feast without a year may lie, ascending. Without any, it is the
            nearest to ``reference``.
    """
    surface = read(text)
    found = _mentions(surface, anchors, reference.date(), years)
    spans: list[Span] = []
    while found:
        joined = _join(surface.lower, found)
        spans += joined or _moved(surface.lower, found[0])
        found = found[2:] if joined else found[1:]
    return tuple(sorted(set(spans)))


def _mentions(surface: Surface, anchors: Sequence[Anchor], today: date, years: Sequence[int]) -> list[Mention]:
    """In the order of the text."""
    found = [*_trailing(surface, today), *yearly(surface, today, years or [today.year])]
    for start, end, _ in found:
        surface.claim(start, end)
    for match in _CLAIMED_FIRST.finditer(surface.lower):
        surface.claim(*match.span())
    for anchor in anchors:
        wording = surface.lower[anchor.start : anchor.end]
        if anchor.since and anchor.until and surface.free(anchor.start, anchor.end) and not _NOW.match(wording):
            span = (anchor.since.date(), anchor.until.date())
            yearless = years and _YEARLESS.fullmatch(wording)
            found.append((anchor.start, anchor.end, _each_year(span, years) if yearless else [span]))
    return sorted(mention for mention in found if mention[2])[:_MOST]


def _trailing(surface: Surface, today: date) -> list[Mention]:
    """ "in the past two weeks", 最近三个月: up to today."""
    found: list[Mention] = []
    for match in _TRAILING.finditer(surface.lower):
        count = _count(match[1] or match[3])
        if count:
            first = _stepped(today, -count, match[2] or match[4])
            found.append((*match.span(), [(first, calendar.shift(today, 1))]))
    return found


def _each_year(span: Span, years: Sequence[int]) -> list[Span]:
    """The same days in each of the years; a 29 February only where there is one."""
    first, length = span[0], (span[1] - span[0]).days
    if first.day == 1 and length >= _MONTH:
        spans = [calendar.month(year, first.month) for year in years]
    else:
        spans = [_lasting(calendar.day(year, first.month, first.day), length) for year in years]
    return [found for found in spans if found]


def _lasting(span: Span | None, length: int) -> Span | None:
    return calendar.days(span[0], length) if span else None


def _join(lower: str, found: Sequence[Mention]) -> list[Span]:
    """ "between A and B", 从A到B: one stretch from the first to the second."""
    if len(found) < 2 or not _JOINED.fullmatch(lower, found[0][1], found[1][0]):
        return []
    start = found[0][0]
    if not _JOIN_LEAD.search(lower, max(0, start - _BESIDE), start) and lower[found[0][1] : found[1][0]].strip() in (
        "and",
        "和",
    ):
        return []
    starts, ends = found[0][2], found[1][2]
    pairs = [(max((one for one in starts if one[0] <= other[0]), default=None), other) for other in ends]
    return [(one[0], other[1]) for one, other in pairs if one]


def _moved(lower: str, mention: Mention) -> list[Span]:
    """One expression, as the words beside it move it."""
    start, end, spans = mention
    since = max(0, start - _BESIDE)
    part = _PART_BEFORE.search(lower, since, start) or _PART_AFTER.match(lower, end)
    if part:
        start, end = min(start, part.start()), max(end, part.end())
        spans = [_part(span, part[1]) for span in spans]
    step = _STEP_BEFORE.search(lower, since, start) or _STEP_AFTER.match(lower, end)
    if step:
        return [_shifted(span, step) for span in spans]
    side = _SIDE_BEFORE.search(lower, since, start) or _SIDE_AFTER.match(lower, end)
    return [_opened(span, side.group().strip()) for span in spans] if side else spans


def _part(span: Span, name: str) -> Span:
    days = (span[1] - span[0]).days
    since, until = _PARTS[name]
    if days < _SHORTEST:
        return span
    return calendar.shift(span[0], round(since * days)), calendar.shift(span[0], round(until * days))


def _shifted(span: Span, step: re.Match[str]) -> Span:
    """ "the week before": the days right before; "the week of": the week that holds its first day."""
    count, unit, side = _count(step["count"] or "a"), step["unit"], _SIDES[step["side"]]
    if side < 0:
        return _stepped(span[0], -count, unit), span[0]
    if side > 0:
        return span[1], _stepped(span[1], count, unit)
    return calendar.ago(span[0], 0, _UNITS.get(unit, unit)) or span


def _opened(span: Span, side: str) -> Span:
    """Before what begins, until what ends, after what ends, since what begins."""
    if side.startswith(("before", "prior")) or side.endswith("前"):
        return _EVER[0], span[0]
    if side.startswith(("until", "till", "up to", "by")):
        return _EVER[0], span[1]
    if side.startswith(("after", "following")) or side.endswith("后"):
        return span[1], _EVER[1]
    return span[0], _EVER[1]


def _count(text: str) -> int:
    if text.isdigit():
        return int(text)
    return _COUNTS.get(text) or (0 if text.isascii() else int(chinese(text) or 0))


def _stepped(origin: date, count: int, unit: str) -> date:
    """``origin`` moved by ``count`` units."""
    unit = _UNITS.get(unit, unit)
    if unit in ("day", "week"):
        return calendar.shift(origin, count * (7 if unit == "week" else 1))
    return calendar.shift(origin, round(count * (30.4 if unit == "month" else 365.25)))
