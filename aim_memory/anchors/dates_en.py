"""English date expressions: absolute ("14 March 2026", "2026-03-14", "Q3 2025") and relative ("last Friday").

Read word by word: only a word that can open or close a date is looked at more closely, so text without dates costs
a dictionary look-up per word. Weeks are ISO weeks. "last Friday" is the latest one before the reference day, "next
Friday" the one of the next week, a bare weekday the nearest one to come unless the clause is in the past tense.
Numeric dates that could be read day first or month first (03/04/2026, 03/14) are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from aim_memory.anchors import calendar
from aim_memory.anchors.calendar import Span
from aim_memory.anchors.numerals import SMALL
from aim_memory.anchors.surface import Surface

Found = tuple[int, int, Span | None]

_MONTH_NAMES = "january february march april may june july august september october november december".split()
MONTHS = {name: index for index, name in enumerate(_MONTH_NAMES, start=1)}
MONTHS |= {name[:3]: index for name, index in MONTHS.items()} | {"sept": 9}
_DAY_NAMES = "monday tuesday wednesday thursday friday saturday sunday".split()
WEEKDAYS = {name: index for index, name in enumerate(_DAY_NAMES)}
WEEKDAYS |= {"mon": 0, "tue": 1, "tues": 1, "wed": 2, "thu": 3, "thur": 3, "thurs": 3, "fri": 4, "sat": 5, "sun": 6}
_ALSO_WORDS = frozenset({name for name in (*MONTHS, *WEEKDAYS) if len(name) < 5} - {"june", "july"} | {"march"})
"""Abbreviations and words that mean something else too: read as dates only when capitalised, and led by a preposition
or joined to a number."""
_NEAR_DAYS = {"today": 0, "tonight": 0, "yesterday": -1, "tomorrow": 1}
_DAY_PARTS = frozenset({"morning", "afternoon", "evening", "night"})
_STEPS = {"last": -1, "past": -1, "previous": -1, "next": 1, "coming": 1, "following": 1, "this": 0, "current": 0}
_UNITS = {"day": "day", "week": "week", "month": "month", "year": "year"}
_UNITS |= {f"{unit}s": unit for unit in _UNITS}
_COUNTS = {**SMALL, "a": 1, "an": 1}

_NTH = r"(\d{1,2})(?:st|nd|rd|th)?"
_YYYY = r"((?:19|20)\d\d)(?!\d)"
_DAY_BEFORE = re.compile(rf"(?:(?<=\W)|^){_NTH}(?: ?(?:-|to) ?{_NTH})?(?: of)? $")
_AFTER = re.compile(
    rf"\.?,? ?(?:the )?{_NTH}(?![\d:%$]|[.,]\d)(?: ?(?:-|to|and) ?{_NTH}(?![\d:]))?(?:,? ?{_YYYY})?|,?(?: of)? {_YYYY}"
)
_YEAR_AFTER = re.compile(rf",?(?: of)? {_YYYY}")
_COUNT_BEFORE = re.compile(
    r"(?:(?<=\W)|^)(\d{1,4}|[a-z]+)(?: couple(?: of)?)? (days?|weeks?|months?|years?) (?:ago|back|from now)$"
)
_COUNT_AFTER = re.compile(r"in (\d{1,3}|[a-z]+) (days?|weeks?|months?|years?)(?: time)?\b")
_NUMERIC = re.compile(
    r"(?P<iso>(?:19|20)\d\d)([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})(?![./-]?\d)"
    r"|(?P<short>(?:19|20)\d\d)-(?P<only>0[1-9]|1[0-2])(?![\d-])"
    rf"|(?P<first>\d{{1,2}})([-/.])(?P<second>\d{{1,2}})\8(?P<last>{_YYYY})"
    r"|(?P<decade>(?:19|20)\d0)s\b|\d{1,2}/\d{1,2}(?![\d/])"
)
_QUARTER = re.compile(rf"q([1-4]),? ?(?:of )?{_YYYY}")
_YEAR = re.compile(r"(?:19|20)\d\d(?![\d,./:%-]?\d|[%a-z])")
_YEAR_LEAD = re.compile(
    r"(?:\b(?:in|since|by|of|from|until|till|during|before|after|around|year|late|early|mid|through|and|to|circa)"
    r"|[(\-]) ?$"
)
_PAST = re.compile(
    r"\b(?:was|were|went|had|did|got|met|came|saw|said|told|took|made|left|fell|broke|gave|found|bought|brought|caught|"
    r"ran|swam|rode|drove|flew|wrote|spoke|sold|lost|won|heard|felt|began|slept|woke|sent|paid|ate|spent|[a-z]{3,}ed)\b"
)
_LASTING = re.compile(r"(?:n't|\bnot|\bnever|\bfirst|\bonly)\b[^.,;]*$")
"""Makes "in eight days" a stretch that lasted: "hasn't moved in eight days"."""
_PREPOSITION = re.compile(
    r"\b(?:in|last|next|this|since|until|by|of|early|late|mid|on|before|after|between|during|every|from|to|for) $"
)


def english_dates(surface: Surface, today: date) -> Iterator[Found]:
    """(start, end, days) of each expression; None for one that names no day, so that its digits are nobody's."""
    lower = surface.lower
    yield from _numeric_dates(lower)
    for index, (_, _, word) in enumerate(surface.words):
        read = _READERS.get(word)
        if read and (found := read(surface, index, today)):
            yield found
    for match in _YEAR.finditer(lower):
        if _YEAR_LEAD.search(lower, max(0, match.start() - 9), match.start()):
            yield *match.span(), calendar.year(int(match.group()))


