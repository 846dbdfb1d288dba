"""The suite of the ChatModels port: the router over a server, and the double, pass it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import aclosing
from typing import Any

import pytest

from aim_memory.llm.breaker import Breaker
from aim_memory.llm.chat import ChatEndpoint
from aim_memory.llm.openai import OpenAIGenerator
from aim_memory.llm.router import Router
from aim_memory.llm.scripted import ScriptedChat
from aim_memory.llm.target import Target
from aim_memory.ports import ChatModels
from aim_memory.settings import GeneratorSettings, RouterSettings
from tests.chat_server import ChatServer

SAID = "Ada lives in Lisbon."


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with ChatServer() as running:
        running.respond = lambda body: ChatServer.streamed(SAID) if body.get("stream") else ChatServer.whole(SAID)
        yield running


def _router(server: ChatServer) -> ChatModels:
    endpoint = ChatEndpoint(GeneratorSettings(kind="openai", url=server.url, model="tiny", timeout_s=10))
    target = Target("one", OpenAIGenerator(endpoint), Breaker(3, 10, 100), chat=endpoint, models=("tiny",))
    return Router([target], RouterSettings())


FACTORIES: dict[str, Callable[[ChatServer], ChatModels]] = {
    "router": _router,
    "scripted": lambda server: ScriptedChat(SAID),
}


@pytest.fixture(params=FACTORIES)
def models(request: pytest.FixtureRequest, server: ChatServer) -> ChatModels:
    return FACTORIES[request.param](server)


def collect(models: ChatModels, **more: Any) -> list[dict[str, Any]]:
    async def replies() -> list[dict[str, Any]]:
        return [one async for one in models.replies(body_for(models, **more))]

    return asyncio.run(replies())


def body_for(models: ChatModels, **more: Any) -> dict[str, Any]:
    return {"model": models.names()[0], "messages": [{"role": "user", "content": "Where?"}], **more}


def test_a_whole_reply_is_one(models: ChatModels) -> None:
    (reply,) = collect(models)
    assert reply["choices"][0]["message"]["content"] == SAID


def test_the_chunks_of_a_stream_add_up_and_the_choice_ends(models: ChatModels) -> None:
    choices = [choice for chunk in collect(models, stream=True) for choice in chunk["choices"]]
    assert "".join(choice["delta"].get("content") or "" for choice in choices) == SAID
    assert [choice["finish_reason"] for choice in choices][-1] == "stop"


def test_every_name_can_be_asked_for(models: ChatModels) -> None:
    for name in models.names():
        assert collect(models, model=name)


def test_closing_a_stream_ends_it(models: ChatModels) -> None:
    async def look() -> list[Any]:
        stream = models.replies(body_for(models, stream=True))
        async with aclosing(stream):
            await anext(stream)
        return [one async for one in stream]

    assert asyncio.run(look()) == []


def test_the_body_is_not_changed(models: ChatModels) -> None:
    body = body_for(models, stream=True, stop=["x"])
    kept = {**body}
    collect(models, **body)
    assert body == kept


def test_it_tells_figures(models: ChatModels) -> None:
    assert isinstance(models.figures(), dict)
