"""Names of people, places, organisations, products and works, in Latin letters and in Chinese."""

from __future__ import annotations

from aim_memory.anchors.names_en import english_names
from aim_memory.anchors.names_zh import chinese_names
from aim_memory.anchors.surface import Surface
from aim_memory.anchors.units import UNITS
from aim_memory.text.tongues import FUNCTION_WORDS
from aim_memory.types import Anchor


def find_names(surface: Surface) -> list[Anchor]:
    """Name anchors; names that overlap an earlier one are left out."""
    german = surface.language == "de"
    found = []
    for start, end, key in (*english_names(surface), *chinese_names(surface)):
        if surface.free(start, end) and not (german and _maybe_noun(key)):
            surface.claim(start, end)
            found.append(Anchor("name", key, surface.text[start:end], start, end))
    return found


def _maybe_noun(key: str) -> bool:
    """Whether this need not be a name in German, where every noun has a capital."""
    words = key.split()
    return len(words) == 1 or not FUNCTION_WORDS["de"].isdisjoint(words) or not UNITS.keys().isdisjoint(words)
