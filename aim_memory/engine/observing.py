"""Who watches the engine hears of each verb as it begins and ends: figures of it, and nothing of what was said.

Without an observer a verb costs one more call of a function.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, aclosing, contextmanager
from functools import partial
from time import perf_counter
from types import TracebackType
from typing import Any, TypeAlias, TypeVar

from aim_memory.bodies import AnswerEvent, AnswerReply, DeleteReply, MemoryView, UpdateRequest, WriteReply, WriteRequest
from aim_memory.engine.parts import Parts
from aim_memory.engine.querying import Querying, Recalled
from aim_memory.engine.writing import Writing
from aim_memory.errors import AIMMemoryError
from aim_memory.ports import Embedder, Observer
from aim_memory.types import Operation, Space, TokenBits, Vectors, Verb

T = TypeVar("T")
Account: TypeAlias = tuple[Mapping[str, int], Mapping[str, float]]
"""The counts and the steps of an operation."""
CANCELLED = "cancelled"
NOTHING: Account = ({}, {})
_GENERATING = ("prompt", "generate")
"""The steps of an answer that are not its query's."""


class Watch:
    """Those who watch. Set up before there is anything to see; then thread-safe."""

    def __init__(self) -> None:
        self._observers: tuple[Observer, ...] = ()

    def add(self, observer: Observer) -> None:
        self._observers = (*self._observers, observer)

    def over(self, verb: Verb, call: Callable[[], T], account: Callable[[T], Account] = lambda _: NOTHING) -> T:
        """Makes a call, seen."""
        if not self._observers:
            return call()
        with _Course(verb, self._observers) as course, course.inside():
            result = call()
            course.account = account(result)
        return result

    async def awaited(self, verb: Verb, work: Awaitable[T], account: Callable[[T], Account]) -> T:
        if not self._observers:
            return await work
        with _Course(verb, self._observers) as course, course.inside():
            result = await work
            course.account = account(result)
        return result

    def streamed(
        self, verb: Verb, events: AsyncGenerator[T, None], account: Callable[[T], Account | None]
    ) -> AsyncGenerator[T, None]:
        """The events as they are; ``account`` tells by an event what it all came to, or None."""
        return self._followed(verb, events, account) if self._observers else events

    async def _followed(
        self, verb: Verb, events: AsyncGenerator[T, None], account: Callable[[T], Account | None]
    ) -> AsyncGenerator[T, None]:
        with _Course(verb, self._observers) as course:
            async with aclosing(events):
                while True:
                    with course.inside():  # entered and left in one context: between two events there may be another
                        try:
                            event = await anext(events)
                        except StopAsyncIteration:
                            return
                    course.account = account(event) or course.account
                    yield event


class _Course:
    """One operation, for all who watch."""

    def __init__(self, verb: Verb, observers: tuple[Observer, ...]) -> None:
        self.account = NOTHING
        self._verb: Verb = verb
        self._seen = [observer.began(verb) for observer in observers]
        self._start = perf_counter()

    @contextmanager
    def inside(self) -> Iterator[None]:
        with ExitStack() as stack:
            for one in self._seen:
                stack.enter_context(one.inside())
            yield

    def __enter__(self) -> _Course:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        counts, steps = self.account
        # A generator that is closed after its last word was not cut short.
        whole = isinstance(error, GeneratorExit) and self.account is not NOTHING
        ended = Operation(self._verb, perf_counter() - self._start, counts, steps, None if whole else _code(error))
        for one in self._seen:
            one.ended(ended)


def _code(error: BaseException | None) -> str | None:
    if error is None:
        return None
    if isinstance(error, asyncio.CancelledError | GeneratorExit):
        return CANCELLED
    return error.code if isinstance(error, AIMMemoryError) else AIMMemoryError.code


class WatchedEmbedder(Embedder):
    """An embedder, and whether it answered when it was last asked."""

    def __init__(self, inner: Embedder) -> None:
        self._inner = inner
        self.up = True
        """True before it was asked at all: a model may be loaded only then."""

    @property
    def generation(self) -> str:
        return self._inner.generation

    @property
    def dimension(self) -> int:
        return self._inner.dimension

    @property
    def window(self) -> int:
        return self._inner.window

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        return self._asked(self._inner.embed_documents, texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self._asked(self._inner.embed_queries, texts)

    def embed_documents_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, Sequence[TokenBits] | None]:
        return self._asked(self._inner.embed_documents_with_tokens, texts)

    def embed_queries_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, Sequence[Vectors] | None]:
        return self._asked(self._inner.embed_queries_with_tokens, texts)

    def _asked(self, embed: Callable[[Sequence[str]], T], texts: Sequence[str]) -> T:
        try:
            answer = embed(texts)
        except AIMMemoryError:
            self.up = False
            raise
        self.up = True
        return answer


