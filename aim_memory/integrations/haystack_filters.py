"""Haystack's filters in the memory's own grammar, as far as they go: what it narrows by before it ranks.

A translation lets through all that Haystack means, and maybe more; Haystack's own evaluation has the last word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from aim_memory.bodies import Filter

OWN = "haystack"
MOST_CONDITIONS = 20
MOST_LEVELS = 4
_PATH = re.compile(r"meta\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_DATE = re.compile(r"\d{4}-\d{2}")
"""How a string begins that Haystack may take for a moment, and compare as one."""
_OPERATORS = {"==": "eq", "!=": "ne", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte", "in": "in", "not in": "nin"}
_Translated = tuple[Filter | None, bool]
"""A translation, None for nothing; and whether it says all that was said."""


def narrowed(filters: Mapping[str, Any] | None) -> Filter | None:
    """The translation; None where nothing can be narrowed by, or where it would be too long.

    Memories that came through another door pass: their ``meta`` lies elsewhere.
    """
    found = _translated(filters)[0] if filters else None
    if found is None or _size(found) > MOST_CONDITIONS or _levels(found) > MOST_LEVELS:
        return None
    return {"or": [{"source": {"ne": OWN}}, found]}


def _translated(filters: Mapping[str, Any]) -> _Translated:
    if "field" in filters:
        found = _comparison(filters)
        return found, found is not None
    combine = _LOGIC.get(str(filters.get("operator")))
    if combine is None:
        return None, False
    parts = [_translated(condition) for condition in filters["conditions"]]
    return combine([part for part, _ in parts if part is not None], all(whole for _, whole in parts))


def _and(parts: list[Filter], whole: bool) -> _Translated:
    return ({"and": parts} if parts else None), whole


def _or(parts: list[Filter], whole: bool) -> _Translated:
    return ({"or": parts}, True) if whole else (None, False)


def _not(parts: list[Filter], whole: bool) -> _Translated:
    return ({"not": {"and": parts}}, True) if whole else (None, False)


_LOGIC: Mapping[str, Callable[[list[Filter], bool], _Translated]] = {"AND": _and, "OR": _or, "NOT": _not}


def _comparison(condition: Mapping[str, Any]) -> Filter | None:
    field, operator, value = str(condition["field"]), condition.get("operator"), condition.get("value")
    if not _PATH.fullmatch(field) or operator not in _OPERATORS:
        return None
    if operator in ("in", "not in"):
        fits = isinstance(value, list) and bool(value) and all(map(_is_plain, value))
    elif operator in ("==", "!="):
        fits = _is_plain(value)
    else:
        fits = _is_number(value)
    return {f"metadata.{OWN}.{field}": {_OPERATORS[operator]: value}} if fits else None


def _is_plain(value: object) -> bool:
    """Compared here as it is there. 0 and 1 are also False and True there, and not here."""
    if isinstance(value, str):
        return _DATE.match(value) is None
    return _is_number(value) and value not in (0, 1)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _size(found: Filter) -> int:
    return sum(map(_size, _parts(found))) or 1


def _levels(found: Filter) -> int:
    return 1 + max(map(_levels, _parts(found)), default=0)


def _parts(found: Filter) -> list[Filter]:
    return [*found.get("and", ()), *found.get("or", ()), *([found["not"]] if "not" in found else [])]
