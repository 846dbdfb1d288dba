"""The suite of the Generator port: every generator and every double passes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import pytest

from aim_memory.llm.breaker import Breaker
from aim_memory.llm.chat import ChatEndpoint
from aim_memory.llm.openai import OpenAIGenerator
from aim_memory.llm.router import Router
from aim_memory.llm.scripted import Reply, ScriptedGenerator
from aim_memory.llm.target import Target
from aim_memory.ports import Generator
from aim_memory.settings import GeneratorSettings, RouterSettings
from aim_memory.types import Delta, EvidenceBlock, Message, Prompt
from tests.chat_server import ChatServer

BLOCK = EvidenceBlock(
    memory_id="m1",
    text="Ada lives in Lisbon since March. She likes the river.",
    start=0,
    end=53,
    score=1.0,
    timestamp=datetime(2026, 3, 1, tzinfo=UTC),
    speaker="Ada",
)
PROMPT = Prompt(
    question="Where does Ada live?",
    blocks=(BLOCK,),
    messages=(Message("system", "Answer from the evidence."), Message("user", "Where does Ada live?")),
    confidence=0.9,
)


@pytest.fixture(scope="module")
def server() -> Iterator[ChatServer]:
    with ChatServer() as running:
        yield running


def _openai(server: ChatServer) -> Generator:
    server.replies = [ChatServer.answer("Ada lives in Lisbon.")]
    return OpenAIGenerator(ChatEndpoint(GeneratorSettings(kind="openai", url=server.url, model="tiny", timeout_s=10)))


def _router(server: ChatServer) -> Generator:
    failing, well = ScriptedGenerator([Reply(fail_after=0)]), ScriptedGenerator(["Ada lives in Lisbon."])
    breakers = [Breaker(3, 10, 100) for _ in range(2)]
    return Router([Target("a", failing, breakers[0]), Target("b", well, breakers[1])], RouterSettings())


def _extractive(server: ChatServer) -> Generator:
    from aim_memory.answer.extractive import ExtractiveGenerator

    return ExtractiveGenerator()


FACTORIES: dict[str, Callable[[ChatServer], Generator]] = {
    "scripted": lambda server: ScriptedGenerator(["Ada lives in Lisbon."]),
    "openai": _openai,
    "router": _router,
    "extractive": _extractive,
}


@pytest.fixture(params=FACTORIES)
def generator(request: pytest.FixtureRequest, server: ChatServer) -> Generator:
    return FACTORIES[request.param](server)


async def collect(generator: Generator, prompt: Prompt = PROMPT) -> list[Delta]:
    return [delta async for delta in generator.stream(prompt)]


def test_only_the_last_delta_finishes(generator: Generator) -> None:
    deltas = asyncio.run(collect(generator))
    assert deltas[-1].finish in ("stop", "length", "abstained")
    assert all(delta.finish is None for delta in deltas[:-1])


def test_the_answer_is_the_text_of_the_deltas(generator: Generator) -> None:
    deltas = asyncio.run(collect(generator))
    assert "Lisbon" in "".join(delta.text for delta in deltas)


def test_a_generator_answers_more_than_once(generator: Generator) -> None:
    # Two event loops, as embedded use may have.
    first, second = (asyncio.run(collect(generator)) for _ in range(2))
    assert "".join(delta.text for delta in first) == "".join(delta.text for delta in second)


def test_answers_may_overlap(generator: Generator) -> None:
    async def both() -> tuple[list[Delta], list[Delta]]:
        return await asyncio.gather(collect(generator), collect(generator))

    one, other = asyncio.run(both())
    assert one[-1].finish == other[-1].finish


def test_closing_the_stream_ends_it(generator: Generator) -> None:
    async def look() -> list[Any]:
        stream: Any = generator.stream(PROMPT)
        async with aclosing(stream):
            await anext(stream)
        return [delta async for delta in stream]

    assert asyncio.run(look()) == []


def test_it_has_a_name(generator: Generator) -> None:
    assert generator.name
