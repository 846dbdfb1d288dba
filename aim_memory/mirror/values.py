"""When two values of one attribute say the same: digits exactly, words as a whole, days and hours each for itself."""

from __future__ import annotations

import re
from datetime import date

_CLOCK = re.compile(r"\b(\d{1,2}):(\d\d)(\?)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d/\d{4}-\d\d-\d\d|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day")
_TOKEN = re.compile(r"[a-z]+|\d+(?:[.:/-]\d+)*|[\u3400-\u9fff]")
_NOT_DIGITS = re.compile(r"\D")
_LETTERS = re.compile("[a-z\u3400-\u9fff]")
_SHORTEST_NUMBER = 7
_HALF_DAY = 720
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()


def same(one: str, other: str) -> bool:
    """Whether two folded values agree, or one only says more than the other ("munich", "munich in germany").

    Appointments are compared part by part: "thursday" and "15:00" are two parts of one and agree, "thursday 15:00" and
    "friday" do not. "3:00?" is three o'clock of either half of the day.
    """
    if one == other:
        return True
    if (_DAY.search(one) or _CLOCK.search(one)) and (_DAY.search(other) or _CLOCK.search(other)):
        return _same_day(one, other) and _same_clock(one, other)
    return _refines(_TOKEN.findall(one), _TOKEN.findall(other)) or _same_number(one, other)


def _same_clock(one: str, other: str) -> bool:
    """Equal times of day, or not both stated."""
    clocks = [_CLOCK.search(value) for value in (one, other)]
    minutes = [int(clock[1]) * 60 + int(clock[2]) for clock in clocks if clock]
    half = any(clock and clock[3] for clock in clocks)
    return len({minute % _HALF_DAY if half else minute for minute in minutes}) < 2


def _same_day(one: str, other: str) -> bool:
    """Equal days, one interval inside the other, a date and its weekday, or not both stated."""
    days = [found.group() for found in (_DAY.search(one), _DAY.search(other)) if found]
    if len(days) < 2 or days[0] == days[1]:
        return True
    dated = [day.split("/") for day in days if "/" in day]
    if len(dated) == 1:
        weekday = next(day for day in days if "/" not in day)
        return _WEEKDAYS[date.fromisoformat(dated[0][0]).weekday()] == weekday
    if not dated:
        return False
    (since, until), (begin, end) = dated
    return (since <= begin and end <= until) or (begin <= since and until <= end)


def _refines(one: list[str], other: list[str]) -> bool:
    """Whether the shorter run of words stands whole inside the longer one."""
    shorter, longer = (one, other) if len(one) <= len(other) else (other, one)
    return any(longer[at : at + len(shorter)] == shorter for at in range(len(longer) - len(shorter) + 1))


def _same_number(one: str, other: str) -> bool:
    """Phone-like values: the same digits whatever stands between them, or with a country code in front."""
    if _LETTERS.search(one + other):
        return False
    shorter, longer = sorted((_NOT_DIGITS.sub("", value) for value in (one, other)), key=len)
    return len(shorter) >= _SHORTEST_NUMBER and longer.endswith(shorter)
