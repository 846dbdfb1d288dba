"""Anchors: the numbers, dates, names, identifiers, symbols and definitions of a text, typed, normalised and matched."""

from aim_memory.anchors.extract import extract
from aim_memory.anchors.match import AnchorMatch, compare

__all__ = ["AnchorMatch", "compare", "extract"]
