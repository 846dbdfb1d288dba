"""Answer: prepare (recall and prompt), generate, finish (verify, cite, remember)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from pydantic import BaseModel

from aim_memory.answer import Finished, Quote, Verified, build_prompt, cite, finish, needs_retry, verify
from aim_memory.bodies import (
    AnswerEvent,
    AnswerReply,
    AnswerRequest,
    Citation,
    MessageItem,
    QueryReply,
    UsageView,
    Verification,
    WriteRequest,
)
from aim_memory.engine.parts import Parts
from aim_memory.engine.querying import Querying, Recalled, reply
from aim_memory.engine.writing import Writing
from aim_memory.errors import StorageError
from aim_memory.ports import Generator
from aim_memory.types import Delta, Prompt, Space, Usage

ANSWER_DEPTH = 30
"""Hits that an answer may draw on, as far as the budget of the context allows."""
ANSWER_TOKENS = 2000
"""Budget of an answer's context when the request names none: the answer may lie in a turn beside a hit."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is known before a generator speaks."""

    request: AnswerRequest
    recalled: Recalled
    prompt: Prompt
    generator: Generator


@dataclass(slots=True)
class Transcript:
    """What a generator said, as it says it."""

    text: str = ""
    abstained: bool = False
    degraded: bool = False
    usage: Usage = field(default_factory=Usage)

    def add(self, delta: Delta) -> None:
        self.text += delta.text
        self.abstained |= delta.finish == "abstained"
        self.degraded |= delta.degraded
        self.usage = delta.usage or self.usage


class Answering:
    def __init__(self, parts: Parts, querying: Querying, writing: Writing) -> None:
        self._parts = parts
        self._querying = querying
        self._writing = writing

    async def answer(self, tenant: str, request: AnswerRequest) -> AnswerReply:
        """A whole answer. One that states what its evidence does not hold is tried once more on the originals."""
        preparation = await asyncio.to_thread(self._prepare, tenant, request)
        transcript = await _spoken(preparation)
        verified = _verified(preparation, transcript)
        if needs_retry(verified, refilled=preparation.recalled.decision.refill, streamed=False):
            strict = request.model_copy(update={"mode": "strict", "session_id": None})
            preparation = await asyncio.to_thread(self._prepare, tenant, strict)
            transcript = await _spoken(preparation)
            verified = _verified(preparation, transcript)
        return await asyncio.to_thread(self._finish, tenant, request, preparation, transcript, verified)

    async def stream(self, tenant: str, request: AnswerRequest) -> AsyncGenerator[AnswerEvent, None]:
        """context, deltas, citations, verification, done. What was shown is never taken back, only marked."""
        preparation = await asyncio.to_thread(self._prepare, tenant, request)
        yield _event("context", reply(preparation.recalled, request))
        transcript = Transcript()
        async with aclosing(preparation.generator.stream(preparation.prompt)) as deltas:
            async for delta in deltas:
                transcript.add(delta)
                if delta.text:
                    yield AnswerEvent(event="delta", body={"text": delta.text})
        verified = _verified(preparation, transcript)
        final = await asyncio.to_thread(self._finish, tenant, request, preparation, transcript, verified)
        for citation in final.citations:
            yield _event("citation", citation)
        yield _event("verification", final.verification)
        yield _event("done", final)

    def _prepare(self, tenant: str, request: AnswerRequest) -> Preparation:
        generator = self._parts.generator(request.generator)
        wide = request.model_copy(update={"max_tokens": request.max_tokens or ANSWER_TOKENS})
        recalled = self._querying.recall(tenant, wide, depth=ANSWER_DEPTH)
        prompt = build_prompt(
            request.query,
            recalled.context.pieces,
            confidence=recalled.ranking.confidence,
            now=recalled.now,
            nonce=secrets.token_hex(8),
            history=_earlier(recalled),
        )
        recalled.watch.lap("prompt")
        return Preparation(request, recalled, prompt, generator)

    def _finish(
        self,
        tenant: str,
        request: AnswerRequest,
        preparation: Preparation,
        transcript: Transcript,
        verified: Verified,
    ) -> AnswerReply:
        recalled = preparation.recalled
        recalled.watch.lap("generate")
        quotes = cite(transcript.text, preparation.prompt.blocks)
        finished = finish(transcript.text, verified, quotes, abstained=transcript.abstained, question=request.query)
        self._learn(tenant, request, finished, quotes)
        shown = reply(recalled, request)
        return _reply(preparation, transcript, verified, finished, quotes, shown)

    def _learn(self, tenant: str, request: AnswerRequest, finished: Finished, quotes: tuple[Quote, ...]) -> None:
        """A cited memory was of use; the exchange becomes a memory when that is asked for."""
        if not finished.abstained:
            self._reinforce(Space(tenant, request.namespace), quotes)
        if request.remember:
            turns = [MessageItem(role="user", content=request.query)]
            if not finished.abstained:
                turns.append(MessageItem(role="assistant", content=finished.text))
            exchange = WriteRequest(namespace=request.namespace, session_id=request.session_id, messages=turns)
            self._writing.write(tenant, exchange, idempotency_key=None, author=None)

    def _reinforce(self, space: Space, quotes: tuple[Quote, ...]) -> None:
        try:
            self._parts.store.reinforce(space, dict.fromkeys((quote.memory_id for quote in quotes), 1.0))
        except StorageError:
            return  # a full or busy store must not cost an answer; the count is only a preference
        self._parts.keeper.refresh(space)


def _earlier(recalled: Recalled) -> tuple[str, ...]:
    """The session's questions before this one."""
    state = recalled.ranking.session
    return state.recent[:-1] if state is not None else ()


async def _spoken(preparation: Preparation) -> Transcript:
    transcript = Transcript()
    async with aclosing(preparation.generator.stream(preparation.prompt)) as deltas:
        async for delta in deltas:
            transcript.add(delta)
    return transcript


def _verified(preparation: Preparation, transcript: Transcript) -> Verified:
    return verify(transcript.text, preparation.prompt.blocks, reference=preparation.recalled.now)


def _reply(
    preparation: Preparation,
    transcript: Transcript,
    verified: Verified,
    finished: Finished,
    quotes: tuple[Quote, ...],
    shown: QueryReply,
) -> AnswerReply:
    kept = () if finished.abstained else quotes
    return AnswerReply(
        answer=finished.text,
        citations=[Citation(memory_id=q.memory_id, quote=q.quote, start=q.start, end=q.end) for q in kept],
        verification=Verification(
            supported=[anchor.text for anchor in verified.supported],
            unsupported=[anchor.text for anchor in verified.unsupported],
        ),
        abstained=finished.abstained,
        degraded=transcript.degraded or shown.degraded,
        mode=shown.mode,
        results=shown.results,
        context=shown.context,
        confidence=shown.confidence,
        tokens=shown.tokens,
        usage=UsageView(
            prompt_tokens=transcript.usage.prompt_tokens, completion_tokens=transcript.usage.completion_tokens
        ),
        timings_ms=shown.timings_ms,
        generator=preparation.generator.name,
    )


def _event(kind: str, body: BaseModel) -> AnswerEvent:
    return AnswerEvent.model_validate({"event": kind, "body": body.model_dump(mode="json")})
