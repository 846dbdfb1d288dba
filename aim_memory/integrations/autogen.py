"""AutoGen: a ``Memory`` that an agent asks before each of its turns, and that others may ask too.

memory = AIMAgentMemory(Client("http://127.0.0.1:8765"), namespace="user/ada")
agent = AssistantAgent("assistant", model_client=model, memory=[memory])
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from aim_memory.bodies import Filter, Hit, MemoryItem, QueryReply
from aim_memory.errors import InvalidInputError, NotFoundError
from aim_memory.extras import needs
from aim_memory.integrations.memory import AsyncMemory, Memory, awaited
from aim_memory.integrations.payloads import batches, kept, pack, pieces, unpack, words
from aim_memory.integrations.recalled import asked, noticed

with needs("autogen"):
    from autogen_core import CancellationToken
    from autogen_core import memory as autogen
    from autogen_core.model_context import ChatCompletionContext
    from autogen_core.models import LLMMessage, SystemMessage, UserMessage

OWN = "autogen"
TEXTS = ("text/plain", "text/markdown")
JSON = "application/json"
FROM_HERE = {"source": {"eq": OWN}}
ABOUT = ("id", "score", "timestamp", "role", "speaker", "session_id", "current")
PAGE = 200
_T = TypeVar("_T")


class AIMAgentMemory(autogen.Memory):
    """A ``Memory`` of AutoGen's: text, Markdown and JSON, each a memory of the namespace.

    Args:
        memory: A ``Client``, an ``AsyncClient`` or an ``AIMMemory``. It stays open when this is closed.
        namespace: Whose memories.
        k: How many a question finds, at most.
        session_id: The conversation that follow-up questions belong to.
        filters: What may be found.
        max_tokens: Budget of what is put before the model; the memory's own if left out.
    """

    def __init__(
        self,
        memory: Memory | AsyncMemory,
        *,
        namespace: str,
        k: int = 10,
        session_id: str | None = None,
        filters: Filter | None = None,
        max_tokens: int | None = None,
    ) -> None:
        self._memory = awaited(memory)
        self._namespace = namespace
        self._asked: dict[str, Any] = {
            "namespace": namespace,
            "top_k": k,
            "session_id": session_id,
            "filters": filters,
            "max_tokens": max_tokens,
        }

    async def update_context(self, model_context: ChatCompletionContext) -> autogen.UpdateContextResult:
        """Puts what is known on the last message before the model, quoted; nothing if nothing is."""
        question = _last_said(await model_context.get_messages())
        if not question:
            return autogen.UpdateContextResult(memories=autogen.MemoryQueryResult(results=[]))
        reply = await self._ask(question)
        if recalled := noticed(reply.context):
            await model_context.add_message(SystemMessage(content=recalled))
        return autogen.UpdateContextResult(memories=_result(reply))

    async def query(
        self,
        query: str | autogen.MemoryContent,
        cancellation_token: CancellationToken | None = None,
        **kwargs: Any,
    ) -> autogen.MemoryQueryResult:
        """What is found, best first; ``metadata`` says the score and where it comes from.

        ``k``, ``session_id``, ``filters`` and ``max_tokens`` may be given anew. A query of nothing finds nothing.
        """
        question = query if isinstance(query, str) else _text_of(query)
        if not question.strip():
            return autogen.MemoryQueryResult(results=[])
        return _result(await _cancellable(self._ask(question, **kwargs), cancellation_token))

    async def add(self, content: autogen.MemoryContent, cancellation_token: CancellationToken | None = None) -> None:
        """Writes it. ``metadata`` is kept; ``role``, ``speaker``, ``session_id`` in it are the memory's own.

        Raises InvalidInputError for images and bytes: what cannot be read cannot be recalled.
        """
        for batch in batches(_items(content)):
            written = self._memory.write(namespace=self._namespace, memories=batch)
            kept(await _cancellable(written, cancellation_token))

    async def clear(self) -> None:
        """Takes back what came through AutoGen, and nothing else of the namespace."""
        while own := (await self._memory.list(namespace=self._namespace, filters=FROM_HERE, limit=PAGE)).items:
            for view in own:
                with suppress(NotFoundError):  # somebody else was faster
                    await self._memory.delete(view.id, namespace=self._namespace)

    async def close(self) -> None:
        """Nothing to do: whoever opened the memory closes it."""

    async def _ask(self, question: str, k: int | None = None, **given: Any) -> QueryReply:
        more = {**self._asked, **given}
        return await self._memory.query(asked(question), **(more if k is None else {**more, "top_k": k}))


def _last_said(messages: Sequence[LLMMessage]) -> str:
    """By the user; by anybody but the system where the user said nothing."""
    said = [message for message in messages if isinstance(message, UserMessage)] or [
        message for message in messages if not isinstance(message, SystemMessage)
    ]
    return next((text for message in reversed(said) if (text := _words(message.content))), "")


def _words(content: object) -> str:
    """The text of a message that is one, or of the texts among its parts."""
    parts = content if isinstance(content, list) else [content]
    return "\n".join(part for part in parts if isinstance(part, str)).strip()


def _mime(content: autogen.MemoryContent) -> str:
    kind = content.mime_type
    return kind if isinstance(kind, str) else str(kind.value)


def _text_of(content: autogen.MemoryContent) -> str:
    """What is searched of it. Raises InvalidInputError where there is no text in it."""
    kind, held = _mime(content), content.content
    if isinstance(held, dict):
        return words(held)
    if isinstance(held, str) and (kind in TEXTS or kind == JSON):
        return held
    raise InvalidInputError(f"Text, Markdown and JSON can be remembered, {kind} with {type(held).__name__} cannot.")


def _items(content: autogen.MemoryContent) -> Iterator[MemoryItem]:
    text = _text_of(content)
    given = dict(content.metadata or {})
    who = {name: given.pop(name) for name in ("role", "speaker", "session_id", "timestamp") if name in given}
    if isinstance(content.content, dict):
        text, held = pack(OWN, content.content, text, mime_type=_mime(content))
        yield MemoryItem(text=text, metadata={**given, **held}, source=OWN, **who)
        return
    for piece in pieces(text):
        yield MemoryItem(text=piece, metadata={**given, OWN: {"mime_type": _mime(content)}}, source=OWN, **who)


def _result(reply: QueryReply) -> autogen.MemoryQueryResult:
    return autogen.MemoryQueryResult(results=[_content(hit) for hit in reply.results])


def _content(hit: Hit) -> autogen.MemoryContent:
    held = hit.metadata.get(OWN)
    own: dict[str, Any] = held if isinstance(held, dict) else {}
    exact = "value" in own or own.get("whole")
    about = hit.model_dump(mode="json", include={*ABOUT}, exclude_none=True)
    return autogen.MemoryContent(
        content=unpack(OWN, hit) if exact else hit.text,
        mime_type=own.get("mime_type", TEXTS[0]),
        metadata={**{name: value for name, value in hit.metadata.items() if name != OWN}, **about},
    )


async def _cancellable(work: Coroutine[Any, Any, _T], token: CancellationToken | None) -> _T:
    """Its outcome; CancelledError if the token is cancelled first, also if it was before."""
    future = asyncio.ensure_future(work)
    if token is not None:
        token.link_future(future)
    return await future
