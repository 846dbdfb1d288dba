"""/v1/answer: an answer with its sources, at once or as it comes."""

from __future__ import annotations

from fastapi import APIRouter, Request

from aim_memory.api.auth import Reader, demand
from aim_memory.api.openapi import failures
from aim_memory.api.service import ServiceDep
from aim_memory.api.stream import ANSWERS, EventStream, while_there
from aim_memory.api.workers import deadline
from aim_memory.bodies import AnswerEvent, AnswerReply, AnswerRequest

router = APIRouter(prefix="/v1", tags=["query"])


@router.post(
    "/answer",
    operation_id="answer",
    summary="Answer from memory",
    response_model=AnswerReply,
    responses=failures(413, 415, 429, 502),
)
async def answer(
    body: AnswerRequest, request: Request, caller: Reader, service: ServiceDep
) -> AnswerReply | EventStream[AnswerEvent]:
    """Answers from what is remembered, with citations, or abstains.

    With `stream` the reply is `text/event-stream`: `context`, then `delta` as they come and after each sentence its
    `citation` and `verification` events, the `verification` of all, and `done` (or `error`). Closing the
    stream stops the generation. `remember` takes a key that may write.
    """
    if body.remember:
        demand(caller, "writer")
    server = service.settings.server
    if body.stream:
        return EventStream(
            service.engine.stream_answer(caller.tenant, body),
            ANSWERS,
            service.answers,
            timeout_s=server.answer_timeout_s,
            heartbeat_s=server.heartbeat_s,
        )
    async with service.answers.place(), deadline(server.answer_timeout_s):
        return await while_there(request, service.engine.answer(caller.tenant, body))
