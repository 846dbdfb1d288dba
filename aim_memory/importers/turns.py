"""What a format finds in a record: turns to keep, and what was not taken; and turns as entries of an import."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from pydantic import ValidationError

from aim_memory.bodies import MemoryItem
from aim_memory.integrations.payloads import safe_id, segment
from aim_memory.transfer import Entry, LeftOut, Problem, complaint

DEFAULT_NAMESPACE = "default"
PIECE_BYTES = 30_000
"""A longer text becomes several memories: one may have 32 KiB."""
_BREAKS = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"[.!?。！？]\s*"), re.compile(r"\s"))
_UNKEPT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that was said or is known."""

    place: str
    """Where it was found, for people: ``conversation 'Trip', message 3f…``."""
    id: str
    """The same each time the same source is read."""
    text: str
    namespace: str | None = None
    """Whose it is, where the source says so."""
    role: str | None = None
    speaker: str | None = None
    at: Any = None
    """A datetime, ISO 8601, or seconds since 1970."""
    session: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    expires_at: Any = None
    pinned: bool = False
    whole: bool = False
    """Whether it is of no use in pieces."""


Found: TypeAlias = Turn | LeftOut | Problem
Record: TypeAlias = tuple[str, dict[str, Any]]
"""The list that a record was in ("" for a record of its own), and its fields."""


def entries(found: Iterable[Found], source: str, namespace: str | None) -> Iterator[Entry | LeftOut | Problem]:
    """Entries, numbered in the order of the source; ``namespace`` goes before what the source says."""
    for number, one in enumerate(found, 1):
        if isinstance(one, Turn):
            yield from _written(number, one, source, namespace)
        elif isinstance(one, LeftOut):
            yield LeftOut(number, one.reason, one.place)
        else:
            yield Problem(number, one.reason, one.place)


def left_out(reason: str, place: str = "") -> LeftOut:
    """Something that is no memory; it is numbered later."""
    return LeftOut(0, reason, place)


def refused(reason: str, place: str = "") -> Problem:
    """Something that should be a memory and cannot be one; it is numbered later."""
    return Problem(0, reason, place)


def owner(kind: str, name: object) -> str:
    """The namespace of somebody: ``user/ada``; what a path cannot hold is escaped."""
    return f"{kind}/{segment(str(name))}"


def titled(kind: str, name: object) -> str:
    """A thing as people are told of it: ``conversation 'Trip'``."""
    text = " ".join(str(name).split())
    return f"{kind} {text[:60]!r}"


def listed(value: Any) -> list[Any]:
    """The value if it is a list; else nothing. Exports hold null, or anything, where a list should be."""
    return value if isinstance(value, list) else []


def fields(value: Any) -> Mapping[str, Any]:
    """The value if it is an object; else nothing."""
    return value if isinstance(value, Mapping) else {}


def _written(number: int, turn: Turn, source: str, namespace: str | None) -> Iterator[Entry | LeftOut | Problem]:
    text, about = _repaired(turn.text), _repaired(turn.metadata)
    if not text.strip():
        yield LeftOut(number, "empty", turn.place)
        return
    repaired = {"repaired": True} if (text, about) != (turn.text, turn.metadata) else {}
    for index, piece in enumerate([text] if turn.whole else _pieces(text)):
        part = {"part": index + 1} if len(text) > len(piece) else {}
        extra = repaired | part
        metadata = {**about, **({"import": extra} if extra else {})}
        id = turn.id if index == 0 else f"{turn.id}:part{index + 1}"
        try:
            item = _item(turn, id, piece, metadata, source)
        except (ValidationError, OverflowError, ValueError, OSError) as failure:
            reason = complaint(failure) if isinstance(failure, ValidationError) else f"timestamp: {failure}"
            yield Problem(number, reason, turn.place)
            return
        yield Entry(number, namespace or turn.namespace or DEFAULT_NAMESPACE, item, turn.place)


def _repaired(value: Any) -> Any:
    """The value with what no database holds replaced by �, wherever there is some in it."""
    match value:
        case str():
            return _UNKEPT.sub("\ufffd", value)
        case Mapping():
            return {_repaired(name): _repaired(held) for name, held in value.items()}
        case list():
            return [_repaired(held) for held in value]
    return value


def _item(turn: Turn, id: str, text: str, metadata: Mapping[str, Any], source: str) -> MemoryItem:
    return MemoryItem(
        id=safe_id(id),
        text=text,
        session_id=None if turn.session is None else safe_id(turn.session),
        speaker=_name(turn.speaker),
        role=_name(turn.role),
        timestamp=moment(turn.at),
        metadata=dict(metadata),
        expires_at=moment(turn.expires_at),
        pinned=turn.pinned,
        source=source,
    )


def moment(value: Any) -> Any:
    """Seconds since 1970 as a datetime; the rest as it is. Raises OverflowError, ValueError, OSError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value or None
    return datetime.fromtimestamp(value, UTC)


def _name(text: Any) -> str | None:
    """A name of at most 256 bytes, as a memory has it; what is no text is none."""
    kept = _UNKEPT.sub("", text if isinstance(text, str) else "").strip()
    return kept.encode()[:256].decode(errors="ignore") or None


def _pieces(text: str) -> Iterator[str]:
    """The text in pieces that a memory can hold, cut where it pauses; together they are the text."""
    while len(text.encode()) > PIECE_BYTES:
        head = text.encode()[:PIECE_BYTES].decode(errors="ignore")
        cut = next(
            (ends[-1] for stop in _BREAKS if (ends := [m.end() for m in stop.finditer(head, len(head) // 2)])), 0
        )
        cut = cut or len(head)
        yield text[:cut]
        text = text[cut:]
    if text.strip():
        yield text
