"""The generator over any server that speaks OpenAI's chat completions: vLLM, llama.cpp, Ollama, hosted ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Literal

import httpx2

from aim_memory.errors import ConfigurationError, GeneratorError
from aim_memory.ports import Generator
from aim_memory.settings import GeneratorSettings
from aim_memory.types import Delta, Prompt, Usage


class OpenAIGenerator(Generator):
    """Streams ``POST {url}/chat/completions``. The timeout covers the whole answer, from the first byte sent.

    Closing the stream closes the connection, which makes the server stop generating.

    Raises:
        ConfigurationError: No URL or no model is set.
    """

    def __init__(self, settings: GeneratorSettings) -> None:
        if not settings.url or not settings.model:
            raise ConfigurationError(
                "A generator of kind 'openai' needs AIM_GENERATOR__URL (up to and with /v1) and AIM_GENERATOR__MODEL."
            )
        self._url = settings.url.rstrip("/") + "/chat/completions"
        self._model = settings.model
        self._timeout_s = settings.timeout_s
        self._headers = {"accept": "text/event-stream"}
        if settings.api_key is not None:
            self._headers["authorization"] = f"Bearer {settings.api_key.get_secret_value()}"
        self._tls = httpx2.create_ssl_context()

    @property
    def name(self) -> str:
        return self._model

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        async with aclosing(self._events(prompt)) as events, aclosing(_deltas(events)) as deltas:
            while (delta := await self._next(deltas, deadline)) is not None:
                yield delta

    async def _next(self, deltas: AsyncIterator[Delta], deadline: float) -> Delta | None:
        try:
            async with asyncio.timeout_at(deadline):
                return await anext(deltas, None)
        except TimeoutError:
            raise GeneratorError(f"{self._model} did not finish its answer in {self._timeout_s:g} s.") from None
        except httpx2.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise GeneratorError(f"{self._model} at {self._url} could not be reached or broke off: {reason}") from error

    async def _events(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        # A client per answer: it belongs to the event loop that asks, and embedded use may have several.
        async with (
            httpx2.AsyncClient(verify=self._tls, timeout=self._timeout_s, headers=self._headers) as client,
            client.stream("POST", self._url, json=self._payload(prompt)) as response,
        ):
            if response.status_code != 200:
                body = (await response.aread()).decode("utf-8", "replace")
                raise GeneratorError(f"{self._model} at {self._url} answered {response.status_code}: {body[:300]}")
            async for event in httpx2.EventSource(response):
                yield event.data

    def _payload(self, prompt: Prompt) -> dict[str, Any]:
        return {
            "model": self._model,
            "messages": [{"role": message.role, "content": message.content} for message in prompt.messages],
            "max_tokens": prompt.max_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }


async def _deltas(events: AsyncIterator[str]) -> AsyncGenerator[Delta, None]:
    """Reads chunks up to ``[DONE]``. An answer that breaks off, is empty or is no JSON is an error, not an answer."""
    finish: Literal["stop", "length"] | None = None
    usage: Usage | None = None
    spoke = False
    async for event in events:
        if event == "[DONE]":
            break
        chunk = _chunk(event)
        usage = _usage(chunk) or usage
        text, reason = _choice(chunk)
        finish = reason or finish
        if text:
            spoke = True
            yield Delta(text)
    if finish is None or not spoke:
        raise GeneratorError("The generator's answer is empty." if finish else "The generator broke off its answer.")
    yield Delta(finish=finish, usage=usage)


def _chunk(event: str) -> dict[str, Any]:
    try:
        chunk = json.loads(event)
    except ValueError as error:
        raise GeneratorError(f"The generator sent something that is not JSON: {event[:100]!r}") from error
    if not isinstance(chunk, dict) or chunk.get("error"):
        raise GeneratorError(f"The generator reported an error: {event[:300]}")
    return chunk


def _choice(chunk: dict[str, Any]) -> tuple[str, Literal["stop", "length"] | None]:
    """(text, finish) of the first choice; the usage chunk at the end has none."""
    try:
        choice = (chunk.get("choices") or [{}])[0]
        text = (choice.get("delta") or {}).get("content") or ""
        reason = choice.get("finish_reason")
    except (AttributeError, LookupError, TypeError) as error:
        raise GeneratorError(f"The generator sent a chunk of an unknown shape: {str(chunk)[:300]}") from error
    if not isinstance(text, str):
        raise GeneratorError(f"The generator sent text that is not a string: {str(text)[:100]}")
    return text, None if reason is None else "length" if reason == "length" else "stop"


def _usage(chunk: dict[str, Any]) -> Usage | None:
    usage = chunk.get("usage")
    if not isinstance(usage, dict):
        return None
    return Usage(int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0))
