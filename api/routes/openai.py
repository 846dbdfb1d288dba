"""OpenAI's routes: chats with memory in them, embeddings, models. Their shapes and errors are OpenAI's."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from fastapi import APIRouter, Depends, Header, Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from starlette.types import Scope

from aim_memory.api import openai_errors, problems
from aim_memory.api.auth import Caller, Reader
from aim_memory.api.openapi import openai_failures
from aim_memory.api.service import Service, ServiceDep
from aim_memory.api.stream import Dialect, EventStream, while_there
from aim_memory.api.workers import deadline
from aim_memory.engine import Chat
from aim_memory.errors import AIMMemoryError, InvalidInputError, NotFoundError
from aim_memory.evidence import count_tokens
from aim_memory.keys import includes

router = APIRouter(prefix="/v1", tags=["openai"])
AUTO = "auto"
"""The embedding model that is there, whatever its name."""
LONGEST_BATCH = 2048
"""Texts of one request for embeddings; OpenAI's own limit."""


class ChatRequest(BaseModel):
    """A chat, as OpenAI's API takes it. What is not named here is passed on to the model as it is."""

    model_config = ConfigDict(extra="allow")

    model: str = Field(description="One of /v1/models; `model@namespace` names the namespace too.")
    messages: list[dict[str, Any]] = Field(min_length=1)
    stream: bool | None = None
    user: str | None = Field(None, description="The namespace, if no header names it.")


class EmbeddingRequest(BaseModel):
    model_config = ConfigDict(extra="allow")

    model: str
    input: str | list[str] = Field(description="A text, or up to 2,048.")
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = Field(None, description="What the model has; it has no other.")


def _frame(chunk: dict[str, Any]) -> bytes:
    return b"data: %s\n\n" % to_json(chunk)


def _failure(error: AIMMemoryError, scope: Scope) -> bytes:
    problem = problems.describe(error, problems.request_id_of(scope))
    return b"data: %s\n\n" % to_json(openai_errors.error_of(problem.model_dump()))


CHUNKS: Dialect[dict[str, Any]] = Dialect(_frame, _failure, end=b"data: [DONE]\n\n")

Namespace = Annotated[str | None, Header(alias="X-AIM-Namespace", description="Whose memory; percent-encoded UTF-8.")]
Session = Annotated[str | None, Header(alias="X-AIM-Session", description="The conversation this chat belongs to.")]
Memory = Annotated[
    Literal["on", "read", "off"], Header(alias="X-AIM-Memory", description="read: remember nothing; off: pass through.")
]
Fallback = Annotated[
    Literal["on", "off"], Header(alias="X-AIM-Fallback", description="off: no quotes in place of a model that fails.")
]
Budget = Annotated[
    int | None, Header(alias="X-AIM-Max-Tokens", ge=1, le=100_000, description="Budget of what is recalled for a turn.")
]


@dataclass(frozen=True, slots=True)
class Heads:
    """What the headers of a chat say about memory."""

    namespace: str | None
    session: str | None
    memory: Literal["on", "read", "off"]
    fallback: Literal["on", "off"]
    max_tokens: int | None

    def chat(self, body: dict[str, Any], user: str | None, caller: Caller, service: Service) -> Chat:
        """A chat of this caller. Raises InvalidInputError when nobody says whose memory is meant."""
        model, named = _named(str(body["model"]), user, self.namespace, service.engine.models())
        return Chat(
            body={**body, "model": model},
            namespace=None if self.memory == "off" else _known(named),
            session_id=self.session,
            remember=self.memory == "on" and _may_write(caller),
            fall_back=self.fallback == "on",
            max_tokens=self.max_tokens,
            author=caller.name,
        )


async def _heads(
    namespace: Namespace = None,
    session: Session = None,
    memory: Memory = "on",
    fallback: Fallback = "on",
    max_tokens: Budget = None,
) -> Heads:
    return Heads(namespace, session, memory, fallback, max_tokens)


HeadsDep = Annotated[Heads, Depends(_heads)]


