"""The blocking client."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import TYPE_CHECKING, Concatenate, Self

import httpx2

from aim_memory.bodies import AnswerEvent, Filter, MemoryView
from aim_memory.client import calls
from aim_memory.client.calls import Call, R, When
from aim_memory.client.options import LOCAL_URL, Options, P, connection, like
from aim_memory.client.replies import event, opened, read, settled, unreachable
from aim_memory.client.retry import Outcome, Retry, may_have_happened

if TYPE_CHECKING:
    from aim_memory.client.admin import Admin
    from aim_memory.client.raw import RawVerbs


def _sent(build: Callable[P, Call[R]]) -> Callable[Concatenate[Client, P], R]:
    @like(build)
    def verb(client: Client, /, *args: P.args, **kwargs: P.kwargs) -> R:
        call = build(*args, **kwargs)
        return read(call, client._send(call))

    return verb


def _streamed(build: Callable[P, Call[R]]) -> Callable[Concatenate[Client, P], Iterator[AnswerEvent]]:
    @like(build)
    def verb(client: Client, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[AnswerEvent]:
        return client._events(build(*args, **kwargs))

    return verb


class Client:
    """Talks to an AIM-Memory server. Safe to share between threads; close it, or use it as a context manager.

        with Client("http://127.0.0.1:8765") as memory:
            memory.write("My dentist is Dr. Okafor.", namespace="user/ada")
            print(memory.answer("Who is my dentist?", namespace="user/ada").answer)

    Raises the errors of ``aim_memory.errors``, each with the server's ``request_id``.
    """

    def __init__(
        self,
        url: str = LOCAL_URL,
        api_key: str | None = None,
        *,
        timeout: float = 60.0,
        max_retries: int = 2,
        transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``timeout`` is in seconds, for each attempt; connecting never takes longer than five."""
        self._http = httpx2.Client(**connection(url, api_key), transport=transport)
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
    def admin(self) -> Admin:
        """Keys, backups, jobs, exports: what administrators may."""
        from aim_memory.client.admin import Admin

        return Admin(self)

    @property
    def with_raw_response(self) -> RawVerbs:
        """The same verbs, with status, headers and body as they came."""
        from aim_memory.client.raw import RawVerbs

        return RawVerbs(self)

    def iterate(
        self,
        *,
        namespace: str,
        filters: Filter | None = None,
        since: When | None = None,
        until: When | None = None,
        session_id: str | None = None,
    ) -> Iterator[MemoryView]:
        """All memories that ``list`` would show, page after page."""
        cursor: str | None = None
        while True:
            page = self.list(
                namespace=namespace, filters=filters, since=since, until=until, session_id=session_id, cursor=cursor
            )
            yield from page.items
            if (cursor := page.next_cursor) is None:
                return

    def with_options(self, *, timeout: float | None = None, max_retries: int | None = None) -> Self:
        """The same connection with other patience; closing either closes both."""
        other = copy.copy(self)
        other._options = self._options.changed(timeout, max_retries)
        return other

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _events(self, call: Call[R]) -> Iterator[AnswerEvent]:
        response = opened(self._send(call, stream=True))
        try:
            yield from map(event, httpx2.EventSource(response))
        except httpx2.RequestError as failure:
            raise unreachable(failure) from failure
        finally:
            response.close()

    def _send(self, call: Call[R], *, stream: bool = False) -> Outcome:
        outcome, _ = self._sent(call, stream=stream)
        return outcome

    def _sent(self, call: Call[R], *, stream: bool = False) -> tuple[Outcome, int]:
        """What the last attempt came to, and how many there were before it."""
        begun = False
        for tried in count():
            outcome = self._attempt(call, stream)
            pause = self._options.retry.pause(outcome, tried, repeatable=call.repeatable)
            if pause is None:
                break
            begun |= may_have_happened(outcome)
            self._sleep(pause)
        return settled(call, outcome, begun), tried

    def _attempt(self, call: Call[R], stream: bool) -> Outcome:
        try:
            response = self._http.send(self._options.request(self._http, call), stream=stream)
            if not response.is_success:
                response.read()
        except httpx2.RequestError as failure:
            return failure
        return response
