"""Answer: prepare (recall and prompt), generate, finish (verify, cite, remember)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from aim_memory.answer import (
    NOT_JSON,
    Finished,
    Quote,
    Verified,
    arranged,
    build_prompt,
    cite,
    claims,
    finish,
    finish_structured,
    needs_retry,
    value_of,
    verify,
)
from aim_memory.answer.following import Checked, Follower
from aim_memory.answer.reading import Evidence
from aim_memory.bodies import (
    AnswerEvent,
    AnswerReply,
    AnswerRequest,
    Citation,
    MessageItem,
    QueryReply,
    SentenceVerification,
    UsageView,
    Verification,
    WriteRequest,
)
from aim_memory.engine.courses import Courses, still
from aim_memory.engine.fences import Fences
from aim_memory.engine.parts import Parts
from aim_memory.engine.querying import Querying, Recalled, reply
from aim_memory.engine.speaking import Transcript, spoken, whole
from aim_memory.engine.writing import Writing
from aim_memory.errors import StorageError
from aim_memory.evidence import count_tokens
from aim_memory.ports import Generator
from aim_memory.types import Delta, EvidenceBlock, Prompt, Space, Usage

ANSWER_DEPTH = 30
"""Hits that an answer may draw on, as far as the budget of the context allows."""
ANSWER_TOKENS = 2000
"""Budget of an answer's context when the request names none: the answer may lie in a turn beside a hit."""
SLACK = 1.25
"""What a session's prompt may cost, in terms of what its question calls for: what was listed before may stay."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is known before a generator speaks."""

    request: AnswerRequest
    recalled: Recalled
    prompt: Prompt
    generator: Generator
    evidence: Evidence
    """What the prompt lists, read once for all that is compared with it."""


class Answering:
    def __init__(self, parts: Parts, querying: Querying, writing: Writing) -> None:
        self._parts = parts
        self._querying = querying
        self._writing = writing
        self._fences = Fences()
        self._courses: Courses[str] = Courses()

    async def answer(self, tenant: str, request: AnswerRequest) -> AnswerReply:
        """A whole answer. One that states what its evidence does not hold is tried once more on the originals."""
        preparation = await asyncio.to_thread(self._prepare, tenant, request)
        transcript = await whole(preparation.generator, preparation.prompt)
        verified = _verified(preparation, transcript)
        if needs_retry(verified, refilled=preparation.recalled.decision.refill, streamed=False):
            strict = request.model_copy(update={"mode": "strict", "session_id": None})
            better = await asyncio.to_thread(self._prepare, tenant, strict)
            again = await whole(better.generator, better.prompt)
            if again.reason is None:  # else the first try, marked, is the better answer
                again.usage = _sum(transcript.usage, again.usage)
                preparation, transcript, verified = better, again, _verified(better, again)
        return await asyncio.to_thread(self._finish, tenant, request, preparation, transcript, verified)

    async def stream(self, tenant: str, request: AnswerRequest) -> AsyncGenerator[AnswerEvent, None]:
        """context; deltas, and after each sentence its citations and verification; the verification of all, done.

        What was shown is never taken back, only marked.
        """
        preparation = await asyncio.to_thread(self._prepare, tenant, request)
        yield _event("context", reply(preparation.recalled, request))
        transcript = Transcript()
        following = _Following(preparation)
        async with aclosing(spoken(preparation.generator, preparation.prompt)) as deltas:
            async for delta in deltas:
                transcript.add(delta)
                if delta.text:
                    yield AnswerEvent(event="delta", body={"text": delta.text})
                if not transcript.abstained and request.response_format is None:
                    for event in await following.after(delta):
                        yield event
        verified = _verified(preparation, transcript)
        final = await asyncio.to_thread(self._finish, tenant, request, preparation, transcript, verified)
        for citation in final.citations:
            if citation not in following.shown:
                yield _event("citation", citation)
        yield _event("verification", final.verification)
        yield _event("done", final)

    def forget(self, space: Space) -> None:
        """Forgets what the prompts of an erased namespace held."""
        self._courses.drop(space)

    def _prepare(self, tenant: str, request: AnswerRequest) -> Preparation:
        generator = self._parts.generator(request.generator)
        space = Space(tenant, request.namespace)
        wide = request.model_copy(update={"max_tokens": request.max_tokens or ANSWER_TOKENS})
        recalled = self._querying.recall(tenant, wide, depth=ANSWER_DEPTH)
        blocks = recalled.context.pieces
        listed = self._listing(space, wide, recalled)
        prompt = build_prompt(
            request.query,
            blocks,
            confidence=recalled.ranking.confidence,
            now=recalled.now,
            nonce=self._fences.word(space, request.session_id, (block.text for block in listed or blocks)),
            history=_earlier(recalled),
            listed=listed,
            hard=is_hard(recalled, self._parts.hard_below),
            response_format=request.response_format,
        )
        recalled.watch.lap("prompt")
        return Preparation(request, recalled, prompt, generator, Evidence(prompt.listed))

    def _listing(self, space: Space, request: AnswerRequest, recalled: Recalled) -> tuple[EvidenceBlock, ...] | None:
        """The memories in the order of the session's last prompt; None without a session. Where the question narrows
        what may be found, nothing that it does not call for stays."""
        if request.session_id is None:
            return None
        before = self._courses.get(space, request.session_id) or ()
        memories = self._parts.store.get(space, [block.memory_id for block in before]) if before else {}
        narrowed = request.filters or request.as_of or request.known_at
        listed = arranged(
            still(before, memories, recalled.now),
            recalled.context.pieces,
            slack=0.0 if narrowed else SLACK,
            cost=count_tokens,
        )
        self._courses.put(space, request.session_id, listed)
        return listed

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
        quotes = cite(_claims(preparation, transcript), preparation.evidence)
        finished, parsed = _finished(preparation, transcript, verified, quotes)
        self._learn(tenant, request, finished, quotes)
        shown = reply(recalled, request)
        return _reply(preparation, transcript, verified, finished, quotes, shown).model_copy(update={"parsed": parsed})

    def _learn(self, tenant: str, request: AnswerRequest, finished: Finished, quotes: tuple[Quote, ...]) -> None:
        """A cited memory was of use; the exchange becomes a memory when that is asked for."""
        if not finished.abstained:
            reinforce(self._parts, Space(tenant, request.namespace), quotes)
        if request.remember:
            turns = [MessageItem(role="user", content=request.query)]
            if not finished.abstained:
                turns.append(MessageItem(role="assistant", content=finished.text))
            exchange = WriteRequest(namespace=request.namespace, session_id=request.session_id, messages=turns)
            self._writing.write(tenant, exchange, idempotency_key=None, author=None)


