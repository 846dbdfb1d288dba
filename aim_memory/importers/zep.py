"""Zep: what its API returns for threads (or sessions), and for a graph's edges, nodes and episodes.

A record is one reply, with ``user_id`` or ``group_id`` beside it, and ``thread_id`` or ``session_id`` for messages. A
message's ``reference_time`` is when it was said; where there is none, ``created_at`` is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aim_memory.importers.turns import Found, Record, Turn, left_out, owner, refused, titled

FILES = re.compile(r".*\.jsonl?")
LISTS: tuple[str, ...] = ()
ROLES = frozenset({"user", "assistant", "system", "tool", "function"})


def found(records: Iterable[Record]) -> Iterator[Found]:
    for number, (_, record) in enumerate(records, 1):
        lists = {name: record[name] for name in _READ if isinstance(record.get(name), list)}
        if not lists:
            yield refused("no reply of Zep's: it has no 'messages', 'edges', 'nodes' or 'episodes'", f"record {number}")
        for name, items in lists.items():
            for index, item in enumerate(items, 1):
                place = f"{titled(name, record.get('thread_id') or record.get('session_id') or number)}, item {index}"
                yield _READ[name](record, item, place) if isinstance(item, Mapping) else refused("no object", place)


def _message(record: Mapping[str, Any], item: Mapping[str, Any], place: str) -> Found:
    """In its second API a role is a name and ``role_type`` the role; from the third on the role is one."""
    role, name = item.get("role_type") or item.get("role"), item.get("name")
    if item.get("role_type") and str(item.get("role")) not in ROLES:
        name = name or item.get("role")
    role = {"norole": None, "ai": "assistant", "human": "user"}.get(str(role), role)
    if role in ("system", "tool", "function"):
        return left_out("a system message" if role == "system" else "output of a tool", place)
    return _turn(record, item, place, "content", role=role, speaker=name, session=_thread(record, item))


def _edge(record: Mapping[str, Any], item: Mapping[str, Any], place: str) -> Found:
    """A fact; when it began to hold is its time."""
    about = {name: item[name] for name in ("name", "valid_at", "invalid_at", "expired_at") if item.get(name)}
    return _turn(record, item, place, "fact", at=item.get("valid_at") or item.get("created_at"), about=about)


def _node(record: Mapping[str, Any], item: Mapping[str, Any], place: str) -> Found:
    if not str(item.get("summary") or "").strip():
        return left_out("a node of the graph without a summary", place)
    return _turn(record, item, place, "summary", role="assistant", about={"node": item.get("name")})


def _episode(record: Mapping[str, Any], item: Mapping[str, Any], place: str) -> Found:
    role = item.get("role_type") if item.get("role_type") in ("user", "assistant") else None
    said = {"role": role, "speaker": item.get("role_name") or item.get("role"), "session": _thread({}, item)}
    return _turn(record, item, place, "content", about={"source": item.get("source")}, **said)


def _turn(
    record: Mapping[str, Any], item: Mapping[str, Any], place: str, words: str, *, about: Any = None, **more: Any
) -> Found:
    text, id = item.get(words), item.get("uuid") or item.get("uuid_")
    if not isinstance(text, str):
        return refused(f"it has no '{words}'", place)
    known = {**(about or {}), **({"metadata": item["metadata"]} if item.get("metadata") else {})}
    return Turn(
        place=place,
        id=f"zep:{id}" if id else f"zep:{place}",
        text=text,
        namespace=_namespace(record) or _namespace(item),
        metadata={"zep": {name: value for name, value in known.items() if value is not None}},
        **{"at": item.get("reference_time") or item.get("created_at"), **more},
    )


def _namespace(record: Mapping[str, Any]) -> str | None:
    for kind in ("user", "group", "graph"):
        if name := record.get(f"{kind}_id") or record.get(f"{kind}_uuid"):
            return owner(kind, name)
    return None


def _thread(record: Mapping[str, Any], item: Mapping[str, Any]) -> str | None:
    found = [holder.get(name) for holder in (record, item) for name in ("thread_id", "session_id", "thread_uuid")]
    return next((str(name) for name in found if name), None)


_READ = {"messages": _message, "edges": _edge, "nodes": _node, "episodes": _episode}
