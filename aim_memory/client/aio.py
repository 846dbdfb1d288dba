"""The client for async code: the same verbs, awaited."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from itertools import count
from typing import TYPE_CHECKING, Any, Concatenate, Self

import httpx2

from aim_memory.bodies import AnswerEvent, Filter, MemoryView
from aim_memory.client import calls
from aim_memory.client.calls import Call, R, When
from aim_memory.client.options import LOCAL_URL, Options, P, connection, like
from aim_memory.client.replies import event, opened, read, settled, unreachable
from aim_memory.client.retry import Outcome, Retry, may_have_happened

if TYPE_CHECKING:
    from aim_memory.client.admin import AsyncAdmin
    from aim_memory.client.raw import AsyncRawVerbs


def _sent(build: Callable[P, Call[R]]) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, R]]:
    @like(build)
    async def verb(client: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> R:
        call = build(*args, **kwargs)
        return read(call, await client._send(call))

    return verb


def _streamed(build: Callable[P, Call[R]]) -> Callable[Concatenate[AsyncClient, P], AsyncIterator[AnswerEvent]]:
    @like(build)
    def verb(client: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[AnswerEvent]:
        return client._events(build(*args, **kwargs))

    return verb


class AsyncClient:
    """Talks to an AIM-Memory server without blocking: the verbs of ``Client``, awaited; the two iterators are async.

        async with AsyncClient("http://127.0.0.1:8765") as memory:
            reply = await memory.query("Who is my dentist?", namespace="user/ada")

    Raises the errors of ``aim_memory.errors``, each with the server's ``request_id``.
    """

    def __init__(
        self,
        url: str = LOCAL_URL,
        api_key: str | None = None,
        *,
        timeout: float = 60.0,
        max_retries: int = 2,
        transport: httpx2.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``timeout`` is in seconds, for each attempt; connecting never takes longer than five."""
        self._http = httpx2.AsyncClient(**connection(url, api_key), transport=transport)
        self._options = Options(timeout, Retry(max_retries))
        self._sleep = sleep

    write = _sent(calls.write)
    query = _sent(calls.query)
    answer = _sent(calls.answer)
    generate_with_memory = _sent(calls.generate_with_memory)
    stream_answer = _streamed(calls.stream_answer)
    get = _sent(calls.get)
    list = _sent(calls.list_memories)
    update = _sent(calls.update)
    delete = _sent(calls.delete)
    history = _sent(calls.history)
    evidence = _sent(calls.evidence)
    forget = _sent(calls.forget)
    session = _sent(calls.session)
    sessions = _sent(calls.sessions)
    reset_session = _sent(calls.reset_session)
    namespaces = _sent(calls.namespaces)
    feedback = _sent(calls.feedback)
    status = _sent(calls.status)

    @property
    def admin(self) -> AsyncAdmin:
        """Keys, jobs, counts, the audit log: what administrators may."""
        from aim_memory.client.admin import AsyncAdmin

        return AsyncAdmin(self)

    @property
    def with_raw_response(self) -> AsyncRawVerbs:
        """The same verbs, with status, headers and body as they came."""
        from aim_memory.client.raw import AsyncRawVerbs

        return AsyncRawVerbs(self)

    async def iterate(
        self,
        *,
        namespace: str,
        filters: Filter | None = None,
        since: When | None = None,
        until: When | None = None,
        session_id: str | None = None,
    ) -> AsyncIterator[MemoryView]:
        """All memories that ``list`` would show, page after page."""
        cursor: str | None = None
        while True:
            page = await self.list(
                namespace=namespace, filters=filters, since=since, until=until, session_id=session_id, cursor=cursor
            )
            for memory in page.items:
                yield memory
            if (cursor := page.next_cursor) is None:
                return

    def with_options(self, *, timeout: float | None = None, max_retries: int | None = None) -> Self:
        """The same connection with other patience; closing either closes both."""
        other = copy.copy(self)
        other._options = self._options.changed(timeout, max_retries)
        return other

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _events(self, call: Call[R]) -> AsyncIterator[AnswerEvent]:
        response = opened(await self._send(call, stream=True))
        try:
            async for message in httpx2.EventSource(response):
                yield event(message)
        except httpx2.RequestError as failure:
            raise unreachable(failure) from failure
        finally:
            await response.aclose()

    async def _send(self, call: Call[R], *, stream: bool = False) -> Outcome:
        outcome, _ = await self._sent(call, stream=stream)
        return outcome

    async def _sent(self, call: Call[R], *, stream: bool = False) -> tuple[Outcome, int]:
        """What the last attempt came to, and how many there were before it."""
        begun = False
        for tried in count():
            outcome = await self._attempt(call, stream)
            pause = self._options.retry.pause(outcome, tried, repeatable=call.repeatable)
            if pause is None:
                break
            begun |= may_have_happened(outcome)
            await self._sleep(pause)
        return settled(call, outcome, begun), tried

    async def _attempt(self, call: Call[R], stream: bool) -> Outcome:
        try:
            response = await self._http.send(self._options.request(self._http, call), stream=stream)
            if not response.is_success:
                await response.aread()
        except httpx2.RequestError as failure:
            return failure
        return response
