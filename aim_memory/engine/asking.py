"""Asking the language models for JSON, behind everybody who waits for a reply of theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, TypeVar

from aim_memory.derive import SCHEMA, Item, Kind, UnreadableReplyError, Window, correction, parse, question
from aim_memory.errors import GeneratorRefusedError
from aim_memory.ports import ChatModels
from aim_memory.types import Job, Usage

TRIES = 2
"""An answer that cannot be read is asked for once more, with what is wrong with it."""
BEAT_S = 2.0
"""While a model is waited for, its job says so often that it is alive, and hears so soon that it should stop."""
_MOST_TOKENS = 2000
_FORMAT = {"type": "json_schema", "json_schema": {"name": "items", "strict": True, "schema": SCHEMA}}
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model wrote about a window, unchecked."""

    items: tuple[Item, ...] = ()
    unreadable: str | None = None
    """Why there are none."""
    usage: Usage = field(default_factory=Usage)


class Asking:
    def __init__(self, models: ChatModels) -> None:
        self._models = models
        self._plain = False
        """Whether the model's server turned out not to know schemas."""

    async def ask(self, kind: Kind, window: Window, nonce: str) -> Answer:
        """Asks about a window. Raises GeneratorError when nobody answers."""
        messages = question(kind, window.blocks, nonce)
        usage, trouble = Usage(), ""
        for _ in range(TRIES):
            said, cost = await self._said({"messages": messages, "temperature": 0, "max_tokens": _MOST_TOKENS})
            usage = Usage(usage.prompt_tokens + cost.prompt_tokens, usage.completion_tokens + cost.completion_tokens)
            try:
                return Answer(tuple(parse(said)), None, usage)
            except UnreadableReplyError as error:
                trouble = str(error)
                messages = [*messages, *correction(said, trouble)]
        return Answer((), trouble, usage)

    async def _said(self, body: Mapping[str, Any]) -> tuple[str, Usage]:
        if self._plain:
            return await self._whole(body)
        try:
            return await self._whole({**body, "response_format": _FORMAT})
        except GeneratorRefusedError:
            said = await self._whole(body)
            self._plain = True
            return said

    async def _whole(self, body: Mapping[str, Any]) -> tuple[str, Usage]:
        asked = {"model": self._models.names()[0], **body}
        async with aclosing(self._models.replies(asked, background=True)) as replies:
            (reply,) = [one async for one in replies]  # to its end: what is left before counts as given up
        return _text(reply), _usage(reply)


def awaited(work: Coroutine[Any, Any, _T], job: Job, beat_s: float = BEAT_S) -> Generator[Job, None, _T]:
    """What work comes to, done on a thread of its own; meanwhile the job is given again and again as it is.

    Closing it cancels the work, which cancels the model.
    """
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="aim-asking")
    thread.start()
    future = asyncio.run_coroutine_threadsafe(work, loop)
    try:
        while True:
            try:
                return future.result(beat_s)
            except TimeoutError:
                if future.done():
                    raise
            yield job
    finally:
        future.cancel()
        asyncio.run_coroutine_threadsafe(_settled(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _settled() -> None:
    """Returns when nothing else runs on this loop."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()


def _text(reply: Mapping[str, Any]) -> str:
    """The text of a reply in OpenAI's shape; nothing where it has another one."""
    try:
        content = reply["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        return ""
    return content if isinstance(content, str) else ""


def _usage(reply: Mapping[str, Any]) -> Usage:
    told = reply.get("usage")
    counts = [told.get(name) if isinstance(told, dict) else None for name in ("prompt_tokens", "completion_tokens")]
    return Usage(*(count if isinstance(count, int) and count > 0 else 0 for count in counts))