def reinforce(parts: Parts, space: Space, quotes: tuple[Quote, ...]) -> None:
    """What was cited was of use."""
    try:
        parts.store.reinforce(space, dict.fromkeys((quote.memory_id for quote in quotes), 1.0))
    except StorageError:
        return  # a full or busy store must not cost an answer; the count is only a preference
    parts.keeper.refresh(space)


def is_hard(recalled: Recalled, hard_below: float) -> bool:
    """Whether a question is worth a larger model: exactness was asked for, the evidence is thin, or it disagrees."""
    ranking = recalled.ranking
    return recalled.decision.mode == "strict" or ranking.conflicts or ranking.confidence < hard_below


def _earlier(recalled: Recalled) -> tuple[str, ...]:
    """The session's questions before this one."""
    state = recalled.ranking.session
    return state.recent[:-1] if state is not None else ()


def _verified(preparation: Preparation, transcript: Transcript) -> Verified:
    return verify(_claims(preparation, transcript), preparation.evidence, reference=preparation.recalled.now)


def _claims(preparation: Preparation, transcript: Transcript) -> str:
    """What an answer says: of JSON, its values."""
    structured = preparation.request.response_format is not None
    return claims(value_of(transcript.text)) if structured else transcript.text


def _finished(
    preparation: Preparation, transcript: Transcript, verified: Verified, quotes: tuple[Quote, ...]
) -> tuple[Finished, Any]:
    """What is shown of an answer, and its value where JSON was asked for. An answer that is none says so."""
    request, text, abstained = preparation.request, transcript.text, transcript.abstained
    if request.response_format is None:
        return finish(text, verified, quotes, abstained=abstained, question=request.query), None
    value = value_of(text)
    if value is None and not abstained and transcript.reason is None:
        transcript.reason = NOT_JSON
    finished = finish_structured(text, value, verified, quotes, abstained=abstained)
    return finished, None if finished.abstained else value


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(one.prompt_tokens + other.prompt_tokens, one.completion_tokens + other.completion_tokens)


def citations(quotes: tuple[Quote, ...]) -> list[Citation]:
    return [Citation(memory_id=q.memory_id, quote=q.quote, start=q.start, end=q.end) for q in quotes]


def verification(verified: Verified) -> Verification:
    return Verification(
        supported=[anchor.text for anchor in verified.supported],
        unsupported=[anchor.text for anchor in verified.unsupported],
    )


class _Following:
    """Events about the sentences of an answer as it comes."""

    def __init__(self, preparation: Preparation) -> None:
        self._follower = Follower(preparation.evidence, preparation.recalled.now)
        self.shown: list[Citation] = []

    async def after(self, delta: Delta) -> list[AnswerEvent]:
        """Those about the sentences that a delta completes; judging is work, and done on another thread."""
        spans = self._follower.add(delta.text)
        if delta.finish is not None:
            spans += self._follower.end()
        return await asyncio.to_thread(self._judged, spans) if spans else []

    def _judged(self, spans: Sequence[tuple[int, int]]) -> list[AnswerEvent]:
        return [event for span in spans for event in self._events(self._follower.judge(*span))]

    def _events(self, checked: Checked) -> Iterator[AnswerEvent]:
        for citation in citations(checked.quotes):
            self.shown.append(citation)
            yield _event("citation", citation)
        known = verification(checked.verified).model_dump()
        yield _event("verification", SentenceVerification(**known, start=checked.start, end=checked.end))


def _reply(
    preparation: Preparation,
    transcript: Transcript,
    verified: Verified,
    finished: Finished,
    quotes: tuple[Quote, ...],
    shown: QueryReply,
) -> AnswerReply:
    return AnswerReply(
        answer=finished.text,
        citations=citations(() if finished.abstained else quotes),
        verification=verification(verified),
        abstained=finished.abstained,
        degraded=transcript.reason is not None or shown.degraded,
        reason=transcript.reason,
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
