"""The OpenAI Agents SDK: a session whose items outlive the process, and are memories of the namespace as well.

session = AIMSession("monday", Client("http://127.0.0.1:8765"), namespace="user/ada")
await Runner.run(agent, "When is the launch?", session=session)
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

from aim_memory.extras import needs
from aim_memory.integrations.memory import Memory
from aim_memory.integrations.payloads import words
from aim_memory.integrations.turns import Turn, Turns

with needs("openai-agents"):
    from agents.items import TResponseInputItem
    from agents.memory import SessionABC, SessionSettings

OWN = "openai-agents"


class AIMSession(SessionABC):
    """A ``Session``: the items of a conversation, in order.

    Args:
        session_id: Which conversation.
        memory: A ``Client`` or an ``AIMMemory``; its calls run on threads.
        namespace: Whose conversation.
        session_settings: The SDK's own: ``limit`` for ``get_items`` that name none.
    """

    def __init__(
        self, session_id: str, memory: Memory, *, namespace: str, session_settings: SessionSettings | None = None
    ) -> None:
        self.session_id = session_id
        self.session_settings = session_settings or SessionSettings()
        self._turns = Turns(memory, namespace, session_id, OWN)

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """The last ``limit`` items, or all of them, oldest first."""
        if limit is None and self.session_settings is not None:
            limit = self.session_settings.limit
        if limit is not None and limit <= 0:
            return []
        return cast("list[TResponseInputItem]", await asyncio.to_thread(self._turns.read, limit))

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        await asyncio.to_thread(self._turns.add, [_turn(cast("dict[str, Any]", item)) for item in items])

    async def pop_item(self) -> TResponseInputItem | None:
        return cast("TResponseInputItem | None", await asyncio.to_thread(self._turns.pop))

    async def clear_session(self) -> None:
        await asyncio.to_thread(self._turns.clear)


def _turn(item: dict[str, Any]) -> Turn:
    """An item is a message, or something that a tool was asked or said."""
    role = str(item.get("role") or ("tool" if "output" in item else "assistant"))
    return Turn(item, _text(item), role)


def _text(item: dict[str, Any]) -> str:
    match item:
        case {"content": str(text)} | {"output": str(text)}:
            return text
        case {"content": [*parts]}:
            return "\n".join(str(part.get("text", "")) for part in parts if isinstance(part, dict))
        case {"name": name, "arguments": arguments}:
            return f"{name}({arguments})"
        case {"output": output}:
            return words(output)
    return json.dumps(item, ensure_ascii=False)