def _numeric_dates(lower: str) -> Iterator[Found]:
    for match in _NUMERIC.finditer(lower):
        before = lower[match.start() - 1] if match.start() else " "
        if not (before.isdigit() or before in "./-"):
            yield *match.span(), _numeric(match)
    if "q" in lower:
        for match in _QUARTER.finditer(lower):
            yield *match.span(), calendar.month(int(match[2]), 3 * int(match[1]) - 2, 3)


def _numeric(match: re.Match[str]) -> Span | None:
    if match["iso"]:
        return calendar.day(int(match["iso"]), int(match["month"]), int(match["day"]))
    if match["short"]:
        return calendar.month(int(match["short"]), int(match["only"]))
    if match["decade"]:
        return calendar.year(int(match["decade"]), 10)
    if not match["last"]:
        return None
    year, first, second = int(match["last"]), int(match["first"]), int(match["second"])
    day_first, month_first = calendar.day(year, second, first), calendar.day(year, first, second)
    return day_first or month_first if not (day_first and month_first) or first == second else None


def _near_day(surface: Surface, index: int, today: date) -> Found:
    start, end, word = surface.words[index]
    step = _NEAR_DAYS[word]
    for opening, opened, further in (("the day before ", "yesterday", -2), ("the day after ", "tomorrow", 2)):
        if word == opened and surface.lower.startswith(opening, start - len(opening)) and start >= len(opening):
            start, step = start - len(opening), further
    after = surface.words[index + 1] if index + 1 < len(surface.words) else (0, 0, "")
    if after[2] in _DAY_PARTS and surface.lower[end : after[0]] == " ":
        end = after[1]
    return start, end, calendar.days(calendar.shift(today, step), 1)


def _month(surface: Surface, index: int, today: date) -> Found | None:
    start, end, word = surface.words[index]
    lead = _DAY_BEFORE.search(surface.lower, max(0, start - 16), start)
    if lead and 1 <= int(lead[1]) <= 31:
        tail = _YEAR_AFTER.match(surface.lower, end + (surface.lower[end : end + 1] == "."))
        span = _dated(tail[1] if tail else None, MONTHS[word], int(lead[1]), today)
        return lead.start(), tail.end() if tail else end, _until(span, lead[2])
    tail = _AFTER.match(surface.lower, end)
    if tail and tail[4]:
        return start, tail.end(), calendar.month(int(tail[4]), MONTHS[word])
    if tail and 1 <= int(tail[1]) <= 31 and _certain(surface, index):
        return start, tail.end(), _until(_dated(tail[3], MONTHS[word], int(tail[1]), today), tail[2])
    return _bare_month(surface, index, today)


def _dated(year: str | None, month: int, number: int, today: date) -> Span | None:
    return calendar.day(int(year), month, number) if year else calendar.nearest(today, month, number)


def _until(span: Span | None, last: str | None) -> Span | None:
    """Stretches a day to a later day of the same month: 14-16 March."""
    if not span or not last or int(last) <= span[0].day:
        return span
    end = calendar.day(span[0].year, span[0].month, int(last))
    return (span[0], end[1]) if end else span


