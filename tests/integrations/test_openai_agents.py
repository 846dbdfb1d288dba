"""The OpenAI Agents session, over HTTP: what the SDK's own tests do not ask."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aim_memory import Client
from aim_memory.errors import InvalidInputError

pytest.importorskip("agents", reason="pip install 'aim-memory[openai-agents]'")

from agents.memory import Session, SessionSettings

from aim_memory.integrations.openai_agents import AIMSession

ITEMS: list[Any] = [
    {"role": "user", "content": "我的猫叫饼干。"},
    {"type": "function_call", "name": "look", "arguments": '{"at": "cat"}', "call_id": "1"},
    {"type": "function_call_output", "call_id": "1", "output": "a cat " * 4000},
    {"id": "m", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Biscuit."}]},
    {"type": "reasoning", "id": "r", "summary": []},
    {"role": "user", "content": "yes"},
    {"role": "user", "content": "yes"},
]


def session(client: Client, root: str, name: str = "on monday / 1", **more: Any) -> AIMSession:
    return AIMSession(name, client, namespace=f"{root}/user/ada", **more)


def test_it_is_a_session(client: Client, root: str) -> None:
    assert isinstance(session(client, root), Session)


def test_items_come_back_in_order_and_as_they_were(client: Client, root: str) -> None:
    async def talk() -> None:
        await session(client, root).add_items(ITEMS)
        again = session(client, root)
        assert await again.get_items() == ITEMS
        assert await again.get_items(3) == ITEMS[-3:]
        assert await again.get_items(0) == []
        assert await session(client, root, session_settings=SessionSettings(limit=2)).get_items() == ITEMS[-2:]
        assert await again.pop_item() == ITEMS[-1]
        assert await again.get_items() == ITEMS[:-1]
        await again.clear_session()
        assert await again.get_items() == []
        assert await again.pop_item() is None

    asyncio.run(talk())


def test_an_item_too_long_is_refused_and_the_others_kept(client: Client, root: str) -> None:
    items: list[Any] = [{"role": "user", "content": text} for text in ("One.", "x" * 40_000, "Three.")]

    async def talk() -> None:
        with pytest.raises(InvalidInputError, match="1 of 3 were not written"):
            await session(client, root).add_items(items)
        assert await session(client, root).get_items() == [items[0], items[2]]

    asyncio.run(talk())


def test_what_one_conversation_said_is_found_outside_it(client: Client, root: str) -> None:
    async def talk() -> None:
        await session(client, root, "monday").add_items(ITEMS)
        assert await session(client, root, "tuesday").get_items() == []

    asyncio.run(talk())
    hits = client.query("我的猫叫什么？", namespace=f"{root}/user/ada").results
    assert hits[0].text == "我的猫叫饼干。"
    assert hits[0].role == "user"


def test_two_that_take_back_at_once_take_different_items(client: Client, root: str) -> None:
    async def talk() -> None:
        await session(client, root).add_items([{"role": "user", "content": f"{i}"} for i in range(6)])
        taken = await asyncio.gather(*(session(client, root).pop_item() for _ in range(6)))
        assert sorted(item["content"] for item in taken if item) == [f"{i}" for i in range(6)]

    asyncio.run(talk())
