"""Chat: recall for the last turn, put it into the chat, let the model speak, say what its words rest on, remember."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from aim_memory.answer import ExtractiveGenerator
from aim_memory.answer.chat import asked_at, tail, text_of, woven
from aim_memory.bodies import QueryRequest
from aim_memory.engine.answering import ANSWER_DEPTH, is_hard
from aim_memory.engine.completions import Completion
from aim_memory.engine.exchange import Chat, Prepared
from aim_memory.engine.fences import Fences
from aim_memory.engine.notes import Notes, turn_prints
from aim_memory.engine.parts import Parts
from aim_memory.engine.querying import Querying, Recalled
from aim_memory.engine.remembering import Remembering
from aim_memory.engine.showing import Showing
from aim_memory.errors import (
    EmbedderError,
    GeneratorError,
    GeneratorRefusedError,
    InvalidInputError,
    NotFoundError,
    StorageError,
)
from aim_memory.ingest.limits import check_id, check_namespace
from aim_memory.types import Delta, Prompt, Space

EXTRACTIVE = "extractive"
"""The model that quotes memories; always there."""
EXTENSION = "aim_memory"
"""The field of a reply that holds what memory knows about it."""
_SHAPED = ("tools", "tool_choice", "functions", "response_format", "logprobs", "modalities", "prediction")
"""Who sends one of these waits for a reply that quotes cannot stand in for."""


class Chatting:
    def __init__(self, parts: Parts, querying: Querying, remembering: Remembering) -> None:
        self._parts = parts
        self._querying = querying
        self._showing = Showing(parts, remembering)
        self._fences = Fences()
        self._notes = Notes(parts)

    def models(self) -> list[str]:
        """What a chat may name as its model, the default first."""
        return [*(self._parts.chat.names() if self._parts.chat else ()), EXTRACTIVE]

    def forget(self, space: Space) -> None:
        """Forgets what stood in the chats of an erased namespace."""
        self._notes.forget(space)

    async def replies(self, tenant: str, chat: Chat) -> AsyncGenerator[dict[str, Any], None]:
        """The chunks of a streamed reply, or the one whole reply. The last has the extension field.

        Raises GeneratorError when the model fails and nothing may stand in for it, or when it fails in the middle.
        """
        self._check(chat)
        prepared = await asyncio.to_thread(self._prepare, tenant, chat)
        told = self._quoted(prepared, None) if chat.body["model"] == EXTRACTIVE else self._told(prepared)
        async with aclosing(told) as replies:
            async for one in replies:
                yield one

    def _check(self, chat: Chat) -> None:
        model = chat.body["model"]
        if model not in (models := self.models()):
            raise NotFoundError(f"There is no model {model!r}; there are: {', '.join(models)}.")
        if chat.namespace is not None:
            check_namespace(chat.namespace)
        elif model == EXTRACTIVE:
            raise InvalidInputError("the model 'extractive' only quotes memories: name a namespace.", field="model")
        if chat.session_id is not None:
            check_id(chat.session_id, "session_id", self._parts.limits)

    def _prepare(self, tenant: str, chat: Chat) -> Prepared:
        plain = Prepared(tenant, chat, chat.body)
        asked = asked_at(chat.messages)
        question = "" if asked is None else text_of(chat.messages[asked].get("content"))
        if chat.namespace is None or not question.strip():
            if chat.body["model"] == EXTRACTIVE:
                raise InvalidInputError("the chat has no user turn with a text to look for.", field="messages")
            return plain
        request = QueryRequest(
            namespace=chat.namespace,
            query=tail(question, self._parts.limits.query_bytes),
            # A turn that comes back with the results of tools has moved its session on already.
            session_id=chat.session_id if asked == len(chat.messages) - 1 else None,
            max_tokens=chat.max_tokens,
        )
        try:
            recalled = self._querying.recall(tenant, request, depth=ANSWER_DEPTH)
            return self._with_notes(plain, request, recalled)
        except (EmbedderError, StorageError) as error:
            if chat.body["model"] == EXTRACTIVE:
                raise
            return replace(plain, reason=f"Nothing was recalled: {error.message}")

    def _with_notes(self, plain: Prepared, request: QueryRequest, recalled: Recalled) -> Prepared:
        chat, space = plain.chat, Space(plain.tenant, request.namespace)
        budget = request.max_tokens or self._parts.config.context_tokens
        notes = self._notes.placed(space, chat.messages, recalled, budget)
        texts = [block.text for blocks in notes.values() for block in blocks]
        conversation = chat.session_id or next(iter(turn_prints(chat.messages).values()))
        messages, listed = woven(chat.messages, notes, self._fences.word(space, conversation, texts))
        body = {**chat.body, "messages": messages}
        hard = is_hard(recalled, self._parts.hard_below)
        return replace(plain, body=body, request=request, recalled=recalled, listed=listed, hard=hard)

    async def _told(self, prepared: Prepared) -> AsyncGenerator[dict[str, Any], None]:
        """What the model says; without notes if it refuses them, and quotes if it fails before it has begun."""
        begun = False
        try:
            async with aclosing(self._from_model(prepared)) as replies:
                async for one in replies:
                    begun = True
                    yield one
            return
        except GeneratorRefusedError as refusal:
            if begun or not prepared.listed:
                raise
            reason = f"The model would not take what was recalled: {refusal.message}"
            following = self._from_model(replace(prepared, body=prepared.chat.body, listed=(), reason=reason))
        except GeneratorError as failure:
            if begun or not _may_quote(prepared):
                raise
            following = self._quoted(prepared, failure)
        async with aclosing(following) as replies:
            async for one in replies:
                yield one

    async def _from_model(self, prepared: Prepared) -> AsyncGenerator[dict[str, Any], None]:
        assert self._parts.chat is not None, "a model that is there is in the list of models"
        streamed = bool(prepared.body.get("stream"))
        body, counted = _counting(prepared.body) if streamed else (prepared.body, True)
        text, ended, held, whole = "", not streamed, None, False
        try:
            async with aclosing(self._parts.chat.replies(body, hard=prepared.hard)) as replies:
                async for one in replies:
                    text += _said(one)
                    ended |= _ends(one)
                    shown = one if counted else _uncounted(one)
                    if shown is None:
                        continue
                    if held is not None:
                        yield held
                    # From the first ending on one chunk is held back, for the last is to carry the extension.
                    held = shown if ended else None
                    if held is None:
                        yield shown
            whole = True
        finally:
            if text and not whole:
                self._showing.cut(prepared)
        evidence = await asyncio.to_thread(self._showing.finish, prepared, text)
        yield {**(held or {}), EXTENSION: evidence}

    async def _quoted(self, prepared: Prepared, failure: GeneratorError | None) -> AsyncGenerator[dict[str, Any], None]:
        """Quotes in place of a model. If there is nothing to quote, the model's own failure is raised."""
        assert prepared.request is not None
        assert prepared.recalled is not None, "quotes are of what was recalled"
        recalled = prepared.recalled
        history = recalled.ranking.session.recent[:-1] if recalled.ranking.session is not None else ()
        prompt = Prompt(prepared.request.query, recalled.context.pieces, (), recalled.ranking.confidence, 0, history)
        deltas = [delta async for delta in ExtractiveGenerator().stream(prompt)]
        if failure is not None:
            if deltas[-1].finish == "abstained":
                raise failure
            prepared = replace(prepared, reason=failure.message)
        text = "".join(delta.text for delta in deltas)
        quoted = replace(prepared, listed=recalled.context.pieces)
        evidence = await asyncio.to_thread(self._showing.finish, quoted, text)
        made = self._made(prepared, deltas, text)
        for one in made[:-1]:
            yield one
        yield {**made[-1], EXTENSION: evidence}

    def _made(self, prepared: Prepared, deltas: Sequence[Delta], text: str) -> list[dict[str, Any]]:
        clock = self._parts.clock
        completion = Completion(clock.new_id(), int(clock.now().timestamp()), EXTRACTIVE, prepared.chat.body)
        if not prepared.chat.body.get("stream"):
            return [completion.whole(text)]
        return [chunk for delta in deltas for chunk in completion.chunks(delta)]


