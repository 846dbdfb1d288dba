"""Chats for measuring servers of OpenAI's chat completions: a lean client, and what the service makes of a chat.

The client reads a stream with as little work as there can be, so that on a machine it shares with the server, what is
measured is the server.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_SAID = re.compile(rb'"content": ?"[^"]')
_COUNTS = re.compile(rb'"prompt_tokens": ?(\d+).*?"completion_tokens": ?(\d+)', re.DOTALL)
_CACHED = re.compile(rb'"cached_tokens": ?(\d+)')


@dataclass(frozen=True, slots=True)
class Place:
    """A server, and what is sent with every request to it."""

    url: str
    """Up to and with /v1."""
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a chat went."""

    first_s: float | None
    """Until the first piece of text; None if none came."""
    whole_s: float
    prompt_tokens: int
    tokens: int
    cached_tokens: int
    trouble: str | None
    """What was wrong with it: another status than 200, an error inside, an end before its end."""


async def chat(place: Place, body: Mapping[str, Any]) -> Outcome:
    """One streamed chat over a connection of its own, to its end."""
    parts = urlsplit(place.url)
    content = json.dumps({**body, "stream": True, "stream_options": {"include_usage": True}}).encode()
    head = {"Host": parts.netloc, "Content-Type": "application/json", "Content-Length": len(content), **place.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    start = time.perf_counter()
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(
            f"POST {parts.path}/chat/completions HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode() + content
        )
        first, whole = None, b""
        while part := await reader.read(65536):
            whole += part
            if first is None and _SAID.search(whole):
                first = time.perf_counter() - start
    finally:
        writer.close()
    return _outcome(whole, first, time.perf_counter() - start)


def _outcome(whole: bytes, first: float | None, took: float) -> Outcome:
    tail = whole[-32768:]
    counted, cached = _COUNTS.search(tail), _CACHED.search(tail)
    prompt, spoken = map(int, counted.groups()) if counted else (0, 0)
    return Outcome(first, took, prompt, spoken, int(cached[1]) if cached else 0, _trouble(whole))


def _trouble(whole: bytes) -> str | None:
    if not whole.startswith(b"HTTP/1.1 200"):
        return whole[:200].decode("utf-8", "replace") or "nothing came"
    if b"data: [DONE]" not in whole[-200:] or b'"error":' in whole[-2000:]:
        return f"it broke off: {whole[-300:].decode('utf-8', 'replace')}"
    return "it is quotes in place of the model" if b'"model":"extractive"' in whole[:4000] else None


@contextmanager
def recording() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server of chat completions that keeps what it is asked and says a word: its address, and what it was asked."""
    asked: list[dict[str, Any]] = []

    class Requests(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            choice = {"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}
            said = json.dumps({"id": "c", "model": "recording", "choices": [choice]}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *args: object) -> None:
            """Nothing is logged."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Requests) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1", asked
        server.shutdown()


def median(values: Sequence[float]) -> float:
    """The middle one; NaN of none."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else float("nan")
