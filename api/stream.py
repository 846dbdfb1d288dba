"""Server-sent events: a stream that keeps itself alive, fails cleanly, and stops the work when the reader leaves."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import anyio
from anyio import CancelScope
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from pydantic_core import to_json
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from aim_memory.api import problems
from aim_memory.api.workers import Gate, deadline
from aim_memory.bodies import AnswerEvent
from aim_memory.errors import AIMMemoryError

HEARTBEAT = b": keep-alive\n\n"
_Item = AnswerEvent | AIMMemoryError


class EventStream(Response):
    """The events of one answer.

    The response begins with the first event, so what fails before it is an ordinary problem with its own status;
    what fails later is an ``error`` event that holds the same problem. One task reads the events from first to last;
    it is cancelled, and the generation with it, when the reader goes away.
    """

    media_type = "text/event-stream"

    def __init__(
        self, events: AsyncGenerator[AnswerEvent, None], gate: Gate, *, timeout_s: float, heartbeat_s: float
    ) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._events = events
        self._gate = gate
        self._timeout_s = timeout_s
        self._heartbeat_s = heartbeat_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._gate.passing():
            inlet, outlet = anyio.create_memory_object_stream[_Item](0)
            refusal = None
            async with outlet, anyio.create_task_group() as group:
                group.start_soon(self._produce, inlet)
                group.start_soon(_cancel_when_gone, receive, group.cancel_scope)
                refusal = await self._deliver(outlet, scope, send)
                group.cancel_scope.cancel()
        if refusal is not None:
            raise refusal

    async def _produce(self, inlet: MemoryObjectSendStream[_Item]) -> None:
        async with inlet, aclosing(self._events) as events:
            try:
                async with deadline(self._timeout_s):
                    async for event in events:
                        await inlet.send(event)
            except AIMMemoryError as error:
                await inlet.send(error)
            except Exception as error:  # noqa: BLE001  the reader must learn that the stream broke
                await inlet.send(AIMMemoryError(str(error)).with_traceback(error.__traceback__))

    async def _deliver(
        self, outlet: MemoryObjectReceiveStream[_Item], scope: Scope, send: Send
    ) -> AIMMemoryError | None:
        """Sends what comes, to the end. Returns the error that came instead of a first event, if one did."""
        first = await outlet.receive()
        if isinstance(first, AIMMemoryError):
            return first
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": _frame(first, scope), "more_body": True})
        async for frame in self._frames(outlet, scope):
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return None

    async def _frames(self, outlet: MemoryObjectReceiveStream[_Item], scope: Scope) -> AsyncIterator[bytes]:
        while True:
            try:
                with anyio.fail_after(self._heartbeat_s):
                    item = await outlet.receive()
            except TimeoutError:
                yield HEARTBEAT
            except anyio.EndOfStream:
                return
            else:
                yield _frame(item, scope)


async def _cancel_when_gone(receive: Receive, work: CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    work.cancel()


def _frame(item: _Item, scope: Scope) -> bytes:
    if isinstance(item, AnswerEvent):
        return b"event: %s\ndata: %s\n\n" % (item.event.encode(), to_json(item.body))
    problem = problems.describe(item, problems.request_id_of(scope))
    return b"event: error\ndata: %s\n\n" % problem.model_dump_json(exclude_none=True).encode()
