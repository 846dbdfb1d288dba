"""The verbs of the service, each written once: a function from arguments to the request it stands for.

Nothing is sent here. ``client.sync`` and ``client.aio`` turn every function of this module into a method of the same
name and parameters, so both clients agree by construction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex
from typing import Any, Generic, Literal, TypeAlias, TypedDict, TypeVar, Unpack
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from aim_memory.bodies import (
    AnswerReply,
    AnswerRequest,
    DeleteReply,
    EraseReceipt,
    EvidenceReply,
    FeedbackReply,
    FeedbackRequest,
    Filter,
    HistoryReply,
    MemoryItem,
    MemoryPage,
    MemoryView,
    MessageItem,
    Mode,
    NamespacePage,
    QueryReply,
    QueryRequest,
    Rating,
    Reply,
    ResetReply,
    SessionPage,
    SessionView,
    UpdateRequest,
    WriteReply,
    WriteRequest,
)
from aim_memory.errors import InvalidInputError

R = TypeVar("R")
V = TypeVar("V")
When: TypeAlias = datetime | str
"""A datetime or its ISO 8601 form; naive means UTC."""


@dataclass(frozen=True, slots=True)
class Call(Generic[R]):
    """One request, ready to be sent, and the type of its reply."""

    method: Literal["GET", "POST", "PATCH", "DELETE"]
    path: str
    reply: type[R]
    params: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True
    """Whether sending it twice has the effect of sending it once; if not, it is only sent again when the server
    surely has not begun with it."""
    gone: Reply | None = None
    """The reply if an attempt finds nothing (404) after one that may have happened: that one was the deletion."""


# --- write ---------------------------------------------------------------------------------------------------------


def write(
    text: str | None = None,
    *,
    namespace: str,
    memories: Sequence[MemoryItem | Mapping[str, Any]] | None = None,
    messages: Sequence[MessageItem | Mapping[str, Any]] | None = None,
    session_id: str | None = None,
    idempotency_key: str | None = None,
) -> Call[WriteReply]:
    """Writes one text, a batch of memories, or chat messages: exactly one of the three. A batch is one commit.

    A fresh idempotency key is made when none is given, so retries never write twice.
    Raises InvalidInputError for a request that is not valid as a whole; single bad items come back as ``rejected``.
    """
    content = encoded(
        WriteRequest,
        given(namespace=namespace, text=text, memories=memories, messages=messages, session_id=session_id),
    )
    return Call("POST", "/v1/memories", WriteReply, content=content, headers=_once(idempotency_key))


class Changes(TypedDict, total=False):
    """What an edit may change; what it does not name stays as it is."""

    text: str
    metadata: Mapping[str, Any]
    pinned: bool
    expires_at: When | None
    timestamp: When


def update(
    memory_id: str,
    *,
    namespace: str | None = None,
    if_match: int | None = None,
    idempotency_key: str | None = None,
    **changes: Unpack[Changes],
) -> Call[MemoryView]:
    """Edits ``text``, ``metadata``, ``pinned``, ``expires_at`` or ``timestamp``; the rest stays.

    The old state goes to the memory's history. ``if_match`` is the version that you have seen: StaleVersionError
    when there is a newer one. A fresh idempotency key is made when none is given, so retries never edit twice; a
    repeat answers with the memory as it stands.
    """
    content = encoded(UpdateRequest, changes)
    headers = {} if if_match is None else {"If-Match": f'"{if_match}"'}
    path, params = _memory(memory_id), given(namespace=namespace)
    return Call("PATCH", path, MemoryView, params, content, headers | _once(idempotency_key))


def delete(memory_id: str, *, namespace: str | None = None) -> Call[DeleteReply]:
    """Erases one memory with its evidence and history."""
    return Call("DELETE", _memory(memory_id), DeleteReply, given(namespace=namespace), gone=DeleteReply(deleted=1))


def forget(namespace: str) -> Call[EraseReceipt]:
    """Erases a whole namespace and returns the receipt."""
    return Call("DELETE", f"/v1/namespaces/{_segments(namespace)}", EraseReceipt, repeatable=False)


def feedback(ratings: Sequence[Rating | Mapping[str, Any]], *, namespace: str) -> Call[FeedbackReply]:
    """Says which results helped (+1) and which did not (−1)."""
    content = encoded(FeedbackRequest, {"namespace": namespace, "ratings": ratings})
    return Call("POST", "/v1/feedback", FeedbackReply, content=content, repeatable=False)


# --- read ----------------------------------------------------------------------------------------------------------


def get(memory_id: str, *, namespace: str | None = None) -> Call[MemoryView]:
    """One memory. Ids of your own making need the namespace."""
    return Call("GET", _memory(memory_id), MemoryView, given(namespace=namespace))


def history(memory_id: str, *, namespace: str | None = None) -> Call[HistoryReply]:
    """All versions of a memory, newest last."""
    return Call("GET", _memory(memory_id, "/history"), HistoryReply, given(namespace=namespace))


def evidence(memory_id: str, *, namespace: str | None = None) -> Call[EvidenceReply]:
    """The original text that a memory is a stretch of."""
    return Call("GET", _memory(memory_id, "/evidence"), EvidenceReply, given(namespace=namespace))


def list_memories(
    *,
    namespace: str,
    filters: Filter | None = None,
    since: When | None = None,
    until: When | None = None,
    session_id: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Call[MemoryPage]:
    """One page of memories, in the order they were written; ``next_cursor`` leads to the next."""
    params = given(
        namespace=namespace,
        filters=None if filters is None else _encode(filters).decode(),
        since=_moment(since),
        until=_moment(until),
        session_id=session_id,
        limit=str(limit),
        cursor=cursor,
    )
    return Call("GET", "/v1/memories", MemoryPage, params)


# --- ask -----------------------------------------------------------------------------------------------------------


def query(
    query: str,
    *,
    namespace: str,
    top_k: int = 10,
    session_id: str | None = None,
    mode: Mode = "auto",
    filters: Filter | None = None,
    threshold: float | None = None,
    as_of: When | None = None,
    known_at: When | None = None,
    reference_date: When | None = None,
    max_tokens: int | None = None,
    explain: bool = False,
) -> Call[QueryReply]:
    """The memories that bear on a question, best first, and the context built from them."""
    content = encoded(QueryRequest, given(**locals()))
    return Call("POST", "/v1/query", QueryReply, content=content)


def answer(
    query: str,
    *,
    namespace: str,
    top_k: int = 10,
    session_id: str | None = None,
    mode: Mode = "auto",
    filters: Filter | None = None,
    threshold: float | None = None,
    as_of: When | None = None,
    known_at: When | None = None,
    reference_date: When | None = None,
    max_tokens: int | None = None,
    explain: bool = False,
    remember: bool = False,
    generator: str | None = None,
    response_format: dict[str, Any] | None = None,
) -> Call[AnswerReply]:
    """An answer with citations into memory, checked against them; it abstains when memory holds none."""
    content = encoded(AnswerRequest, given(**locals()))
    return Call("POST", "/v1/answer", AnswerReply, content=content, repeatable=not remember)


def generate_with_memory(prompt: str, *, namespace: str, session_id: str | None = None) -> Call[AnswerReply]:
    """Recalls what matters for the prompt, answers it, and writes both turns back: ``answer`` with ``remember``."""
    return answer(prompt, namespace=namespace, session_id=session_id, remember=True)


def stream_answer(
    query: str,
    *,
    namespace: str,
    top_k: int = 10,
    session_id: str | None = None,
    mode: Mode = "auto",
    filters: Filter | None = None,
    threshold: float | None = None,
    as_of: When | None = None,
    known_at: When | None = None,
    reference_date: When | None = None,
    max_tokens: int | None = None,
    explain: bool = False,
    remember: bool = False,
    generator: str | None = None,
    response_format: dict[str, Any] | None = None,
) -> Call[AnswerReply]:
    """The answer as events: context, delta, citation, verification, done. Closing the iterator cancels it."""
    content = encoded(AnswerRequest, given(stream=True, **locals()))
    return Call("POST", "/v1/answer", AnswerReply, content=content, repeatable=not remember)


# --- sessions, namespaces, the service -----------------------------------------------------------------------------


def session(session_id: str, *, namespace: str) -> Call[SessionView]:
    """Where a conversation is heading."""
    return Call("GET", _session(session_id), SessionView, given(namespace=namespace))


def sessions(*, namespace: str, limit: int = 50) -> Call[SessionPage]:
    """The conversations of a namespace that carry a direction."""
    return Call("GET", "/v1/sessions", SessionPage, given(namespace=namespace, limit=str(limit)))


def reset_session(session_id: str, *, namespace: str) -> Call[ResetReply]:
    """Puts a conversation at rest; its memories stay."""
    return Call("DELETE", _session(session_id), ResetReply, given(namespace=namespace))


def namespaces(*, cursor: str | None = None, limit: int = 50) -> Call[NamespacePage]:
    """One page of namespaces, by name."""
    return Call("GET", "/v1/namespaces", NamespacePage, given(limit=str(limit), cursor=cursor))


def status() -> Call[dict[str, Any]]:
    """What the service is made of and how it fares."""
    return Call("GET", "/status", dict)


# --- parts ---------------------------------------------------------------------------------------------------------


def encoded(body: type[BaseModel], fields: Mapping[str, Any]) -> bytes:
    """The JSON of a body, without the fields that are not given. Raises InvalidInputError."""
    try:
        made = body.model_validate(fields)
    except ValidationError as failure:
        first = failure.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or None
        raise InvalidInputError(f"{where or 'request'}: {first['msg']}", field=where) from None
    return _encode(made.model_dump(mode="json", exclude_unset=True))


def _encode(value: object) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as failure:
        raise InvalidInputError(f"The request cannot be written as JSON: {failure}.") from failure


def _once(key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": key or token_hex(16)}


def _moment(when: When | None) -> str | None:
    return when.isoformat() if isinstance(when, datetime) else when


def given(**values: V | None) -> dict[str, V]:
    return {name: value for name, value in values.items() if value is not None}


def _memory(memory_id: str, rest: str = "") -> str:
    return f"/v1/memories/{path_segment(memory_id)}{rest}"


def _session(session_id: str) -> str:
    return f"/v1/sessions/{path_segment(session_id)}"


def _segments(path: str) -> str:
    return "/".join(map(path_segment, path.split("/")))


def path_segment(name: str) -> str:
    """A path segment that stays one: "." and ".." would otherwise be resolved away on the road."""
    return name.replace(".", "%2E") if name in {".", ".."} else quote(name, safe="")
