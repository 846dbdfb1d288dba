"""The seam to any server that speaks OpenAI's chat completions: vLLM, SGLang, llama.cpp, Ollama, hosted ones.

What it sends and what comes back are plain JSON objects. Every way in which such a server can fail ends here as a
GeneratorError that says whether asking again is worth it.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx2

from aim_memory.errors import ConfigurationError, GeneratorError, GeneratorRefusedError
from aim_memory.settings import GeneratorSettings

LONGEST_EVENT = 4 * 1024 * 1024
"""Bytes of one event of a stream; a server that sends more at once is not one of chat completions."""
LONGEST_REPLY = 64 * 1024 * 1024
CONNECT_S = 5.0
REFUSALS = frozenset({400, 404, 413, 422})
"""Statuses that say that the request is wrong: too long a context, a parameter or a model it does not know."""
PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
"""Statuses that may be gone on the next attempt."""


class ChatEndpoint:
    """``POST {url}/chat/completions`` of one server.

    ``timeout_s`` covers a whole reply, ``first_token_s`` and ``stall_s`` the silences of a streamed one. Closing a
    stream closes the connection, which makes the server stop generating.

    Raises:
        ConfigurationError: No URL or no model is set, or the URL is none.
    """

    def __init__(self, settings: GeneratorSettings) -> None:
        if not settings.url or not settings.model:
            raise ConfigurationError(
                "A generator of kind 'openai' needs AIM_GENERATOR__URL (up to and with /v1) and AIM_GENERATOR__MODEL."
            )
        self.model = settings.model
        self._url = settings.url.rstrip("/") + "/chat/completions"
        self._settings = settings
        self._headers = {"accept": "application/json, text/event-stream", "accept-encoding": "identity"}
        if settings.api_key is not None:
            self._headers["authorization"] = f"Bearer {settings.api_key.get_secret_value()}"
        self._tls = httpx2.create_ssl_context()
        self._proxy = _proxy_for(self._url)

    async def whole(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The reply to a body without ``stream``."""
        try:
            async with asyncio.timeout(self._settings.timeout_s), self._opened(body) as response:
                content = await _read(response)
        except TimeoutError:
            raise self._late(self._settings.timeout_s) from None
        reply = _object(content)
        if not isinstance(reply.get("choices"), list) or not reply["choices"]:
            raise GeneratorError("The generator's answer is empty.", again=True)
        return reply

    async def stream(self, body: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """The chunks of the reply to a body with ``stream``. An answer that breaks off, says nothing or is no JSON is
        an error; every choice that began must have ended."""
        course = _Course()
        async with aclosing(self._texts(body, course)) as texts:
            async for text in texts:
                if text == "[DONE]":
                    break
                chunk = _object(text)
                course.see(chunk)
                yield chunk
        course.check()

    async def _texts(self, body: Mapping[str, Any], course: _Course) -> AsyncGenerator[str, None]:
        """The events of a stream; waiting for them is what has limits."""
        deadline = asyncio.get_running_loop().time() + self._settings.timeout_s
        events = _Events()
        async with aclosing(self._parts(body)) as parts:
            while (part := await self._next(parts, deadline, course)) is not None:
                for text in events.feed(part):
                    yield text
        for text in events.end():
            yield text

    async def _next(self, parts: AsyncIterator[bytes], deadline: float, course: _Course) -> bytes | None:
        patience = self._settings.stall_s if course.spoke else self._settings.first_token_s
        until = min(deadline, asyncio.get_running_loop().time() + patience)
        try:
            async with asyncio.timeout_at(until):
                return await anext(parts, None)
        except TimeoutError:
            if until == deadline:
                raise self._late(self._settings.timeout_s) from None
            what = "said nothing more" if course.spoke else "did not begin its answer"
            raise GeneratorError(f"{self.model} {what} in {patience:g} s.") from None

    def _late(self, limit_s: float) -> GeneratorError:
        return GeneratorError(f"{self.model} did not finish its answer in {limit_s:g} s.")

    async def _parts(self, body: Mapping[str, Any]) -> AsyncGenerator[bytes, None]:
        """What has arrived of a stream, whenever something has."""
        async with self._opened(body) as response:
            kind = response.headers.get("content-type", "nothing")
            if not kind.startswith("text/event-stream"):
                raise GeneratorError(f"{self.model} answered with {kind[:60]!r}, not with text/event-stream.")
            async for part in response.content.iter_any():
                yield part

    @asynccontextmanager
    async def _opened(self, body: Mapping[str, Any]) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        # A session per answer: it belongs to the event loop that asks, and embedded use may have several.
        try:
            async with self._session() as session, self._asked(session, body) as response:
                if response.status != 200:
                    raise await self._refusal(response)
                yield response
        except aiohttp.ClientError as error:
            reason = _reason(error)
            raise GeneratorError(f"{self.model} could not be reached or broke off: {reason}", again=True) from error

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._tls),
            timeout=aiohttp.ClientTimeout(sock_connect=min(CONNECT_S, self._settings.timeout_s)),
            headers=self._headers,
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=self._proxy,
        )

    def _asked(
        self, session: aiohttp.ClientSession, body: Mapping[str, Any]
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        content = json.dumps(body, ensure_ascii=False).encode()
        kind = {"content-type": "application/json"}
        return session.post(self._url, data=content, headers=kind, allow_redirects=False)

    async def _refusal(self, response: aiohttp.ClientResponse) -> GeneratorError:
        status = response.status
        if status in (401, 403):  # the body may hold a part of the key
            return GeneratorError(f"{self.model} answered {status}: the API key of the generator is not accepted.")
        message, field = _said(await _read(response, 65536))
        if status in REFUSALS:
            return GeneratorRefusedError(f"{self.model} answered {status}: {message}", status=status, field=field)
        after = _seconds(response.headers.get("retry-after"))
        return GeneratorError(
            f"{self.model} answered {status}: {message}", again=status in PASSING, retry_after_s=after
        )


class _Course:
    """How far a streamed reply has come: which choices have begun and which have ended."""

    def __init__(self) -> None:
        self.spoke = False
        self._begun: set[int] = set()
        self._ended: set[int] = set()

    def see(self, chunk: dict[str, Any]) -> None:
        try:
            self.spoke |= speaks(chunk)
            for choice in chunk.get("choices") or []:
                place = int(choice.get("index") or 0)
                self._begun.add(place)
                if choice.get("finish_reason") is not None:
                    self._ended.add(place)
        except (AttributeError, TypeError, ValueError) as error:
            raise GeneratorError(f"The generator sent a chunk of an unknown shape: {str(chunk)[:300]}") from error

    def check(self) -> None:
        """Raises GeneratorError unless something was said to its end."""
        if not self._ended or self._begun != self._ended:
            raise GeneratorError("The generator broke off its answer.", again=not self.spoke)
        if not self.spoke:
            raise GeneratorError("The generator's answer is empty.", again=True)


def speaks(chunk: Mapping[str, Any]) -> bool:
    """Whether a chunk holds more than a role: text, a thought, a refusal, a tool call."""
    deltas = [choice.get("delta") or {} for choice in chunk.get("choices") or []]
    return any(value for delta in deltas for name, value in delta.items() if name != "role")


class _Events:
    """Reads server-sent events out of bytes as they come: the ``data`` lines of each, joined; all else is left out."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[str] = []

    def feed(self, part: bytes) -> Iterator[str]:
        """The events that a part completes."""
        *whole, self._rest = (self._rest + part).replace(b"\r\n", b"\n").split(b"\n")
        if any(len(line) > LONGEST_EVENT for line in (*whole, self._rest)):
            raise GeneratorError(f"The generator sent a line of more than {LONGEST_EVENT:,} bytes.")
        for line in whole:
            yield from self._take(line.rstrip(b"\r").decode("utf-8", "replace"))

    def end(self) -> Iterator[str]:
        """An event that the end of the stream completes."""
        yield from self._take(self._rest.decode("utf-8", "replace"))
        yield from self._take("")

    def _take(self, line: str) -> Iterator[str]:
        if line.startswith("data:"):
            self._lines.append(line.removeprefix("data:").removeprefix(" "))
        elif not line and self._lines:
            yield "\n".join(self._lines)
            self._lines = []


def _proxy_for(url: str) -> str | None:
    """What the environment names (HTTPS_PROXY, NO_PROXY). aiohttp would read .netrc too, and that on a thread."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ConfigurationError(f"AIM_GENERATOR__URL is not an address: {error}.") from error
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)


