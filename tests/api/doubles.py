"""Stand-ins at the seams of the API: an engine that does as told, and a caller that speaks ASGI by hand."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Scope

from aim_memory.bodies import AnswerEvent, AnswerReply, AnswerRequest, QueryReply, QueryRequest
from aim_memory.engine import MemoryEngine
from aim_memory.keys import Keyring
from aim_memory.ports import Observer
from aim_memory.types import ApiKey


class StubEngine(MemoryEngine):
    """An engine that does what the test gave it: one callable for query and answer, one stream of events."""

    def __init__(
        self,
        query: Callable[[], Any] | None = None,
        events: Callable[[], AsyncGenerator[AnswerEvent, None]] | None = None,
        answer: Callable[[], Any] | None = None,
    ) -> None:
        self._query = query
        self._events = events
        self._answer = answer
        self.is_ready = True
        self.closed = False

    def query(self, tenant: str, request: QueryRequest) -> QueryReply:
        assert self._query is not None
        reply: QueryReply = self._query()
        return reply

    async def answer(self, tenant: str, request: AnswerRequest) -> AnswerReply:
        assert self._answer is not None
        reply: AnswerReply = await self._answer()
        return reply

    def stream_answer(self, tenant: str, request: AnswerRequest) -> AsyncGenerator[AnswerEvent, None]:
        assert self._events is not None
        return self._events()

    def status(self) -> dict[str, Any]:
        return {"note": "<b>bold</b>"}

    def ready(self) -> bool:
        return self.is_ready

    def observe(self, observer: Observer) -> None:
        pass

    def upkeep(self) -> dict[str, int]:
        return {}

    def work(self, stopping: Callable[[], bool]) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


class OpenDoor(Keyring):
    """No key was ever made."""

    def __init__(self) -> None:
        pass

    @property
    def local(self) -> bool:
        return True

    def admit(self, token: str | None) -> ApiKey | None:
        return None


@dataclass
class Reply:
    """What came back over ASGI."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    chunks: list[bytes] = field(default_factory=list)
    complete: bool = False
    reads: int = 0
    """How many body messages the app took."""

    @property
    def json(self) -> Any:
        return json.loads(b"".join(self.chunks))


async def call(
    app: ASGIApp,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: Iterable[bytes] = (b"",),
    client: tuple[str, int] | None = ("127.0.0.1", 50000),
    on_chunk: Callable[[bytes], None] = lambda _: None,
    hang_up: Callable[[], Any] | None = None,
) -> Reply:
    """One request by hand. The caller stays on the line until ``hang_up()`` (awaited) says otherwise."""
    reply, parts = Reply(), iter([*body])
    pending = [next(parts)]

    async def receive() -> Message:
        if pending:
            reply.reads += 1
            chunk = pending.pop()
            pending.extend(_next(parts))
            return {"type": "http.request", "body": chunk, "more_body": bool(pending)}
        if hang_up is not None:
            await hang_up()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            reply.status = message["status"]
            reply.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            return
        if message.get("body"):
            reply.chunks.append(message["body"])
            on_chunk(message["body"])
        reply.complete = not message.get("more_body", False)

    await app(scope_of(app, method, path, headers or {}, client), receive, send)
    return reply


def _next(parts: Iterator[bytes]) -> list[bytes]:
    following = next(parts, None)
    return [] if following is None else [following]


def scope_of(app: ASGIApp, method: str, path: str, headers: Mapping[str, str], client: tuple[str, int] | None) -> Scope:
    named = {"host": "127.0.0.1:8765", **headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in named.items()],
        "client": client,
        "server": ("127.0.0.1", 8765),
    }


def events_of(text: str) -> Sequence[tuple[str, dict[str, Any]]]:
    """A server-sent event stream as (event, body) pairs; comments are left out."""
    found = []
    for block in text.strip().split("\n\n"):
        if block.startswith(":"):
            continue
        event, _, data_line = block.partition("\n")
        found.append((event.removeprefix("event: "), json.loads(data_line.removeprefix("data: "))))
    return found
