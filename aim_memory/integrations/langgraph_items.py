"""A LangGraph item as a memory, and back; and its filters, here and in the memory's own grammar."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from aim_memory.bodies import MemoryItem, MemoryView
from aim_memory.extras import needs
from aim_memory.integrations.payloads import pack, safe_id, unpack, words

with needs("langgraph"):
    from langgraph.store.base import get_text_at_path

OWN = "langgraph"
"""The one key of the metadata that is ours."""
MOST_CONDITIONS = 20
UNINDEXED = {f"metadata.{OWN}.indexed": {"eq": False}}
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_OPERATORS = {"$eq": "eq", "$ne": "ne", "$gt": "gt", "$gte": "gte", "$lt": "lt", "$lte": "lte"}
_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "$eq": lambda held, wanted: bool(held == wanted),
    "$ne": lambda held, wanted: bool(held != wanted),
    "$gt": lambda held, wanted: _comparable(held, wanted) and held > wanted,
    "$gte": lambda held, wanted: _comparable(held, wanted) and held >= wanted,
    "$lt": lambda held, wanted: _comparable(held, wanted) and held < wanted,
    "$lte": lambda held, wanted: _comparable(held, wanted) and held <= wanted,
}


def item_of(
    key: str,
    value: Mapping[str, Any],
    index: Sequence[str] | bool | None,
    fields: Sequence[str] | None,
    minutes: float | None,
    now: datetime,
) -> MemoryItem:
    """An item to write. ``index`` is the put's own say on what is searched, ``fields`` the store's; it lives
    ``minutes`` from ``now``, or for ever."""
    paths = fields if index is None else index
    searched = "" if paths is False else _words(value, paths if not isinstance(paths, bool) else None)
    lifetime = {} if minutes is None else {"minutes": minutes}
    text, metadata = pack(OWN, dict(value), searched, key=key, indexed=bool(searched.strip()), **lifetime)
    end = None if minutes is None else now + timedelta(minutes=minutes)
    return MemoryItem(id=safe_id(key), text=text, metadata=metadata, expires_at=end, source=OWN)


def lifetime_of(view: MemoryView) -> float | None:
    """Minutes that an item lives after it was last read or written; None for ever."""
    minutes: float | None = view.metadata.get(OWN, {}).get("minutes")
    return minutes


def read_item(view: MemoryView) -> tuple[str, dict[str, Any]]:
    """Key and value of a memory; one that came through another door is its id and {"text": ...}."""
    own = view.metadata.get(OWN)
    if not isinstance(own, dict) or "key" not in own:
        return view.id, {"text": view.text}
    return own["key"], unpack(OWN, view)


def _words(value: Mapping[str, Any], paths: Sequence[str] | None) -> str:
    """What is searched of a value: its leaves by name, or the texts at some paths."""
    if paths is None or "$" in paths:
        return words(value)
    return "\n".join(text for path in paths for text in get_text_at_path(value, path))


# --- filters -------------------------------------------------------------------------------------------------------


def holds(value: Mapping[str, Any], filter: Mapping[str, Any] | None) -> bool:  # noqa: A002  LangGraph's word
    """Whether a value fulfils a filter, as LangGraph means it. Raises ValueError for an operator it does not know."""
    return all(_fulfils(_at(value, key), wanted) for key, wanted in (filter or {}).items())


def _at(value: Mapping[str, Any], key: str) -> Any:
    """What is held under a key, or, where there is no such key, along it: "user.name"."""
    if key in value or "." not in key:
        return value.get(key)
    first, _, rest = key.partition(".")
    inner = value.get(first)
    return _at(inner, rest) if isinstance(inner, Mapping) else None


def _fulfils(held: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        if any(str(key).startswith("$") for key in wanted):
            return all(_test(operator)(held, operand) for operator, operand in wanted.items())
        return isinstance(held, Mapping) and holds(held, wanted)
    if isinstance(wanted, list | tuple):
        alike = isinstance(held, list | tuple) and len(held) == len(wanted)
        return alike and all(map(_fulfils, held, wanted))
    return bool(held == wanted)


def _test(operator: str) -> Callable[[Any, Any], bool]:
    if operator not in _TESTS:
        raise ValueError(f"Unsupported operator: {operator}; there are {', '.join(_TESTS)}.")
    return _TESTS[operator]


def _comparable(held: Any, wanted: Any) -> bool:
    return all(isinstance(side, int | float) for side in (held, wanted)) or (
        isinstance(held, str) and isinstance(wanted, str)
    )


def pushed(filter: Mapping[str, Any]) -> list[dict[str, Any]]:  # noqa: A002
    """What the memory itself narrows by, so that a question ranks only what may be found; ``holds`` does the rest."""
    conditions = [
        {f"metadata.{OWN}.value.{key}": {name: operand}}
        for key, wanted in filter.items()
        for name, operand in _simple(wanted)
        if _NAME.fullmatch(key)
    ][:MOST_CONDITIONS]
    # The value of a large item is not in its metadata.
    return [{"or": [{f"metadata.{OWN}.whole": {"eq": True}}, {"and": conditions}]}] if conditions else []


def is_pushed(filter: Mapping[str, Any]) -> bool:  # noqa: A002
    """Whether ``pushed`` says all that a filter says."""
    conditions = [(key, wanted) for key, wanted in filter.items() for _ in _simple(wanted)]
    operators = sum(len(wanted) if isinstance(wanted, Mapping) else 1 for wanted in filter.values())
    return len(conditions) == operators <= MOST_CONDITIONS and all(_NAME.fullmatch(key) for key, _ in conditions)


def _simple(wanted: Any) -> Iterator[tuple[str, Any]]:
    given = wanted if isinstance(wanted, Mapping) else {"$eq": wanted}
    for operator, operand in given.items():
        if operator in _OPERATORS and isinstance(operand, str | int | float):
            yield _OPERATORS[operator], operand


def indexed_only(narrowed: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The filter of a question: what may be found, without what was put to be found by key alone."""
    return {"and": [{f"metadata.{OWN}.indexed": {"ne": False}}, *narrowed]}