def _reason(error: Exception) -> str:
    """Names neither the address nor the key, as the library's own words do: it is shown to callers."""
    number = error.errno if isinstance(error, OSError) else None
    if number is not None and number > 0:
        return os.strerror(number)
    return str(error) if isinstance(error, aiohttp.ServerDisconnectedError) else type(error).__name__


async def _read(response: aiohttp.ClientResponse, most: int = LONGEST_REPLY) -> str:
    """A whole body, which must not be longer than ``most`` bytes."""
    parts: list[bytes] = []
    async for part in response.content.iter_any():
        parts.append(part)
        if sum(map(len, parts)) > most:
            raise GeneratorError(f"The generator's reply is longer than {most:,} bytes.")
    return b"".join(parts).decode("utf-8", "replace")


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise GeneratorError(f"The generator sent something that is not JSON: {text[:100]!r}", again=True) from error
    if not isinstance(value, dict) or value.get("error"):
        raise GeneratorError(f"The generator reported an error: {_said(text)[0]}", again=True)
    return value


def _said(text: str) -> tuple[str, str | None]:
    """(message, parameter at fault) of an error in OpenAI's dialect, or of whatever was sent instead."""
    try:
        error = json.loads(text)
        error = error.get("error", error)
        if isinstance(error, str):
            return error[:300], None
        field = error.get("param")
        return str(error["message"])[:1000], field if isinstance(field, str) else None
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return text[:300], None


def _seconds(header: str | None) -> float | None:
    try:
        asked = float(header or "")
    except ValueError:
        return None
    return asked if 0 <= asked < float("inf") else None
