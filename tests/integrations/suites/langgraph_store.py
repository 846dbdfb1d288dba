"""A pytest plugin: LangGraph's own store tests, unmodified, meet our store where they ask for theirs.

Every store that a test makes has a root of its own on the server whose address is in AIM_TEST_SERVER.
"""

from __future__ import annotations

import os
from secrets import token_hex
from typing import Any

import langgraph.store.memory
import pytest

from aim_memory import Client
from aim_memory.integrations.langgraph import AIMStore

_client = Client(os.environ["AIM_TEST_SERVER"])
ELSEWHERE = {
    "test_embed_with_path": "expects cosines of the embedding it brings along; ours ranks by more, with its own",
}


class InMemoryStore(AIMStore):
    """Ours, made as theirs is. The embedding is the server's, so of ``index`` only the fields are used."""

    def __init__(self, *, index: dict[str, Any] | None = None) -> None:
        self.index_config = index
        super().__init__(_client, root=(f"suite-{token_hex(8)}",), fields=(index or {}).get("fields"))


langgraph.store.memory.InMemoryStore = InMemoryStore  # type: ignore[assignment,misc]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if reason := ELSEWHERE.get(item.name.partition("[")[0]):
            item.add_marker(pytest.mark.skip(reason=reason))
