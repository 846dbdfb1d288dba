"""OpenAI's Responses over the same machinery as its chats."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import to_json
from starlette.types import Scope

from aim_memory.api import openai_errors, problems
from aim_memory.api.auth import Reader
from aim_memory.api.openapi import openai_failures
from aim_memory.api.responses import Telling, chat_of
from aim_memory.api.routes.openai import HeadsDep, only
from aim_memory.api.service import ServiceDep
from aim_memory.api.stream import Dialect, EventStream, while_there
from aim_memory.api.workers import deadline
from aim_memory.clock import SystemClock
from aim_memory.errors import AIMMemoryError

router = APIRouter(prefix="/v1", tags=["openai"])
_CLOCK = SystemClock()


class ResponseRequest(BaseModel):
    """A request for a response, as OpenAI's API takes it. What is not named here is passed on to the model."""

    model_config = ConfigDict(extra="allow")

    model: str = Field(description="One of /v1/models; `model@namespace` names the namespace too.")
    input: str | list[dict[str, Any]] = Field(min_length=1)
    instructions: str | None = None
    stream: bool | None = None
    tools: list[dict[str, Any]] | None = None
    text: dict[str, Any] | None = None
    reasoning: dict[str, Any] | None = None
    user: str | None = Field(None, description="The namespace, if no header names it.")


def _frame(event: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (event["type"].encode(), to_json(event))


def _failure(error: AIMMemoryError, scope: Scope) -> bytes:
    problem = problems.describe(error, problems.request_id_of(scope))
    told = openai_errors.error_of(problem.model_dump())
    named = {name: told["error"][name] for name in ("code", "message", "param")}
    return _frame({"type": "error", **named, **told})


EVENTS: Dialect[dict[str, Any]] = Dialect(_frame, _failure)


@router.post(
    "/responses",
    operation_id="responses",
    summary="Respond with memory",
    response_model=dict[str, Any],
    responses=openai_failures(404, 413, 415, 429, 502),
)
async def respond(
    body: ResponseRequest, request: Request, caller: Reader, service: ServiceDep, heads: HeadsDep
) -> dict[str, Any] | EventStream[dict[str, Any]]:
    """OpenAI's responses, with what memory knows about the last user turn put before it. The model is asked by a chat
    completion, see there. Responses are not kept: `previous_response_id` is refused."""
    asked = body.model_dump(exclude_unset=True)
    wanted = heads.chat(chat_of(asked), body.user, caller, service)
    replies = service.engine.chat(caller.tenant, wanted)
    telling = Telling(asked, _CLOCK.new_id().replace("-", ""), int(_CLOCK.now().timestamp()))
    server = service.settings.server
    if body.stream:
        told, patience = _told(replies, telling), server.answer_timeout_s
        return EventStream(told, EVENTS, service.answers, timeout_s=patience, heartbeat_s=server.heartbeat_s)
    async with service.answers.place(), deadline(server.answer_timeout_s):
        return telling.whole(await while_there(request, only(replies)))


async def _told(chunks: AsyncGenerator[dict[str, Any], None], telling: Telling) -> AsyncGenerator[dict[str, Any], None]:
    """The events of a response, from its first chunk on: what fails before it has a status of its own."""
    begun = False
    async with aclosing(chunks):
        async for chunk in chunks:
            if not begun:
                begun = True
                for event in telling.begin():
                    yield event
            for event in telling.events(chunk):
                yield event
    for event in telling.end():
        yield event
