"""The OpenAPI document: examples, every problem a route can answer, the configured limits, and who may call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from aim_memory.api import openai_errors
from aim_memory.api.auth import OPEN_PATHS
from aim_memory.api.examples import EXAMPLES, STREAMS
from aim_memory.api.links import link
from aim_memory.api.problems import HTTP_CODES, KINDS, MEDIA_TYPE, Kind, Problem, Violation, problem
from aim_memory.api.version import VERSION
from aim_memory.errors import (
    AIMMemoryError,
    AuthenticationError,
    ConflictError,
    DeadlineExceededError,
    GeneratorError,
    InvalidInputError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    QueueFullError,
    StaleVersionError,
    StorageFullError,
)
from aim_memory.ingest.limits import NAMESPACE_CHARS
from aim_memory.settings import LimitSettings

ABOUT = """Long-term memory for agents and assistants: it remembers conversations, finds what matters and quotes its
sources. Everything lives in a `namespace` of the key's tenant. Every response carries `x-request-id`; every failure is
`application/problem+json` with a stable `code`."""

NDJSON = "application/x-ndjson"
"""JSON Lines."""
_ALWAYS = (401, 403, 422, 500, 503, 504)
_REPRESENTATIVES: tuple[type[AIMMemoryError], ...] = (
    AIMMemoryError,
    InvalidInputError,
    AuthenticationError,
    PermissionDeniedError,
    NotFoundError,
    ConflictError,
    StaleVersionError,
    StorageFullError,
    GeneratorError,
    OverloadedError,
    QueueFullError,
    DeadlineExceededError,
)
_HTTP_ONLY = {413: "The request body is too large.", 415: "The request body must be JSON."}
_REQUEST_BODIES = (
    "MemoryItem",
    "MessageItem",
    "WriteRequest",
    "UpdateRequest",
    "QueryRequest",
    "AnswerRequest",
    "FeedbackRequest",
    "Rating",
)
_NAMESPACE = r"^[^\x00-\x1f\x7f/\s](?:(?:/?[^\x00-\x1f\x7f/])*/?[^\x00-\x1f\x7f/\s])?$"
"""What ``check_namespace`` admits: a path without empty parts, control characters, or white space at either end."""
_FORMS = ("memories", "messages", "text")
_EVENT = {
    "type": "object",
    "required": ["data"],
    "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
}
"""One event of a stream."""
_HEADERS = {"x-request-id": {"description": "Names this request in the server's log.", "schema": {"type": "string"}}}


def failures(*statuses: int, only: tuple[int, ...] = ()) -> dict[int | str, dict[str, Any]]:
    """The problems a route answers with: its own, and those of every route (or ``only`` these)."""
    return {status: _documented(status) for status in only or sorted({*statuses, *_ALWAYS})}


def openai_failures(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The same on OpenAI's routes, in OpenAI's shape."""
    return {openai_errors.status_of(status): _in_openai_s_words(status) for status in sorted({*statuses, *_ALWAYS})}


def _in_openai_s_words(status: int) -> dict[str, Any]:
    example = _example(status)
    content = {
        "application/json": {"schema": {"type": "object"}, "example": openai_errors.error_of(example.model_dump())}
    }
    return {"description": example.title, "content": content}


def _documented(status: int) -> dict[str, Any]:
    example = _example(status)
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {MEDIA_TYPE: {"schema": schema, "example": example.model_dump(exclude_none=True)}}
    return {"description": example.title, "content": content}


def _example(status: int) -> Problem:
    if status in _HTTP_ONLY:
        example = problem(HTTP_CODES[status], Kind(status, _HTTP_ONLY[status]), _HTTP_ONLY[status])
    else:
        error = next(cls for cls in _REPRESENTATIVES if KINDS[cls].status == status)
        example = problem(error.code, KINDS[error], error().message)
    return example.model_copy(update={"request_id": "0199a3f2-5c1e-7000-8a51-3f6f0c2d9b10"})


def describe_with(app: FastAPI, limits: LimitSettings) -> Callable[[], dict[str, Any]]:
    """A replacement for ``app.openapi``; the document is made once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, limits)
        return app.openapi_schema

    return openapi


def _document(app: FastAPI, limits: LimitSettings) -> dict[str, Any]:
    document = get_openapi(title="AIM-Memory", version=VERSION, description=ABOUT, routes=app.routes)
    schemas = document["components"]["schemas"]
    schemas["Violation"] = Violation.model_json_schema()
    schemas["Problem"] = _problem_schema()
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"key": []}]
    for path, operation in _operations(document):
        if openai_errors.spoken_at(path):
            operation["responses"].pop("422", None)  # added unasked; these routes say 400
        _exemplify(operation)
        link(operation)
        for reply in operation["responses"].values():
            reply["headers"] = {**_HEADERS, **reply.get("headers", {})}
        for parameter in operation.get("parameters", ()):
            _bound(parameter["schema"], _bounds_by_name(limits).get(parameter["name"], {}))
        if path in OPEN_PATHS:
            operation["security"] = []
    _limit(schemas, limits)
    return document


def _problem_schema() -> dict[str, Any]:
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    del schema["$defs"]
    return schema


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            yield path, operation


def _exemplify(operation: dict[str, Any]) -> None:
    """Puts in the examples of an operation; the streamed form of an answer is a second media type."""
    example = EXAMPLES[operation["operationId"]]
    if "requestBody" in operation:
        for content in operation["requestBody"]["content"].values():
            content["example"] = example.request
    for content in operation["responses"]["200"]["content"].values():
        content["example"] = example.response
    if (streamed := STREAMS.get(operation["operationId"])) is not None:
        operation["responses"]["200"]["content"]["text/event-stream"] = {
            "itemSchema": _EVENT,
            "example": streamed,
        }


def _limit(schemas: dict[str, Any], limits: LimitSettings) -> None:
    """Writes the configured limits into the schemas of request bodies. The engine enforces them."""
    bounds = _bounds_by_name(limits)
    for name in _REQUEST_BODIES:
        for field, schema in schemas[name]["properties"].items():
            _bound(schema, bounds.get(field, {}))
    schemas["WriteRequest"]["oneOf"] = [
        {"required": [form], "properties": {form: {"not": {"type": "null"}}}} for form in _FORMS
    ]


def _bounds_by_name(limits: LimitSettings) -> dict[str, dict[str, Any]]:
    """Keywords by the name of a field or parameter. Sizes are bytes of UTF-8; a string of that many characters may be
    too long already."""
    names = {"minLength": 1, "maxLength": limits.id_chars, "pattern": r"^[A-Za-z0-9_.:\-]+$"}
    text = {"minLength": 1, "maxLength": limits.message_bytes, "pattern": r"\S"}
    batch = {"minItems": 1, "maxItems": limits.batch_items}
    return {
        "namespace": {"minLength": 1, "maxLength": NAMESPACE_CHARS, "pattern": _NAMESPACE},
        "id": names,
        "memory_id": names,
        "session_id": names,
        "text": text,
        "content": text,
        "query": {"minLength": 1, "maxLength": limits.query_bytes, "pattern": r"\S"},
        "top_k": {"maximum": limits.top_k},
        "limit": {"maximum": limits.page_items},
        "metadata": {"maxProperties": limits.metadata_keys},
        "memories": batch,
        "messages": batch,
        "ratings": batch,
    }


def _bound(schema: dict[str, Any], keywords: dict[str, Any]) -> None:
    """Adds keywords to the branch of a schema that is not null."""
    branch = next((option for option in schema.get("anyOf", ()) if option.get("type") != "null"), schema)
    branch.update(keywords)
