"""What a rule of the statement grammar is, and how its parts become subject, attribute and value."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from aim_memory.types import Anchor

Reader = Callable[["Clause", int, int], str | None]
"""(clause, start, end) → the folded value in that stretch, or None when it holds no such value."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A sentence with its place in the text and the anchors that lie in it."""

    text: str
    """Folded."""
    start: int
    """Where it begins in the whole text, whose offsets the anchors use."""
    speaker: str
    anchors: Sequence[Anchor]
    whole: str
    """The folded text that the sentence is part of."""

    def within(self, start: int, end: int) -> list[Anchor]:
        """Anchors that begin in ``[start, end)`` of the clause, in order."""
        return [anchor for anchor in self.anchors if start <= anchor.start - self.start < end]

    @property
    def prose(self) -> str:
        """The text without what could be mistaken for words: identifiers ("old@example.com") and "4 May"."""
        prose = self.text
        for anchor in self.anchors:
            if anchor.kind == "identifier" or (anchor.kind == "date" and "may" in anchor.text.lower()):
                start, end = anchor.start - self.start, anchor.end - self.start
                prose = f"{prose[:start]}{'_' * (end - start)}{prose[end:]}"
        return prose

    def starts_name(self, start: int) -> bool:
        return any(anchor.kind == "name" and anchor.start - self.start == start for anchor in self.anchors)


@dataclass(frozen=True, slots=True)
class Rule:
    """One way of saying one attribute.

    Groups of the pattern: ``me``, ``kin``, ``name`` or ``thing`` name the subject (none of them: the speaker),
    ``value`` holds the value, ``what`` refines the attribute ("favourite" + "colour").
    """

    attribute: str
    cues: tuple[str, ...]
    """The pattern can only match where one of these occurs."""
    source: str
    """Of the pattern."""
    read: Reader
    scheduled: bool = False

    @property
    def pattern(self) -> re.Pattern[str]:
        return _compiled(self.source)

    def fits(self, text: str) -> bool:
        return any(cue in text for cue in self.cues)


@cache
def _compiled(source: str) -> re.Pattern[str]:
    """When it is first needed: all of them together take a quarter of a second, and many are never cued."""
    return re.compile(source)


def text_value(clause: Clause, start: int, end: int) -> str | None:
    """The words themselves, with anchors put in their normal form."""
    parts, at = [], start
    for anchor in clause.within(start, end):
        if anchor.kind in ("number", "date", "identifier") and at <= anchor.start - clause.start:
            parts += [clause.text[at : anchor.start - clause.start], day_name(anchor) or anchor.key]
            at = min(anchor.end - clause.start, end)
    return _TRIMMED.sub("", "".join((*parts, clause.text[at:end]))) or None


def named_value(clause: Clause, start: int, end: int) -> str | None:
    """Words that a name opens, or an identifier with letters ("a Pixel 9")."""
    opens = re.compile(r"(?:an? |the |old |new |small |little |used |(?:19|20)\d\d )*").match(clause.text, start, end)
    first = opens.end() if opens else start
    inside = clause.within(first, first + 1)
    if any(anchor.kind in ("name", "identifier", "symbol") for anchor in inside):
        return text_value(clause, first, end)
    return None


def place_value(clause: Clause, start: int, end: int) -> str | None:
    """A named place, with the larger place that a comma joins to it ("Lisbon, Portugal")."""
    wider = _WIDER.match(clause.text, end)
    if wider and clause.starts_name(wider.start(1)):
        end = wider.end()
    return named_value(clause, start, end)


def figure_value(clause: Clause, start: int, end: int) -> str | None:
    """The first number of any kind, times of day included."""
    return next((anchor.key for anchor in clause.within(start, end) if anchor.kind == "number"), None)


def amount_value(clause: Clause, start: int, end: int) -> str | None:
    """The first number of any kind but a time of day."""
    for anchor in clause.within(start, end):
        if anchor.kind == "number" and anchor.unit not in ("time", "clock", "ordinal"):
            return anchor.key
    return None


