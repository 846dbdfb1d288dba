"""Dates: expressions of many languages as half-open intervals of days, resolved against the time of the text.

Our own grammar rather than a date library: parsing sits on every write and every query, and ``dateparser.search``
takes 50-500 times longer on the same turns (docs/design/anchors.md) while missing week- and season-sized expressions.
"""

from __future__ import annotations

from datetime import datetime, time
from itertools import chain

from aim_memory.anchors.calendar import Span
from aim_memory.anchors.dates_en import english_dates
from aim_memory.anchors.dates_world import world_dates
from aim_memory.anchors.dates_zh import chinese_dates
from aim_memory.anchors.surface import Surface
from aim_memory.types import Anchor

_GRAMMARS = (world_dates, english_dates, chinese_dates)
"""The first has the say: English reads "8. April" as a month alone."""


def find_dates(surface: Surface, reference: datetime) -> list[Anchor]:
    """Date anchors; their text is claimed, so that no digit of a date is read as a number."""
    today = reference.date()
    found: list[Anchor] = []
    for start, end, span in chain.from_iterable(read(surface, today) for read in _GRAMMARS):
        if not surface.free(start, end):
            continue
        surface.claim(start, end)
        if span:
            found.append(_anchor(surface, start, end, span, reference))
    return found


def _anchor(surface: Surface, start: int, end: int, span: Span, reference: datetime) -> Anchor:
    since, until = (datetime.combine(edge, time(), reference.tzinfo) for edge in span)
    key = f"{span[0].isoformat()}/{span[1].isoformat()}"
    return Anchor("date", key, surface.text[start:end], start, end, since=since, until=until)
