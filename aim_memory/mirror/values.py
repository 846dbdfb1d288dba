"""When two values of one attribute say the same: digits exactly, words as a whole, days and hours each for itself."""

from __future__ import annotations

import re

_CLOCK = re.compile(r"\b(\d{1,2}):(\d\d)(\?)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d/\d{4}-\d\d-\d\d|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day")
_TOKEN = re.compile(r"[a-z]+|\d+(?:[.:/-]\d+)*|[\u3400-\u9fff]")
_NOT_DIGITS = re.compile(r"\D")
_LETTERS = re.compile("[a-z\u3400-\u9fff]")
_SHORTEST_NUMBER = 7
_HALF_DAY = 720


def same(one: str, other: str) -> bool:
    """Whether two folded values agree, or one only says more than the other ("munich", "munich, germany").

    Appointments are compared part by part: "thursday" and "15:00" are two parts of one and agree, "thursday 15:00" and
    "friday" do not. "3:00?" is three o'clock of either half of the day.
    """
    if one == other:
        return True
    days, clocks = (_day(one), _day(other)), (_clock(one), _clock(other))
    if (any(days) and any(clock is not None for clock in clocks)) or all(days) or None not in clocks:
        return (None in days or days[0] == days[1]) and (None in clocks or _same_clock(one, other))
    return _refines(_TOKEN.findall(one), _TOKEN.findall(other)) or _same_number(one, other)


def _clock(value: str) -> int | None:
    match = _CLOCK.search(value)
    return int(match[1]) * 60 + int(match[2]) if match else None


def _same_clock(one: str, other: str) -> bool:
    first, second = _clock(one) or 0, _clock(other) or 0
    return first == second or ("?" in one + other and first % _HALF_DAY == second % _HALF_DAY)


def _day(value: str) -> str | None:
    match = _DAY.search(value)
    return match.group() if match else None


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
