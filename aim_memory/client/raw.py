"""The same verbs, with the HTTP response as it came: ``client.with_raw_response``.

reply = client.with_raw_response.query("Who is my dentist?", namespace="user/ada")
reply.headers["x-request-id"], reply.retries, reply.parse().results
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, Generic

import httpx2

from aim_memory.client import calls
from aim_memory.client.calls import Call, R
from aim_memory.client.options import P, like
from aim_memory.client.replies import opened, parsed

if TYPE_CHECKING:
    from aim_memory.client.aio import AsyncClient
    from aim_memory.client.sync import Client


@dataclass(frozen=True, slots=True)
class RawResponse(Generic[R]):
    """A success, read whole. What is none is raised as the error of its cause, as everywhere."""

    http_response: httpx2.Response
    retries: int
    """Attempts before the one that succeeded."""
    _reply: type[R]

    @property
    def status_code(self) -> int:
        return self.http_response.status_code

    @property
    def headers(self) -> httpx2.Headers:
        return self.http_response.headers

    @property
    def request_id(self) -> str | None:
        return self.headers.get("x-request-id")

    @property
    def content(self) -> bytes:
        return self.http_response.content

    def parse(self) -> R:
        """What the verb itself would have returned. Raises AIMMemoryError where the server is another."""
        return parsed(self._reply, self.http_response)


def _raw(build: Callable[P, Call[R]]) -> Callable[Concatenate[RawVerbs, P], RawResponse[R]]:
    @like(build)
    def verb(raw: RawVerbs, /, *args: P.args, **kwargs: P.kwargs) -> RawResponse[R]:
        call = build(*args, **kwargs)
        outcome, retries = raw._client._sent(call)
        return RawResponse(opened(outcome), retries, call.reply)

    return verb


class RawVerbs:
    """The blocking client's verbs, but for those that iterate."""

    def __init__(self, client: Client) -> None:
        self._client = client

    write = _raw(calls.write)
    query = _raw(calls.query)
    answer = _raw(calls.answer)
    generate_with_memory = _raw(calls.generate_with_memory)
    get = _raw(calls.get)
    list = _raw(calls.list_memories)
    update = _raw(calls.update)
    delete = _raw(calls.delete)
    history = _raw(calls.history)
    evidence = _raw(calls.evidence)
    forget = _raw(calls.forget)
    session = _raw(calls.session)
    sessions = _raw(calls.sessions)
    reset_session = _raw(calls.reset_session)
    namespaces = _raw(calls.namespaces)
    feedback = _raw(calls.feedback)
    status = _raw(calls.status)


def _awaited(
    build: Callable[P, Call[R]],
) -> Callable[Concatenate[AsyncRawVerbs, P], Coroutine[Any, Any, RawResponse[R]]]:
    @like(build)
    async def verb(raw: AsyncRawVerbs, /, *args: P.args, **kwargs: P.kwargs) -> RawResponse[R]:
        call = build(*args, **kwargs)
        outcome, retries = await raw._client._sent(call)
        return RawResponse(opened(outcome), retries, call.reply)

    return verb


class AsyncRawVerbs:
    """The async client's verbs, but for those that iterate."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    write = _awaited(calls.write)
    query = _awaited(calls.query)
    answer = _awaited(calls.answer)
    generate_with_memory = _awaited(calls.generate_with_memory)
    get = _awaited(calls.get)
    list = _awaited(calls.list_memories)
    update = _awaited(calls.update)
    delete = _awaited(calls.delete)
    history = _awaited(calls.history)
    evidence = _awaited(calls.evidence)
    forget = _awaited(calls.forget)
    session = _awaited(calls.session)
    sessions = _awaited(calls.sessions)
    reset_session = _awaited(calls.reset_session)
    namespaces = _awaited(calls.namespaces)
    feedback = _awaited(calls.feedback)
    status = _awaited(calls.status)
