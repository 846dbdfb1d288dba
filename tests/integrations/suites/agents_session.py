"""A pytest plugin: the OpenAI Agents SDK's own session tests, unmodified, meet our session where they ask for theirs.

A database file of theirs is a namespace of ours, on the server whose address is in AIM_TEST_SERVER.
"""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_hex
from typing import Any

import agents
import pytest
from agents.memory import SessionSettings

from aim_memory import Client
from aim_memory.integrations.openai_agents import AIMSession

_client = Client(os.environ["AIM_TEST_SERVER"])
ABOUT_SQLITE = (
    "close",
    "connection",
    "corrupt",
    "failed",
    "file_lock",
    "reaps",
    "rolls_back",
    "dictionary",
    "await_mutation",
    "post_commit_cancellation",
)
"""In the names of tests of SQLiteSession's own insides."""


class SQLiteSession(AIMSession):
    """Ours, made as theirs is."""

    def __init__(
        self,
        session_id: str,
        db_path: str | Path = ":memory:",
        session_settings: SessionSettings | None = None,
        **_: Any,
    ) -> None:
        place = token_hex(8) if db_path == ":memory:" else Path(db_path).parent.name
        super().__init__(session_id, _client, namespace=f"suite/{place}", session_settings=session_settings)

    def close(self) -> None:
        """The client is shared."""


agents.SQLiteSession = SQLiteSession  # type: ignore[misc]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(word in item.name for word in ABOUT_SQLITE):
            item.add_marker(pytest.mark.skip(reason="about SQLiteSession's insides"))