@router.post(
    "/chat/completions",
    operation_id="chat",
    summary="Chat with memory",
    response_model=dict[str, Any],
    responses=openai_failures(404, 413, 415, 429, 502),
)
async def chat(
    body: ChatRequest, request: Request, caller: Reader, service: ServiceDep, heads: HeadsDep
) -> dict[str, Any] | EventStream[dict[str, Any]]:
    """OpenAI's chat completions, with what memory knows about the last user turn put before it.

    Everything else of the chat goes to the model as it came, and its reply comes back as it is, with an extension
    field `aim_memory`: results, citations, verification, and whether something is degraded. A finished exchange is
    remembered without delaying the reply, if the key may write. Closing a stream stops the generation.
    """
    wanted = heads.chat(body.model_dump(exclude_unset=True), body.user, caller, service)
    server = service.settings.server
    replies = service.engine.chat(caller.tenant, wanted)
    if body.stream:
        return EventStream(
            replies, CHUNKS, service.answers, timeout_s=server.answer_timeout_s, heartbeat_s=server.heartbeat_s
        )
    async with service.answers.place(), deadline(server.answer_timeout_s):
        return await while_there(request, only(replies))


@router.post(
    "/embeddings",
    operation_id="embeddings",
    summary="Embed texts",
    response_model=dict[str, Any],
    responses=openai_failures(404, 413, 415),
)
async def embeddings(body: EmbeddingRequest, caller: Reader, service: ServiceDep) -> dict[str, Any]:
    """The vectors of texts by the embedder that memories are found with."""
    _checked(body.model, service)
    texts = [body.input] if isinstance(body.input, str) else body.input
    limits = service.settings.limits
    if not 0 < len(texts) <= LONGEST_BATCH:
        raise InvalidInputError(f"'input' holds {len(texts)} texts; from 1 to {LONGEST_BATCH:,}.", field="input")
    for text in texts:
        if not text or len(text.encode()) > limits.message_bytes:
            raise InvalidInputError(f"a text must have from 1 to {limits.message_bytes:,} bytes.", field="input")
    vectors = await service.write(service.engine.embed, texts)
    if body.dimensions not in (None, vectors.shape[1]):
        raise InvalidInputError(f"the vectors have {vectors.shape[1]} dimensions, no others.", field="dimensions")
    packed = body.encoding_format == "base64"
    shown = [base64.b64encode(one.tobytes()).decode() if packed else one.tolist() for one in vectors]
    tokens = sum(count_tokens(text) for text in texts)
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": place, "embedding": one} for place, one in enumerate(shown)],
        "model": service.engine.embedding_model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


@router.get(
    "/models", operation_id="models", summary="List models", response_model=dict[str, Any], responses=openai_failures()
)
async def models(caller: Reader, service: ServiceDep) -> dict[str, Any]:
    """What a chat may name as its model, the default first, then what embeds."""
    return {"object": "list", "data": [_model(name) for name in _names(service)]}


@router.get(
    "/models/{model:path}",
    operation_id="model",
    summary="Look up a model",
    response_model=dict[str, Any],
    responses=openai_failures(404),
)
async def one_model(model: str, caller: Reader, service: ServiceDep) -> dict[str, Any]:
    """One of them."""
    if model not in _names(service):
        raise NotFoundError(f"There is no model {model!r}.")
    return _model(model)


async def only(replies: AsyncGenerator[dict[str, Any], None]) -> dict[str, Any]:
    """The one whole reply of a chat."""
    async with aclosing(replies):
        return await anext(replies)


def _named(asked: str, user: str | None, header: str | None, models: Sequence[str]) -> tuple[str, str | None]:
    """(model, namespace): the namespace of the header, or ``user``, or what follows the model's name after an "@"."""
    model, _, suffix = (asked, "", "") if asked in models else asked.partition("@")
    return model, unquote(header) if header else user or suffix or None


def _known(namespace: str | None) -> str:
    if namespace is None:
        raise InvalidInputError(
            "whose memory? Name a namespace: the header X-AIM-Namespace, 'user', or a model like 'auto@user/ada'. "
            "X-AIM-Memory: off passes the chat on without memory.",
            field="user",
        )
    return namespace


def _may_write(caller: Caller) -> bool:
    return includes(caller.role, "writer")


def _checked(model: str, service: Service) -> None:
    own = service.engine.embedding_model
    if model not in (own, AUTO):
        raise NotFoundError(f"There is no embedding model {model!r}; there are: {own}, {AUTO}.")


def _names(service: Service) -> list[str]:
    return [*service.engine.models(), service.engine.embedding_model]


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "aim-memory"}
