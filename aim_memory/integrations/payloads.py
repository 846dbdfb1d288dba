"""A framework's own value inside a memory: exact in the metadata, or, too large for that, as the text itself.

What a memory is searched by is its text; what the framework put in comes out of here as it went in.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aim_memory.bodies import Hit, MemoryItem, MemoryView, WriteReply
from aim_memory.errors import InvalidInputError

MOST_BYTES = 14 * 1024
"""Of a value that lies in the metadata, which may hold 16 KiB in all."""
BATCH_ITEMS = 100
BATCH_BYTES = 900 * 1024
"""Of a request, which may have 1 MiB in all."""
PIECE_BYTES = 30 * 1024
"""Of a text that a framework hands over whole; a memory's may have 32 KiB."""
_UNSAFE = re.compile(r"[%/\x00-\x1f\x7f]|^\s|\s$")
_ID = re.compile(r"(?!key:)[A-Za-z0-9_.:-]{1,128}")


def safe_id(key: str) -> str:
    """A name of a memory or a session: the key itself where it can be one, a digest of it where not."""
    return key if _ID.fullmatch(key) else f"key:{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"


def segment(name: str) -> str:
    """A name as a part of a namespace's path: what cannot stand there is percent-encoded."""
    return _UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), name)


def pack(own: str, value: Any, text: str, **more: Any) -> tuple[str, dict[str, Any]]:
    """Text and metadata of a memory that holds a JSON value under the name ``own``. Raises InvalidInputError."""
    whole = plain(value)
    if len(whole.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        return whole, {own: {**more, "whole": True}}
    # Nothing to search still is something to keep: a memory has a text.
    return text if text.strip() else whole, {own: {**more, "value": value}}


def plain(value: Any) -> str:
    """The value as JSON. Raises InvalidInputError."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as failure:
        raise InvalidInputError(f"The value is not plain JSON: {failure}.") from failure


def unpack(own: str, view: MemoryView | Hit) -> Any:
    """The value again. Raises KeyError where there is none."""
    held = view.metadata[own]
    return json.loads(view.text) if held.get("whole") else held["value"]


def batches(items: Iterable[MemoryItem]) -> Iterator[list[MemoryItem]]:
    """The items in order, in as few requests as a server takes them in."""
    batch: list[MemoryItem] = []
    size = 0
    for item in items:
        own = len(item.model_dump_json().encode())
        if batch and (len(batch) == BATCH_ITEMS or size + own > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += own
    if batch:
        yield batch


def kept(reply: WriteReply) -> WriteReply:
    """The reply itself. Raises InvalidInputError if an item was refused; the others of its batch are written."""
    refused = [result.reason or "refused" for result in reply.results if result.status == "rejected"]
    if refused:
        raise InvalidInputError(
            f"{len(refused)} of {len(reply.results)} were not written, the others were: {refused[0]}"
        )
    return reply


def pieces(text: str) -> Iterator[str]:
    """A text in as few memories as hold it, cut between words where there are any; nothing of white space."""
    rest = text.strip()
    while len(whole := rest.encode()) > PIECE_BYTES:
        head = whole[:PIECE_BYTES].decode(errors="ignore")
        cut = max(head.rfind("\n"), head.rfind(" "), 0) or len(head)
        yield head[:cut].strip()
        rest = rest[cut:].strip()
    if rest:
        yield rest


def words(value: object, name: str = "") -> str:
    """The leaves of a value for searching, each after its name; a single one stands alone."""
    leaves = list(_leaves(value, name))
    if len(leaves) == 1:
        return leaves[0][1]
    return "\n".join(f"{name}: {text}" if name else text for name, text in leaves)


def _leaves(value: object, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name} {key}".strip())
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _leaves(inner, name)
    elif value is not None and str(value).strip():
        yield name, str(value)
