"""Items of a LangGraph store: the file of a ``SqliteStore``, or its rows (or a search's items) as JSON.

They become what our own store for LangGraph writes, so ``AIMStore`` gives each item back under its namespace and key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aim_memory.errors import InvalidInputError
from aim_memory.importers.turns import Found, Record, Turn, refused
from aim_memory.integrations.payloads import pack, segment, words

FILES = re.compile(r".*\.(?:jsonl?|sqlite3?|db)")
LISTS = ("items",)
OWN = "langgraph"


def found(records: Iterable[Record]) -> Iterator[Found]:
    for number, (place, record) in enumerate(records, 1):
        if place == "" and isinstance(record.get("items"), list):
            continue  # what was around the items
        yield _item(record, number)


def _item(row: Mapping[str, Any], number: int) -> Found:
    labels, key = _labels(row), row.get("key")
    place = f"item {'.'.join(labels or ())}/{key}" if key else f"record {number}"
    if labels is None or not isinstance(key, str):
        return refused("no item of a store: it needs 'prefix' or 'namespace', 'key' and 'value'", place)
    value = _value(row.get("value"))
    if value is None:
        return refused("its value is no JSON object", place)
    searched, minutes = words(value), row.get("ttl_minutes")
    lifetime = {"minutes": minutes} if isinstance(minutes, int | float) else {}
    try:
        text, metadata = pack(OWN, value, searched, key=key, indexed=bool(searched.strip()), **lifetime)
    except InvalidInputError as failure:
        return refused(failure.message, place)
    return Turn(
        place=place,
        id=key,
        text=text,
        namespace="/".join(map(segment, labels)),
        at=row.get("updated_at") or row.get("created_at"),
        metadata=metadata,
        whole=True,
        expires_at=row.get("expires_at"),
    )


def _labels(row: Mapping[str, Any]) -> tuple[str, ...] | None:
    """A row joins them by dots, which no label may hold there."""
    prefix = row.get("prefix", row.get("namespace"))
    if isinstance(prefix, str) and prefix:
        return tuple(prefix.split("."))
    if isinstance(prefix, list) and prefix and all(isinstance(label, str) and label for label in prefix):
        return tuple(prefix)
    return None


def _value(held: Any) -> dict[str, Any] | None:
    if isinstance(held, bytes | str):
        try:
            held = json.loads(held)
        except (ValueError, RecursionError):
            return None
    return held if isinstance(held, dict) else None