def _bare_month(surface: Surface, index: int, today: date) -> Found | None:
    start, end, word = surface.words[index]
    if not _certain(surface, index) or (word in _ALSO_WORDS and not _led(surface, start)):
        return None
    if index and surface.words[index - 1][2] in _STEPS:
        return None
    return start, end, calendar.nearest(today, MONTHS[word], None)


def _weekday(surface: Surface, index: int, today: date) -> Found | None:
    start, end, word = surface.words[index]
    before = surface.words[index - 1][2] if index else ""
    if before in _STEPS or before in {"every", "each"}:
        return None
    if not _certain(surface, index) or (word in _ALSO_WORDS and not _led(surface, start)):
        return None
    clause = surface.lower[max(0, start - 60) : start].rsplit(".", 1)[-1]
    if _PAST.search(clause):
        return start, end, calendar.last_weekday(today, WEEKDAYS[word])
    ahead = (WEEKDAYS[word] - today.weekday()) % 7
    return start, end, calendar.days(calendar.shift(today, ahead), 1)


def _relative(surface: Surface, index: int, today: date) -> Found | None:
    start, end, word = surface.words[index]
    if index + 1 == len(surface.words) or surface.words[index + 1][0] != end + 1:
        return None
    _, next_end, noun = surface.words[index + 1]
    span = _relative_span(_STEPS[word], noun, today)
    return (start, next_end, span) if span else None


def _relative_span(step: int, noun: str, today: date) -> Span | None:
    if noun in WEEKDAYS:
        last = calendar.last_weekday(today, WEEKDAYS[noun])
        return last if step < 0 else calendar.weekday(today, WEEKDAYS[noun], step)
    if noun in {"week", "month", "year"}:
        return calendar.ago(today, -step, noun)
    if noun == "weekend":
        return calendar.weekend(today, step)
    if noun in _DAY_PARTS:
        return calendar.days(calendar.shift(today, step), 1) if step <= 0 else None
    if noun in calendar.SEASONS:
        return _season(step, noun, today)
    return _near_month(step, MONTHS[noun], today) if noun in MONTHS and len(noun) > 3 else None


def _season(step: int, noun: str, today: date) -> Span | None:
    if step == 0:
        return calendar.season(today.year, noun)
    return calendar.past_season(today, noun) if step < 0 else calendar.coming_season(today, noun)


def _near_month(step: int, number: int, today: date) -> Span | None:
    year = today.year
    if step < 0:
        year -= number >= today.month
    elif step > 0:
        year += number <= today.month
    return calendar.month(year, number)


def _dated_season(surface: Surface, index: int, today: date) -> Found | None:
    start, end, word = surface.words[index]
    tail = _YEAR_AFTER.match(surface.lower, end)
    return (start, tail.end(), calendar.season(int(tail[1]), word)) if tail else None


def _ago(surface: Surface, index: int, today: date) -> Found | None:
    _, end, _ = surface.words[index]
    match = _COUNT_BEFORE.search(surface.lower, max(0, end - 40), end)
    count = _count(match) if match else None
    if not match or count is None:
        return None
    sign = -1 if match.group().endswith("now") else 1
    return match.start(), end, calendar.ago(today, sign * count, _UNITS[match[2]])


def _in(surface: Surface, index: int, today: date) -> Found | None:
    match = _COUNT_AFTER.match(surface.lower, surface.words[index][0])
    count = _count(match) if match else None
    if not match or not count or _LASTING.search(surface.lower, max(0, match.start() - 40), match.start()):
        return None
    return *match.span(), calendar.ago(today, -count, _UNITS[match[2]])


def _count(match: re.Match[str]) -> int | None:
    if " couple" in match.group():
        return 2
    return int(match[1]) if match[1].isdigit() else _COUNTS.get(match[1])


def _certain(surface: Surface, index: int) -> bool:
    """Whether the word can only be a date: unambiguous, or at least capitalised."""
    start, _, word = surface.words[index]
    return word not in _ALSO_WORDS or surface.cased[start].isupper()


def _led(surface: Surface, start: int) -> bool:
    return bool(_PREPOSITION.search(surface.lower, max(0, start - 8), start))


_READERS = {
    **dict.fromkeys(_NEAR_DAYS, _near_day),
    **dict.fromkeys(MONTHS, _month),
    **dict.fromkeys(WEEKDAYS, _weekday),
    **dict.fromkeys(_STEPS, _relative),
    **dict.fromkeys(("spring", "summer", "autumn", "fall", "winter"), _dated_season),
    **dict.fromkeys(("ago", "back", "now"), _ago),
    "in": _in,
}
