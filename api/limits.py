"""What a request's body may be: at most so long, on time, JSON, and JSON that every store and client can hold. Names
in its address, too, are such that every store can hold them."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Collection, Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aim_memory.api import problems
from aim_memory.errors import AIMMemoryError, InvalidInputError

_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_NUL_IN_ADDRESS = "The address holds a NUL character (%00), which no store can look for; remove it."


class BodyGuard:
    """ASGI middleware: reads the whole body within its limits, checks it, and hands it on."""

    def __init__(
        self,
        app: ASGIApp,
        body_bytes: int,
        json_depth: int,
        timeout_s: float,
        by_path: Mapping[str, int] | None = None,
        streamed: Collection[str] = (),
    ) -> None:
        """``by_path``: other sizes; ``streamed``: paths whose routes read the body themselves, piece by piece."""
        self._app = app
        self._body_bytes = body_bytes
        self._by_path = by_path or {}
        self._streamed = streamed
        self._json_depth = json_depth
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and ("\x00" in scope["path"] or b"%00" in scope["query_string"]):
            await problems.respond(InvalidInputError(_NUL_IN_ADDRESS), scope)(scope, receive, send)
            return
        if scope["type"] != "http" or scope["method"] not in _WITH_BODY or scope["path"] in self._streamed:
            await self._app(scope, receive, send)
            return
        try:
            most = self._by_path.get(scope["path"], self._body_bytes)
            body = await self._read(Headers(scope=scope), receive, most)
            self._check(Headers(scope=scope), body)
        except problems.ClientGoneError:
            return
        except (AIMMemoryError, HTTPException) as error:
            await problems.respond(error, scope)(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)

    async def _read(self, headers: Headers, receive: Receive, most: int) -> bytes:
        declared = headers.get("content-length", "0")
        if not (declared.isascii() and declared.isdigit()):
            raise HTTPException(400, "Content-Length is not a number.")
        if len(declared) > 18 or int(declared) > most:
            raise _too_large(most)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await _collect(receive, most)
        except TimeoutError:
            raise HTTPException(408, "The request body did not arrive in time.", {"connection": "close"}) from None

    def _check(self, headers: Headers, body: bytes) -> None:
        if not body:
            return
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json" and not media_type.endswith("+json"):
            raise HTTPException(415, "The request body must be JSON: send 'Content-Type: application/json'.")
        check_json(body, self._json_depth)


async def _collect(receive: Receive, most: int) -> bytes:
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise problems.ClientGoneError
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > most:
            raise _too_large(most)
        more = message.get("more_body", False)
    return b"".join(chunks)


def _too_large(most: int) -> HTTPException:
    detail = f"The request body is larger than {most:,} bytes. Send it in several requests."
    return HTTPException(413, detail, {"connection": "close"})


def check_json(body: bytes, depth: int) -> None:
    """Raises InvalidInputError unless the body is UTF-8 JSON of finite numbers and storable strings, nested at most
    ``depth`` deep."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"The body is not UTF-8 at byte {error.start}.") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise InvalidInputError(f"The body is not JSON: {error.msg} at {where}.") from None
    except RecursionError:
        raise _too_deep(depth) from None
    except ValueError as error:  # an integer of more than 4,300 digits
        raise InvalidInputError("The body holds a number too long to read.") from error
    _walk(value, depth)


def _walk(value: Any, depth: int) -> None:
    """Level by level, so that no depth of nesting can exhaust the stack."""
    level = [value]
    for _ in range(depth):
        below: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                below += node.keys()
                below += node.values()
            elif isinstance(node, list):
                below += node
            elif isinstance(node, str):
                _check_string(node)
        if not below:
            return
        level = below
    raise _too_deep(depth)


def _check_string(text: str) -> None:
    if "\x00" in text:
        raise InvalidInputError("A string in the body holds a NUL character (\\u0000); remove it.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise InvalidInputError(
            "A string in the body holds half a surrogate pair, which no encoding can store."
        ) from None


def _refuse_constant(name: str) -> float:
    raise InvalidInputError(f"The body holds {name}, which is not JSON; use null or leave the field out.")


def _finite(literal: str) -> float:
    number = float(literal)
    if math.isinf(number):
        raise InvalidInputError(f"The body holds the number {literal[:40]}, which is too large.")
    return number


def _too_deep(depth: int) -> InvalidInputError:
    return InvalidInputError(f"The body is nested more than {depth} levels deep.")


def _replay(body: bytes, receive: Receive) -> Receive:
    """A receive that gives the body read before, then whatever comes after it (the disconnect)."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
