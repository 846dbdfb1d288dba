"""Answers, good, broken and left, again and again: nothing of them stays behind."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Iterator
from contextlib import aclosing, suppress
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from aim_memory import assemble
from aim_memory.bodies import AnswerRequest, WriteRequest
from aim_memory.embedded import LOCAL_TENANT
from aim_memory.engine import Chat, MemoryEngine
from aim_memory.errors import GeneratorError
from aim_memory.settings import EmbedderSettings, GeneratorSettings, RouterSettings, Settings
from tests.chat_server import ChatReply, ChatServer, delta
from tests.figures import figure

SPACE = "user/ada"
GROWTH = 0.05
"""Of the memory of the process, after a fifth of all answers."""
QUESTIONS = ["Where is the bicycle?", "What is the code?", "Who is the dentist?"]
pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts what Linux shows of a process")


def reply_to(number: int, body: dict[str, Any]) -> ChatReply:
    """Every fifth breaks, and none in the same way as the one before."""
    match number % 15:
        case 4:
            return ChatReply((delta("In "),))
        case 9:
            return ChatReply((b"no",), 500, "text/plain")
        case 14:
            return ChatReply((delta("In "),), hang=True)
        case _:
            return ChatServer.streamed("In the shed [1].") if body.get("stream") else ChatServer.whole("In the shed.")


@pytest.fixture
def model() -> Iterator[ChatServer]:
    with ChatServer() as running:
        yield running


@pytest.fixture
def engine(model: ChatServer, tmp_path: Path) -> Iterator[MemoryEngine]:
    generator = GeneratorSettings(kind="openai", url=model.url, model="tiny", timeout_s=5, stall_s=0.05)
    router = RouterSettings(retries=0, failures=1000)
    settings = Settings(home=tmp_path, embedder=EmbedderSettings(kind="hashing"), generator=generator, router=router)
    opened = assemble.open_engine(settings)
    for text in ("Ada's bicycle is in the shed.", "The code is 4471.", "The dentist is Dr Sousa."):
        opened.write(LOCAL_TENANT, WriteRequest(namespace=SPACE, text=text))
    yield opened
    opened.close()


async def one(engine: MemoryEngine, number: int) -> None:
    """Answers and chats, whole and streamed, some of them left after the first word."""
    question, session = QUESTIONS[number % 3], f"s{number % 7}"
    request = AnswerRequest(namespace=SPACE, query=question, session_id=session)
    body = {"model": "auto", "messages": [{"role": "user", "content": question}], "stream": number % 2 == 0}
    kind = number % 3
    if kind == 0:
        await engine.answer(LOCAL_TENANT, request)
        return
    chat = Chat(body, SPACE, session, remember=False)
    stream: Any = engine.stream_answer(LOCAL_TENANT, request) if kind == 1 else engine.chat(LOCAL_TENANT, chat)
    with suppress(GeneratorError):
        async with aclosing(stream):
            async for heard in stream:
                if number % 7 == 0 and heard:
                    break


def resident() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("times", [100, pytest.param(1000, marks=pytest.mark.deep)])
def test_answers_leave_nothing_behind(engine: MemoryEngine, model: ChatServer, times: int) -> None:
    numbers = cycle(range(210))
    model.respond = lambda body: reply_to(next(numbers), body)

    async def run(first: int, last: int) -> int:
        for number in range(first, last):
            await one(engine, number)
            model.requests.clear()
        return len(asyncio.all_tasks())

    begun = times // 5
    assert asyncio.run(run(0, begun)) == 1
    gc.collect()
    memory, handles, threads = resident(), files(), threading.active_count()
    assert asyncio.run(run(begun, times)) == 1
    gc.collect()
    grown = resident() / memory - 1
    figure("answers leak nothing", f"{times} answers", f"memory {grown:+.1%}, files {files() - handles:+d}")
    # Threads of the model's double end when they notice that they were left: a few may be on their way.
    assert threading.active_count() <= threads + 3
    assert files() <= handles + 3
    assert grown <= GROWTH
