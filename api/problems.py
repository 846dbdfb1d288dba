"""Every failure as RFC 9457 ``application/problem+json``, from one table: error class → status and title."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from aim_memory.api import mem0_errors, openai_errors
from aim_memory.errors import (
    AIMMemoryError,
    AuthenticationError,
    ConfigurationError,
    ConflictError,
    ConnectionFailedError,
    DeadlineExceededError,
    EmbedderError,
    GeneratorError,
    GeneratorRefusedError,
    IdempotencyError,
    InvalidInputError,
    LimitExceededError,
    MissingExtraError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    QueueFullError,
    StaleVersionError,
    StorageBusyError,
    StorageError,
    StorageFullError,
    UnknownReferenceError,
)

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 20
"""Violations named in one reply; a hostile body could have thousands."""
_NAME_CHARS = 100
_log = logging.getLogger("aim_memory.api")


class ClientGoneError(Exception):
    """The caller hung up; nobody is there to be answered."""


@dataclass(frozen=True, slots=True)
class Kind:
    status: int
    title: str


KINDS: Mapping[type[AIMMemoryError], Kind] = {
    AIMMemoryError: Kind(500, "Internal error"),
    InvalidInputError: Kind(422, "Invalid request"),
    LimitExceededError: Kind(422, "Limit exceeded"),
    UnknownReferenceError: Kind(422, "Unknown reference"),
    AuthenticationError: Kind(401, "Not authenticated"),
    PermissionDeniedError: Kind(403, "Not permitted"),
    NotFoundError: Kind(404, "Not found"),
    ConflictError: Kind(409, "Conflict"),
    IdempotencyError: Kind(422, "Idempotency key used before"),
    StaleVersionError: Kind(412, "Stale version"),
    StorageError: Kind(500, "Storage error"),
    StorageBusyError: Kind(503, "Storage busy"),
    StorageFullError: Kind(507, "Storage full"),
    EmbedderError: Kind(503, "Embedder unavailable"),
    GeneratorError: Kind(502, "Generator failed"),
    GeneratorRefusedError: Kind(422, "Generator refused"),
    OverloadedError: Kind(503, "Overloaded"),
    QueueFullError: Kind(429, "Queue full"),
    DeadlineExceededError: Kind(504, "Timed out"),
    ConfigurationError: Kind(500, "Configuration error"),
    MissingExtraError: Kind(500, "Missing extra"),
    ConnectionFailedError: Kind(502, "Connection failed"),
}

HTTP_CODES: Mapping[int, str] = {
    404: NotFoundError.code,
    405: "method_not_allowed",
    408: DeadlineExceededError.code,
    413: LimitExceededError.code,
    415: "unsupported_media_type",
}
"""Codes of what HTTP itself refuses, before any error of ours."""


class Violation(BaseModel):
    """One thing that is wrong with a request."""

    field: str | None = Field(None, description="Path into the body, or the name of a parameter.")
    message: str


class Problem(BaseModel):
    """What went wrong, for people (`detail`) and for programs (`code`)."""

    type: str = Field(description="URN of the kind of problem.")
    title: str
    status: int
    detail: str
    code: str = Field(description="Stable name; use it to tell problems apart.")
    field: str | None = Field(None, description="Which part of the request, if it is one part.")
    request_id: str | None = None
    errors: list[Violation] | None = Field(None, description="All violations (the first 20), if there are several.")


def problem(code: str, kind: Kind, detail: str, **more: Any) -> Problem:
    return Problem(
        type=f"urn:aim-memory:{code}", title=kind.title, status=kind.status, detail=detail, code=code, **more
    )


def kind_of(error: AIMMemoryError) -> Kind:
    """The table's entry for a class, or for its nearest ancestor."""
    return next(KINDS[cls] for cls in type(error).__mro__ if cls in KINDS)


def describe(error: AIMMemoryError, request_id: str | None) -> Problem:
    """The problem that an error is. What a 500 knows goes to the log, never to the caller."""
    kind = kind_of(error)
    if kind.status == 500:
        _log.error("request %s failed", request_id, exc_info=error)
        summary = (type(error).__doc__ or "").strip()
        return problem(error.code, kind, f"{summary} The server's log says more.", request_id=request_id)
    field = error.field if isinstance(error, InvalidInputError | GeneratorRefusedError) else None
    return problem(error.code, kind, error.message, field=field, request_id=request_id)


