"""Which day a quote speaks of: "last Friday" says nothing without the day on which it was said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

from aim_memory.anchors import extract
from aim_memory.answer.stretches import Stretch
from aim_memory.text import asks_when
from aim_memory.types import Anchor, EvidenceBlock

_CJK = re.compile(r"[\u4e00-\u9fff]")
_YEAR = re.compile(r"(?:19|20)\d\d")
_LINE = re.compile(r"(?:Date: |Said on: |日期：|说于：)[^\[]*")
_MONTHS = "January February March April May June July August September October November December".split()
_DAY = timedelta(days=1)


def date_line(question: str, quote: Stretch, blocks: Sequence[EvidenceBlock]) -> str | None:
    """The date that the best quote gives to a question for one; None when it says it in full itself.

    It is the first that the quote names, else the day on which it was said.
    """
    if not asks_when(question):
        return None
    block, chinese = blocks[quote.block], bool(_CJK.search(question))
    found = [anchor for anchor in extract(block.text, reference=block.timestamp) if _inside(anchor, quote)]
    if found:
        return None if _YEAR.search(found[0].text) else _named(found[0], chinese)
    said = _written(block.timestamp.date(), chinese)
    return f"说于：{said}" if chinese else f"Said on: {said}"


def is_date_line(line: str) -> bool:
    """Whether a line of an answer is such a date: it is no statement that could cite a memory."""
    return bool(_LINE.fullmatch(line))


def _inside(anchor: Anchor, quote: Stretch) -> bool:
    return anchor.kind == "date" and quote.start <= anchor.start and anchor.end <= quote.end


def _named(anchor: Anchor, chinese: bool) -> str | None:
    if anchor.since is None or anchor.until is None:
        return None
    days = _span(anchor.since.date(), anchor.until.date() - _DAY, chinese)
    return f"日期：{days}" if chinese else f"Date: {days}"


def _span(first: date, last: date, chinese: bool) -> str:
    """A day, a month, a year, or from one to another of them."""
    month = first.day == 1 and (last + _DAY).day == 1
    if month and (first.month, last.month) == (1, 12):
        begins, ends = _year(first.year, chinese), _year(last.year, chinese)
    else:
        begins, ends = (_month(day, chinese) if month else _written(day, chinese) for day in (first, last))
    return begins if begins == ends else _between(begins, ends, chinese)


def _between(begins: str, ends: str, chinese: bool) -> str:
    return f"{begins}至{ends}" if chinese else f"{begins} to {ends}"


def _written(day: date, chinese: bool) -> str:
    return f"{day.year}年{day.month}月{day.day}日" if chinese else f"{day.day} {_month(day, False)}"


def _month(day: date, chinese: bool) -> str:
    return f"{day.year}年{day.month}月" if chinese else f"{_MONTHS[day.month - 1]} {day.year}"


def _year(number: int, chinese: bool) -> str:
    return f"{number}年" if chinese else f"the year {number}"
