"""Moves everything that mem0 remembers into AIM-Memory: texts, times, metadata and whose they are.

    python examples/from_mem0.py --key KEY [--host https://api.mem0.ai] --to http://127.0.0.1:8765 [--to-key KEY]

Reads through mem0's own client (``pip install mem0ai``) and changes nothing there. Every memory keeps its id, so the
script can be stopped and run again: what is there already is "unchanged". It ends with an account of what was moved.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from mem0 import MemoryClient

from aim_memory import Client
from aim_memory.importers.mem0 import turn
from aim_memory.importers.turns import entries
from aim_memory.transfer import import_entries

PAGE = 100


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


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    given.add_argument("--key", required=True, help="of mem0")
    given.add_argument("--host", help="of mem0, if it is not its hosted service")
    given.add_argument("--to", required=True, help="URL of AIM-Memory")
    given.add_argument("--to-key", help="of AIM-Memory, if it asks for keys")
    chosen = given.parse_args()
    source = MemoryClient(api_key=chosen.key, host=chosen.host)
    with Client(chosen.to, api_key=chosen.to_key) as target:
        report = import_entries(entries(map(turn, memories(source)), "mem0", None), target)
    for problem in report.problems:
        print(f"not moved: {problem.place}: {problem.reason}")
    print(", ".join(f"{count} {status}" for status, count in sorted(report.counts.items())) or "nothing to move")


if __name__ == "__main__":
    main()