def headers_for(error: AIMMemoryError) -> dict[str, str]:
    kind = kind_of(error)
    if kind.status == 401:
        return {"www-authenticate": 'Bearer realm="aim-memory"'}
    if isinstance(error, GeneratorError) and error.retry_after_s is not None:
        return {"retry-after": str(math.ceil(error.retry_after_s))}
    if kind.status in (429, 503):
        wait = error.retry_after_s if isinstance(error, OverloadedError) else 1.0
        return {"retry-after": str(math.ceil(wait))}
    return {}


def response(body: Problem, scope: Scope, headers: Mapping[str, str] | None = None) -> Response:
    """In the dialect of the route. Its code stays in the scope, for whoever keeps account of requests."""
    scope.setdefault("state", {})["code"] = body.code
    if openai_errors.spoken_at(scope["path"]):
        content = json.dumps(openai_errors.error_of(body.model_dump()))
        return Response(content, openai_errors.status_of(body.status), headers, media_type="application/json")
    if mem0_errors.spoken_at(scope["path"]):
        content = json.dumps(mem0_errors.error_of(body.model_dump()))
        return Response(content, mem0_errors.status_of(body.status), headers, media_type="application/json")
    return Response(body.model_dump_json(exclude_none=True), body.status, headers, media_type=MEDIA_TYPE)


def respond(error: AIMMemoryError | HTTPException, scope: Scope) -> Response:
    """The response that refuses a request; for middleware as much as for routes."""
    request_id = request_id_of(scope)
    if isinstance(error, AIMMemoryError):
        return response(describe(error, request_id), scope, headers_for(error))
    phrase = HTTPStatus(error.status_code).phrase
    kind = Kind(error.status_code, phrase)
    code = HTTP_CODES.get(error.status_code, "http_error")
    detail = error.detail if error.detail != phrase else _explain(error.status_code, scope)
    return response(problem(code, kind, detail, request_id=request_id), scope, error.headers)


def request_id_of(scope: Scope) -> str | None:
    request_id: str | None = scope.get("state", {}).get("request_id")
    return request_id


def install(app: FastAPI) -> None:
    """Makes every failure inside the app a problem."""
    app.add_exception_handler(AIMMemoryError, _ours)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(ClientGoneError, _gone)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, AIMMemoryError)
    return respond(error, request.scope)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return respond(error, request.scope)


async def _gone(request: Request, error: Exception) -> Response:
    return Response(status_code=499)  # nobody reads it


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    violations = list(_violations(found[:MOST_ERRORS]))
    first = violations[0]
    detail = f"{first.field}: {first.message}" if first.field else first.message
    if len(found) > 1:
        detail += f" (and {len(found) - 1} more)"
    body = problem(
        InvalidInputError.code,
        KINDS[InvalidInputError],
        detail,
        field=first.field,
        request_id=request_id_of(request.scope),
        errors=violations,
    )
    return response(body, request.scope)


def _violations(found: Sequence[Mapping[str, Any]]) -> Iterator[Violation]:
    """Without the input itself: what was sent is not sent back."""
    for violation in found:
        unknown = violation["type"] == "extra_forbidden"
        message = "unknown field" if unknown else str(violation["msg"]).removeprefix("Value error, ")
        yield Violation(field=_path(violation["loc"]), message=message)


def _path(loc: Sequence[str | int]) -> str | None:
    """("body", "memories", 0, "text") → "memories[0].text"."""
    path = ""
    for part in loc[1:]:
        path += f"[{part}]" if isinstance(part, int) else f".{part[:_NAME_CHARS]}"
    return path.removeprefix(".") or None


def _explain(status: int, scope: Scope) -> str:
    where = f"{scope['method']} {scope['path'][:_NAME_CHARS]}"
    if status == 404:
        return f"There is no route {where}; /docs lists them."
    if status == 405:
        return f"The route does not take {where}; /docs lists what it takes."
    return HTTPStatus(status).phrase