class WatchedQuerying(Querying):
    """Every retrieval is seen, those within answers and chats too."""

    def __init__(self, parts: Parts, watch: Watch) -> None:
        super().__init__(parts)
        self._watch = watch

    def recall(self, tenant: str, request: Any, depth: int = 0) -> Recalled:
        return self._watch.over("query", partial(super().recall, tenant, request, depth), _of_recalled)


class WatchedWriting(Writing):
    """Every write is seen, those of turns that an answer or a chat remembers too.

    ``changed`` hears of the namespaces that have something new to read.
    """

    def __init__(self, parts: Parts, watch: Watch, changed: Callable[[Space], None]) -> None:
        super().__init__(parts)
        self._watch = watch
        self._changed = changed

    def write(
        self,
        tenant: str,
        request: WriteRequest,
        *,
        idempotency_key: str | None,
        author: str | None,
        embed: bool = True,
    ) -> WriteReply:
        call = partial(super().write, tenant, request, idempotency_key=idempotency_key, author=author, embed=embed)
        reply = self._watch.over("write", call, _of_write)
        self._changed(Space(tenant, request.namespace))
        return reply

    def update(
        self,
        tenant: str,
        memory_id: str,
        request: UpdateRequest,
        *,
        namespace: str | None,
        if_match: int | None,
        idempotency_key: str | None,
        author: str | None,
    ) -> MemoryView:
        call = partial(super().update, tenant, memory_id, request, namespace=namespace, author=author)
        once = partial(call, if_match=if_match, idempotency_key=idempotency_key)
        view = self._watch.over("update", once, lambda _: ({"records": 1}, {}))
        self._changed(Space(tenant, view.namespace))
        return view

    def delete(self, tenant: str, memory_id: str, *, namespace: str | None) -> DeleteReply:
        call = partial(super().delete, tenant, memory_id, namespace=namespace)
        return self._watch.over("delete", call, lambda reply: ({"records": reply.deleted}, {}))


def _of_recalled(recalled: Recalled) -> Account:
    context, ranking = recalled.context, recalled.ranking
    counts = {
        "records": len(recalled.found),
        "scanned": ranking.scanned,
        "stored": ranking.stored,
        "context_tokens": context.tokens,
        "saved_tokens": max(0, context.full_text_tokens - context.tokens),
        "degraded": int(recalled.degraded),
    }
    steps = recalled.watch.total()
    del steps["total"]
    return counts, steps


def _of_write(reply: WriteReply) -> Account:
    if reply.replayed:
        return {"records": 0, "replayed": 1}, {}
    statuses = Counter[str](result.status for result in reply.results)
    pending = sum(result.indexing == "pending" for result in reply.results)
    counts = {status: statuses[status] for status in ("created", "unchanged", "rejected")}
    return {"records": counts["created"], **counts, "pending": pending}, {}


def of_answer(reply: AnswerReply) -> Account:
    return _of_answer(reply.model_dump(include={"abstained", "degraded", "usage", "timings_ms"}))


def of_event(event: AnswerEvent) -> Account | None:
    """The last event of an answer is the whole of it."""
    return _of_answer(event.body) if event.event == "done" else None


def _of_answer(reply: Mapping[str, Any]) -> Account:
    usage, timings = reply.get("usage") or {}, reply["timings_ms"]
    counts = {
        "abstained": int(reply["abstained"]),
        "degraded": int(reply["degraded"]),
        "prompt_tokens": usage.get("prompt_tokens", 0),
        "completion_tokens": usage.get("completion_tokens", 0),
    }
    return counts, {name: timings[name] for name in _GENERATING if name in timings}


def of_chat(reply: Mapping[str, Any]) -> Account | None:
    """The last chunk of a chat, or its one whole reply, has the extension field."""
    extension = reply.get("aim_memory")
    if extension is None:
        return None
    usage = reply.get("usage")
    told = usage if isinstance(usage, Mapping) else {}  # a model server's own words, passed on whatever they are
    counts = {name: _count(told.get(name)) for name in ("prompt_tokens", "completion_tokens")}
    return {"degraded": int(extension["degraded"]), **counts}, {}


def _count(told: object) -> int:
    return told if isinstance(told, int) and told > 0 else 0
