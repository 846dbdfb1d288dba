"""Server-sent events: a stream that keeps itself alive, fails cleanly, and stops the work when the reader leaves."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import anyio
from anyio import CancelScope
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
    what fails later is a last event that holds the same problem. One task reads and sends the events from first to
    last; it is cancelled, and the generation with it, when the reader goes away.
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
        failure: AIMMemoryError | None = None
        line = _Line(send, self.raw_headers)
        async with anyio.create_task_group() as group:
            group.start_soon(_cancel_when_gone, receive, group.cancel_scope)
            group.start_soon(line.keep_alive, self._heartbeat_s)
            failure = await self._deliver(line)
            if failure is None:
                await line.end(self._dialect.end)
            elif line.open:
                await line.end(self._dialect.failure(failure, scope))
            group.cancel_scope.cancel()
        if failure is not None and not line.open:
            raise failure

    async def _deliver(self, line: _Line) -> AIMMemoryError | None:
        """Sends the events, to the end. Returns the error that came instead of one, if one did."""
        async with aclosing(self._events) as events:
            try:
                async with self._admission.place(), deadline(self._timeout_s):
                    async for event in events:
                        await line.put(self._dialect.frame(event))
            except AIMMemoryError as error:
                return error
            except Exception as error:  # noqa: BLE001  the reader must learn that the stream broke
                return AIMMemoryError(str(error)).with_traceback(error.__traceback__)
        return None


class _Line:
    """The way to the reader: opened by the first frame, kept alive where none comes for a while."""

    def __init__(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        self._send = send
        self._headers = headers
        self._silent = False
        self.open = False

    async def put(self, frame: bytes) -> None:
        self._silent = False
        if not self.open:
            self.open = True
            await self._send({"type": "http.response.start", "status": 200, "headers": self._headers})
        await self._send({"type": "http.response.body", "body": frame, "more_body": True})

    async def end(self, frame: bytes) -> None:
        if frame:
            await self.put(frame)
        await self._send({"type": "http.response.body", "body": b""})

    async def keep_alive(self, every_s: float) -> None:
        """A comment for each such time in which nothing was sent."""
        while True:
            self._silent = True
            await anyio.sleep(every_s)
            if self._silent and self.open:
                await self.put(HEARTBEAT)


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