def measured_value(clause: Clause, start: int, end: int) -> str | None:
    """An amount with a unit of measure that fills the whole stretch: "40 minutes", not "2 hours late" and no age."""
    filling = [anchor for anchor in clause.within(start, end) if anchor.end - clause.start == end]
    measured = [anchor for anchor in filling if anchor.kind == "number" and anchor.unit not in _NOT_MEASURES]
    return measured[0].key if measured and measured[0].start - clause.start == start else None


def money_value(clause: Clause, start: int, end: int) -> str | None:
    """The first number, when it is money."""
    return _sum(clause, start, end, _CURRENCIES)


def sum_value(clause: Clause, start: int, end: int) -> str | None:
    """The first number, when it is money or bare: for rents and budgets the currency goes without saying."""
    return _sum(clause, start, end, _CURRENCIES | {None})


def _sum(clause: Clause, start: int, end: int, units: frozenset[str | None]) -> str | None:
    found = next((anchor for anchor in clause.within(start, end) if anchor.kind == "number"), None)
    return found.key.split(" ")[0] if found and found.unit in units else None


def time_value(clause: Clause, start: int, end: int) -> str | None:
    """Day and time of day, each if stated, when one of them stands right at the beginning."""
    lead = _TIME_LEAD.match(clause.text, start, end)
    first = lead.end() if lead else start
    found = [
        anchor for anchor in clause.within(start, end) if anchor.kind == "date" or anchor.unit in ("time", "clock")
    ]
    weekly = _WEEKLY.search(clause.text, first, end)
    if (not found and not weekly) or (found and not weekly and found[0].start - clause.start > first):
        return None
    days = [day_name(anchor) or anchor.key for anchor in found if anchor.kind == "date"] or (
        [weekly[1]] if weekly else []
    )
    clocks = [anchor.key for anchor in found if anchor.kind == "number"]
    return " ".join(days[:1] + clocks[:1]) or None


def date_value(clause: Clause, start: int, end: int) -> str | None:
    """The first date."""
    for anchor in clause.within(start, end):
        if anchor.kind == "date":
            return day_name(anchor) or anchor.key
    return None


def digits_value(clause: Clause, start: int, end: int) -> str | None:
    """The words, when there is a digit among them (an address)."""
    value = _TRIMMED.sub("", clause.text[start:end])
    return value if any(char.isdigit() for char in value) else None


def identifier_value(slot: str) -> Reader:
    """A reader of the first identifier of one slot ("phone", "email")."""

    def read(clause: Clause, start: int, end: int) -> str | None:
        return next((anchor.key for anchor in clause.within(start, end) if anchor.slot == slot), None)

    return read


def chosen(values: dict[str, str]) -> Reader:
    """A reader that maps the words found to a canonical value; the longest of ``values`` that occurs wins."""

    def read(clause: Clause, start: int, end: int) -> str | None:
        stretch = clause.text[start:end]
        return next((values[form] for form in sorted(values, key=len, reverse=True) if form in stretch), None)

    return read


def day_name(anchor: Anchor) -> str | None:
    """The weekday of a date that was said as a bare weekday; such dates come round again."""
    if anchor.kind != "date" or anchor.since is None or not _BARE_WEEKDAY.fullmatch(anchor.text.lower()):
        return None
    return _WEEKDAYS[anchor.since.weekday()]


_WIDER = re.compile(r", ([a-z]+)\b")
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_CURRENCIES: frozenset[str | None] = frozenset({"usd", "eur", "gbp", "cny", "jpy", "hkd", "twd", "inr", "krw", "pound"})
_NOT_MEASURES = _CURRENCIES | {None, "age", "time", "clock", "ordinal"}
_BARE_WEEKDAY = re.compile(
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?:mon|tue|wed|thu|fri|sat|sun)|[这本]?(?:周|週|星期|礼拜|禮拜)[一二三四五六日天]"
)
_WEEKLY = re.compile(r"\b((?:mon|tues|wednes|thurs|fri|satur|sun)day)s?\b")
_TIME_LEAD = re.compile(
    r"(?:(?:on|at|to|for|from|until|till|by|every|each|now|back|forward|the|scheduled|set|be|around|about|next|this) "
    r"|[在到于为每改定是了成])*"
)
_TRIMMED = re.compile(r"^[\s,，:：'\"]+|[\s,，.。!！'\"]+$")
