"""Half-open intervals of days: the days, weeks, months, seasons and years that date expressions name."""

from __future__ import annotations

from datetime import date

Span = tuple[date, date]
"""[first day, day after the last)."""

SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12, "春": 3, "夏": 6, "秋": 9, "冬": 12}
"""Season → its first month (northern, meteorological: three whole months)."""

_FIRST, _LAST = 1, 9998


def day(year: int, month: int, number: int) -> Span | None:
    """One day, or None when the calendar has no such day."""
    try:
        found = date(year, month, number)
    except ValueError:
        return None
    return days(found, 1)


def days(first: date, count: int) -> Span | None:
    """``count`` days from ``first``."""
    return (first, shift(first, count)) if _FIRST < first.year < _LAST else None


def shift(origin: date, count: int) -> date:
    """``origin`` moved by ``count`` days, held inside the calendar."""
    ordinal = min(max(origin.toordinal() + count, 1), date.max.toordinal())
    return date.fromordinal(ordinal)


def week(origin: date, offset: int) -> Span | None:
    """The ISO week (from Monday) ``offset`` weeks from the one that holds ``origin``."""
    return days(shift(origin, 7 * offset - origin.weekday()), 7)


def weekend(origin: date, offset: int) -> Span | None:
    """Saturday and Sunday of that week."""
    return days(shift(origin, 7 * offset - origin.weekday() + 5), 2)


def month(year: int, number: int, count: int = 1) -> Span | None:
    """``count`` months from month ``number`` (1-12, or outside: counted on into other years)."""
    years, index = divmod(number - 1, 12)
    end_years, end_index = divmod(number - 1 + count, 12)
    if year + years <= _FIRST or year + end_years >= _LAST:
        return None
    return date(year + years, index + 1, 1), date(year + end_years, end_index + 1, 1)


def year(number: int, count: int = 1) -> Span | None:
    """``count`` years from ``number``."""
    return month(number, 1, 12 * count)


def season(number: int, name: str) -> Span | None:
    """The season that begins in year ``number``."""
    return month(number, SEASONS[name], 3)


def weekday(origin: date, index: int, offset: int) -> Span | None:
    """Weekday ``index`` (Monday = 0) of the week ``offset`` weeks from the one that holds ``origin``."""
    return days(shift(origin, 7 * offset - origin.weekday() + index), 1)


def last_weekday(origin: date, index: int) -> Span | None:
    """The most recent such weekday before ``origin``."""
    return days(shift(origin, -((origin.weekday() - index - 1) % 7 + 1)), 1)


def nearest(origin: date, month_number: int, number: int | None) -> Span | None:
    """A day or month whose year is not said: the one closest to ``origin``."""
    spans = [
        day(origin.year + step, month_number, number) if number else month(origin.year + step, month_number)
        for step in (-1, 0, 1)
    ]
    found = [span for span in spans if span]
    return min(found, key=lambda span: abs((span[0] - origin).days), default=None)


def ago(origin: date, count: int, unit: str) -> Span | None:
    """The day, week, month or year that lies ``count`` units before ``origin`` (after it when negative)."""
    if abs(count) > 10_000:
        return None
    if unit == "day":
        return days(shift(origin, -count), 1)
    if unit == "week":
        return week(origin, -count)
    if unit == "month":
        return month(origin.year, origin.month - count)
    return year(origin.year - count)


def past_season(origin: date, name: str) -> Span | None:
    """The most recent season of that name that was over before ``origin``."""
    for number in (origin.year, origin.year - 1, origin.year - 2):
        span = season(number, name)
        if span and span[1] <= origin:
            return span
    return None


def coming_season(origin: date, name: str) -> Span | None:
    """The first season of that name that begins after ``origin``."""
    span = season(origin.year, name)
    return span if span and span[0] > origin else season(origin.year + 1, name)
