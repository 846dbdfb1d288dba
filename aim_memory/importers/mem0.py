"""mem0: what its API lists (``get_all``), as one JSON document, a list, or JSON Lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aim_memory.importers.turns import Found, Record, Turn, fields, left_out, listed, owner, refused

FILES = re.compile(r".*\.jsonl?")
LISTS = ("results", "memories")
KINDS = ("user", "agent", "app", "run")


def found(records: Iterable[Record]) -> Iterator[Found]:
    for number, (place, record) in enumerate(records, 1):
        if isinstance(record.get("memory"), str):
            yield turn(record, number)
        elif place == "" and (isinstance(record.get("results"), list) or isinstance(record.get("memories"), list)):
            yield from (left_out("a relation of mem0's graph") for _ in listed(record.get("relations")))
        else:
            yield refused("no memory of mem0's: it has no 'memory'", f"record {number}")


def turn(memory: Mapping[str, Any], number: int = 0) -> Turn:
    """A memory as its API gives it."""
    owners = {f"{kind}_id": memory[f"{kind}_id"] for kind in KINDS if memory.get(f"{kind}_id")}
    marks = {name: memory[name] for name in ("categories", "immutable") if memory.get(name)}
    ends = memory.get("expiration_date")
    return Turn(
        place=f"memory {memory.get('id') or number}",
        id=str(memory.get("id") or f"mem0:{number}"),
        text=memory["memory"],
        namespace=namespace(memory),
        role=memory.get("role"),
        speaker=memory.get("actor_id"),
        at=memory.get("created_at"),
        metadata={**fields(memory.get("metadata")), "mem0": {**owners, **marks}},
        expires_at=f"{str(ends)[:10]}T23:59:59Z" if ends else None,
    )


def namespace(memory: Mapping[str, Any]) -> str | None:
    """Where the /mem0 paths look for it: with its user, or else its agent, its app, its run."""
    kind = next((kind for kind in KINDS if memory.get(f"{kind}_id")), None)
    return owner(kind, memory[f"{kind}_id"]) if kind else None
