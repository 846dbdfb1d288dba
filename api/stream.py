"""Server-sent events: a stream that keeps itself alive, fails cleanly, and stops the work when the reader leaves."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import anyio
from anyio import CancelScope
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from aim_memory.api import problems
from aim_memory.api.admission import Admission
from aim_memory.api.workers import deadline
from aim_memory.bodies import AnswerEvent
from aim_memory.errors import AIMMemoryError

HEARTBEAT = b": keep-alive\n\n"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Dialect(Generic[_T]):
    """How events look on the wire."""

    frame: Callable[[_T], bytes]
    failure: Callable[[AIMMemoryError, Scope], bytes]
    end: bytes = b""
    """After the last event of a stream that did not fail."""


def _answer_frame(event: AnswerEvent) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (event.event.encode(), to_json(event.body))


def _answer_failure(error: AIMMemoryError, scope: Scope) -> bytes:
    problem = problems.describe(error, problems.request_id_of(scope))
    return b"event: error\ndata: %s\n\n" % problem.model_dump_json(exclude_none=True).encode()


ANSWERS: Dialect[AnswerEvent] = Dialect(_answer_frame, _answer_failure)


class EventStream(Response, Generic[_T]):
    """The events of one answer.

    The response begins with the first event, so what fails before it is an ordinary problem with its own status;
    what fails later is a last event that holds the same problem. One task reads the events from first to last;
    it is cancelled, and the generation with it, when the reader goes away.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        events: AsyncGenerator[_T, None],
        dialect: Dialect[_T],
        admission: Admission,
        *,
        timeout_s: float,
        heartbeat_s: float,
    ) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._events = events
        self._dialect = dialect
        self._admission = admission
        self._timeout_s = timeout_s
        self._heartbeat_s = heartbeat_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        inlet, outlet = anyio.create_memory_object_stream[_T | AIMMemoryError](0)
        refusal = None
        async with outlet, anyio.create_task_group() as group:
            group.start_soon(self._produce, inlet)
            group.start_soon(_cancel_when_gone, receive, group.cancel_scope)
            refusal = await self._deliver(outlet, scope, send)
            group.cancel_scope.cancel()
        if refusal is not None:
            raise refusal

    async def _produce(self, inlet: MemoryObjectSendStream[_T | AIMMemoryError]) -> None:
        async with inlet, aclosing(self._events) as events:
            try:
                async with self._admission.place(), deadline(self._timeout_s):
                    async for event in events:
                        await inlet.send(event)
            except AIMMemoryError as error:
                await inlet.send(error)
            except Exception as error:  # noqa: BLE001  the reader must learn that the stream broke
                await inlet.send(AIMMemoryError(str(error)).with_traceback(error.__traceback__))

    async def _deliver(
        self, outlet: MemoryObjectReceiveStream[_T | AIMMemoryError], scope: Scope, send: Send
    ) -> AIMMemoryError | None:
        """Sends what comes, to the end. Returns the error that came instead of a first event, if one did."""
        first = await outlet.receive()
        if isinstance(first, AIMMemoryError):
            return first
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self._dialect.frame(first), "more_body": True})
        async for frame in self._frames(outlet, scope):
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return None

    async def _frames(
        self, outlet: MemoryObjectReceiveStream[_T | AIMMemoryError], scope: Scope
    ) -> AsyncIterator[bytes]:
        failed = False
        while True:
            try:
                with anyio.fail_after(self._heartbeat_s):
                    item = await outlet.receive()
            except TimeoutError:
                yield HEARTBEAT
            except anyio.EndOfStream:
                break
            else:
                failed = isinstance(item, AIMMemoryError)
                yield self._frame(item, scope)
        if self._dialect.end and not failed:
            yield self._dialect.end

    def _frame(self, item: _T | AIMMemoryError, scope: Scope) -> bytes:
        if isinstance(item, AIMMemoryError):
            return self._dialect.failure(item, scope)
        return self._dialect.frame(item)


async def while_there(request: Request, work: Coroutine[Any, Any, _T]) -> _T:
    """What work comes to, cancelled when the caller hangs up: then ClientGoneError is raised."""
    found: list[_T] = []
    failed: list[BaseException] = []

    async def run(scope: CancelScope) -> None:
        try:
            found.append(await work)
        except Exception as error:  # noqa: BLE001  carried over the edge of the task group, which would wrap it
            failed.append(error)
        scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(run, group.cancel_scope)
        group.start_soon(_cancel_when_gone, request.receive, group.cancel_scope)
    if failed:
        raise failed[0]
    if not found:
        raise problems.ClientGoneError
    return found[0]


async def _cancel_when_gone(receive: Receive, work: CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    work.cancel()
