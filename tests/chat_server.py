"""A chat completions server on loopback that plays a script, for tests of what speaks to one."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class ChatReply:
    """One HTTP reply: the raw pieces of its body, each flushed; ``hang`` waits, after them, until the server closes.
    ``silent`` does so before anything is said."""

    pieces: tuple[bytes, ...]
    status: int = 200
    content_type: str = "text/event-stream"
    hang: bool = False
    silent: bool = False
    headers: tuple[tuple[str, str], ...] = ()


def event(chunk: dict[str, Any] | str) -> bytes:
    text = chunk if isinstance(chunk, str) else json.dumps(chunk)
    return f"data: {text}\n\n".encode()


def delta(text: str | None = None, finish: str | None = None) -> bytes:
    return event({"choices": [{"delta": {} if text is None else {"content": text}, "finish_reason": finish}]})


@dataclass
class ChatServer:
    """Replies in order, the last one again and again, or by what is asked (``respond``). ``requests`` holds what was
    asked: (headers, body)."""

    replies: list[ChatReply] = field(default_factory=list)
    respond: Callable[[dict[str, Any]], ChatReply] | None = None
    requests: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    disconnected: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> ChatServer:
        self._closing = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _requests_of(self))
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    @staticmethod
    def answer(text: str) -> ChatReply:
        usage = event({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 5}})
        pieces = [delta(""), *(delta(word + " ") for word in text.split()), delta(finish="stop"), usage]
        return ChatReply((*pieces, event("[DONE]")))

    @staticmethod
    def whole(text: str, **more: Any) -> ChatReply:
        """A completion that is not streamed."""
        message = {"role": "assistant", "content": text, **more.pop("message", {})}
        body = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": "tiny",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12},
            **more,
        }
        return ChatReply((json.dumps(body).encode(),), content_type="application/json")

    @staticmethod
    def streamed(text: str) -> ChatReply:
        """A streamed completion with all the fields that clients read."""
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "tiny"}
        words = [{"role": "assistant", "content": ""}, *({"content": word} for word in text.split(" "))]
        pieces = [{**head, "choices": [{"index": 0, "delta": one, "finish_reason": None}]} for one in _spaced(words)]
        pieces.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        usage = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
        pieces.append({**head, "choices": [], "usage": usage})
        return ChatReply((*map(event, pieces), event("[DONE]")))

    def play(self, handler: BaseHTTPRequestHandler) -> None:
        body = json.loads(handler.rfile.read(int(handler.headers["content-length"])))
        self.requests.append(({name.lower(): value for name, value in handler.headers.items()}, body))
        if self.respond is not None:
            reply = self.respond(body)
        else:
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        with suppress(ConnectionError):  # the other side may leave early
            _send(handler, reply)
        if reply.hang or reply.silent:
            self.disconnected.set()


def _spaced(words: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{**one, "content": f" {one['content']}"} if place > 1 else one for place, one in enumerate(words)]


def _send(handler: BaseHTTPRequestHandler, reply: ChatReply) -> None:
    if reply.silent:
        handler.rfile.read(1)  # returns when the other side hangs up
        return
    handler.send_response(reply.status)
    handler.send_header("content-type", reply.content_type)
    for name, value in reply.headers:
        handler.send_header(name, value)
    handler.end_headers()
    for piece in reply.pieces:
        handler.wfile.write(piece)
        handler.wfile.flush()
    if reply.hang:
        handler.rfile.read(1)  # returns when the other side hangs up


def _requests_of(server: ChatServer) -> type[BaseHTTPRequestHandler]:
    class Requests(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.play(self)

        def log_message(self, *args: object) -> None:
            """Tests are quiet."""

    return Requests
