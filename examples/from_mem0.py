"""Moves everything that mem0 remembers into AIM-Memory: texts, times, metadata and whose they are.

    python examples/from_mem0.py --key KEY [--host https://api.mem0.ai] --to http://127.0.0.1:8765 [--to-key KEY]

Reads through mem0's own client (``pip install mem0ai``) and changes nothing there. Every memory keeps its id, so the
script can be stopped and run again: what is there already is "unchanged". It ends with an account of what was moved.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

from mem0 import MemoryClient

from aim_memory import Client

PAGE = 100
KINDS = ("user", "agent", "app", "run")


def memories(source: MemoryClient) -> Iterator[dict[str, Any]]:
    """Every memory once, whoever else it belongs to."""
    seen: set[str] = set()
    for entity in source.users()["results"]:
        page: dict[str, Any] = {"next": True}
        number = 0
        while page["next"]:
            number += 1
            page = source.get_all(filters={f"{entity['type']}_id": entity["name"]}, page=number, page_size=PAGE)
            yield from (one for one in page["results"] if one["id"] not in seen and not seen.add(one["id"]))


def namespace_of(memory: dict[str, Any]) -> str:
    """Where the /mem0 paths look for it: with its user, or else its agent, its app, its run."""
    kind = next(kind for kind in KINDS if memory.get(f"{kind}_id"))
    return f"{kind}/{str(memory[f'{kind}_id']).replace('%', '%25').replace('/', '%2F')}"


def item_of(memory: dict[str, Any]) -> dict[str, Any]:
    owners = {f"{kind}_id": memory[f"{kind}_id"] for kind in KINDS if memory.get(f"{kind}_id")}
    marks = {name: memory[name] for name in ("categories", "immutable") if memory.get(name)}
    ends = memory.get("expiration_date")
    return {
        "id": memory["id"],
        "text": memory["memory"],
        "timestamp": memory.get("created_at"),
        "role": memory.get("role"),
        "speaker": memory.get("actor_id"),
        "expires_at": f"{ends[:10]}T23:59:59Z" if ends else None,
        "source": "mem0",
        "metadata": {**(memory.get("metadata") or {}), "mem0": {**owners, **marks}},
    }


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    given.add_argument("--key", required=True, help="of mem0")
    given.add_argument("--host", help="of mem0, if it is not its hosted service")
    given.add_argument("--to", required=True, help="URL of AIM-Memory")
    given.add_argument("--to-key", help="of AIM-Memory, if it asks for keys")
    chosen = given.parse_args()
    moved: Counter[str] = Counter()
    with Client(chosen.to, api_key=chosen.to_key) as target:
        left = memories(MemoryClient(api_key=chosen.key, host=chosen.host))
        while batch := list(islice(left, PAGE)):
            by_namespace: dict[str, list[dict[str, Any]]] = {}
            for memory in batch:
                by_namespace.setdefault(namespace_of(memory), []).append(item_of(memory))
            for namespace, items in by_namespace.items():
                for result in target.write(memories=items, namespace=namespace).results:
                    moved[result.status] += 1
                    if result.status == "rejected":
                        print(f"not moved: {result.id}: {result.reason}")
    print(", ".join(f"{count} {status}" for status, count in sorted(moved.items())) or "nothing to move")


if __name__ == "__main__":
    main()