def _may_quote(prepared: Prepared) -> bool:
    """Whether quotes may stand in for a model: it was asked in plain words, for one plain answer."""
    body, chat = prepared.chat.body, prepared.chat
    plain = not any(body.get(name) for name in _SHAPED) and body.get("n") in (None, 1)
    return prepared.recalled is not None and chat.fall_back and plain and chat.messages[-1].get("role") == "user"


def _counting(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """(the body of a stream that ends with its usage, whether the caller asked for that)."""
    options = body.get("stream_options")
    if isinstance(options, dict) and "include_usage" in options:
        return body, bool(options["include_usage"])
    return {**body, "stream_options": {**(options or {}), "include_usage": True}}, False


def _uncounted(chunk: dict[str, Any]) -> dict[str, Any] | None:
    """A chunk for a caller who did not ask for usage; None for one that holds nothing else."""
    if not chunk.get("choices") and chunk.get("usage"):
        return None
    return {name: value for name, value in chunk.items() if name != "usage"}


def _ends(reply: Mapping[str, Any]) -> bool:
    return any(choice.get("finish_reason") is not None for choice in reply.get("choices") or [])


def _said(reply: Mapping[str, Any]) -> str:
    """The text that a whole reply or a chunk adds to the first choice."""
    for choice in reply.get("choices") or []:
        if (choice.get("index") or 0) == 0:
            message = choice.get("message") or choice.get("delta") or {}
            return text_of(message.get("content"))
    return ""
