"""Names of people, places, organisations, products and works, in Latin letters and in Chinese."""

from __future__ import annotations

from aim_memory.anchors.names_en import english_names
from aim_memory.anchors.names_zh import chinese_names
from aim_memory.anchors.surface import Surface
from aim_memory.types import Anchor


def find_names(surface: Surface) -> list[Anchor]:
    """Name anchors; names that overlap an earlier one are left out."""
    found = []
    for start, end, key in (*english_names(surface), *chinese_names(surface)):
        if surface.free(start, end):
            surface.claim(start, end)
            found.append(Anchor("name", key, surface.text[start:end], start, end))
    return found
