"""Anchor extraction: the order in which the grammars read a text.

What an earlier grammar claims no later one reads again: identifiers and dates come before names ("March"), names before
numbers (百年孤独 in title marks, "iPhone 15 Pro"). Only definitions may hold anchors of other kinds.
"""

from __future__ import annotations

from datetime import datetime

from aim_memory.anchors.dates import find_dates
from aim_memory.anchors.definitions import find_definitions
from aim_memory.anchors.identifiers import find_identifiers
from aim_memory.anchors.names import find_names
from aim_memory.anchors.numbers import find_numbers
from aim_memory.anchors.surface import read
from aim_memory.anchors.symbols import find_symbols
from aim_memory.types import Anchor


def extract(text: str, *, reference: datetime) -> tuple[Anchor, ...]:
    """The anchors of a text, by start, then end.

    Args:
        text: Any text; offsets of the anchors are code points of it.
        reference: When the text was said; relative dates ("last Friday", 上周三) are resolved against it.
    """
    surface = read(text)
    found = find_identifiers(surface) + find_dates(surface, reference) + find_names(surface)
    found += find_numbers(surface) + find_symbols(surface) + find_definitions(surface)
    return tuple(sorted(found, key=lambda anchor: (anchor.start, anchor.end, anchor.kind)))
