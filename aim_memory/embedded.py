"""The whole service in this process: the same engine, verbs and results as over HTTP, on a folder on disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from aim_memory.assemble import open_engine
from aim_memory.bodies import (
    AnswerEvent,
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
    NamespacePage,
    QueryReply,
    QueryRequest,
    Rating,
    ResetReply,
    SessionPage,
    SessionView,
    UpdateRequest,
    WriteReply,
    WriteRequest,
)
from aim_memory.config import AIMConfig
from aim_memory.errors import InvalidInputError
from aim_memory.extras import installed_version
from aim_memory.settings import Settings
from aim_memory.types import Mode

if TYPE_CHECKING:
    from aim_memory.engine import MemoryEngine

LOCAL_TENANT = "local"
"""Whose memories embedded use and a server without keys work on."""

_T = TypeVar("_T")
_Body = TypeVar("_Body", bound=BaseModel)


class AIMMemory:
    """A memory in a folder. Thread-safe; close it, or use it as a context manager.

        with AIMMemory("~/my-memory") as memory:
            memory.write("The launch moved to 14 May.", namespace="user/ada")
            print(memory.answer("When is the launch?", namespace="user/ada").answer)

    Args:
        home: The data folder; ``settings.home`` if left out.
        settings: Everything else; read from the environment if left out.
        config: The numbers of the mechanisms; ``settings.memory`` if left out.
    """

    def __init__(
        self,
        home: str | Path | None = None,
        *,
        settings: Settings | None = None,
        config: AIMConfig | None = None,
    ) -> None:
        settings = settings or Settings()
        changes: dict[str, Any] = {}
        if home is not None:
            changes["home"] = Path(home).expanduser()
        if config is not None:
            changes["memory"] = config
        self.settings = settings.model_copy(update=changes)
        self.engine: MemoryEngine = open_engine(self.settings)

    def write(
        self,
        text: str | None = None,
        *,
        namespace: str,
        memories: Sequence[MemoryItem | Mapping[str, Any]] | None = None,
        messages: Sequence[MessageItem | Mapping[str, Any]] | None = None,
        session_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> WriteReply:
        """Remembers a text, chat messages or prepared memories, in one commit."""
        body = _body(
            WriteRequest, namespace=namespace, session_id=session_id, text=text, memories=memories, messages=messages
        )
        return self.engine.write(LOCAL_TENANT, body, idempotency_key=idempotency_key)

    def query(
        self,
        query: str,
        *,
        namespace: str,
        top_k: int = 10,
        session_id: str | None = None,
        mode: Mode = "auto",
        filters: Filter | None = None,
        threshold: float | None = None,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
        reference_date: datetime | None = None,
        max_tokens: int | None = None,
        explain: bool = False,
    ) -> QueryReply:
        """Finds memories, best first, with a context ready for a prompt."""
        asked = locals()
        return self.engine.query(LOCAL_TENANT, _body(QueryRequest, **_fields(asked)))

    def answer(
        self,
        query: str,
        *,
        namespace: str,
        top_k: int = 10,
        session_id: str | None = None,
        mode: Mode = "auto",
        filters: Filter | None = None,
        threshold: float | None = None,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
        reference_date: datetime | None = None,
        max_tokens: int | None = None,
        explain: bool = False,
        remember: bool = False,
        generator: str | None = None,
        response_format: dict[str, Any] | None = None,
    ) -> AnswerReply:
        """Answers from memory, with citations, or abstains."""
        asked = locals()
        return _bridged(self.engine.answer(LOCAL_TENANT, _body(AnswerRequest, **_fields(asked))))

    def generate_with_memory(self, prompt: str, *, namespace: str, session_id: str | None = None) -> AnswerReply:
        """Recalls what matters for the prompt, answers it, and writes both turns back: ``answer`` with ``remember``."""
        work = self.engine.generate_with_memory(LOCAL_TENANT, prompt, namespace=namespace, session_id=session_id)
        return _bridged(work)

    def stream_answer(
        self,
        query: str,
        *,
        namespace: str,
        top_k: int = 10,
        session_id: str | None = None,
        mode: Mode = "auto",
        filters: Filter | None = None,
        threshold: float | None = None,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
        reference_date: datetime | None = None,
        max_tokens: int | None = None,
        explain: bool = False,
        remember: bool = False,
        generator: str | None = None,
        response_format: dict[str, Any] | None = None,
    ) -> Iterator[AnswerEvent]:
        """The events of an answer as it is made; closing the iterator cancels it."""
        asked = locals()
        request = _body(AnswerRequest, stream=True, **_fields(asked))
        events = self.engine.stream_answer(LOCAL_TENANT, request)
        # One thread owns the loop from first to last, so this also works where a loop is already running.
        with ThreadPoolExecutor(max_workers=1) as thread:
            runner = asyncio.Runner()
            try:
                while True:
                    yield thread.submit(runner.run, _next(events)).result()
            except StopAsyncIteration:
                return
            finally:
                thread.submit(runner.run, events.aclose()).result()
                thread.submit(runner.close).result()

    def get(self, memory_id: str, *, namespace: str | None = None) -> MemoryView:
        return self.engine.get(LOCAL_TENANT, memory_id, namespace=namespace)

    def list(
        self,
        *,
        namespace: str,
        filters: Filter | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        session_id: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> MemoryPage:
        """Memories in the order they were written, a page at a time."""
        return self.engine.list(
            LOCAL_TENANT,
            namespace,
            filters=filters,
            since=since,
            until=until,
            session_id=session_id,
            limit=limit,
            cursor=cursor,
        )

    def iterate(
        self,
        *,
        namespace: str,
        filters: Filter | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        session_id: str | None = None,
    ) -> Iterator[MemoryView]:
        """All memories that ``list`` would show, page after page."""
        cursor: str | None = None
        while True:
            page = self.list(
                namespace=namespace, filters=filters, since=since, until=until, session_id=session_id, cursor=cursor
            )
            yield from page.items
            if (cursor := page.next_cursor) is None:
                return

    def update(
        self,
        memory_id: str,
        *,
        namespace: str | None = None,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        **changes: Any,
    ) -> MemoryView:
        """Edits ``text``, ``metadata``, ``pinned``, ``expires_at`` or ``timestamp``; the rest stays."""
        request = _body(UpdateRequest, **changes)
        return self.engine.update(
            LOCAL_TENANT, memory_id, request, namespace=namespace, if_match=if_match, idempotency_key=idempotency_key
        )

    def delete(self, memory_id: str, *, namespace: str | None = None) -> DeleteReply:
        return self.engine.delete(LOCAL_TENANT, memory_id, namespace=namespace)

    def history(self, memory_id: str, *, namespace: str | None = None) -> HistoryReply:
        return self.engine.history(LOCAL_TENANT, memory_id, namespace=namespace)

    def evidence(self, memory_id: str, *, namespace: str | None = None) -> EvidenceReply:
        return self.engine.evidence(LOCAL_TENANT, memory_id, namespace=namespace)

    def forget(self, namespace: str) -> EraseReceipt:
        """Erases a whole namespace."""
        return self.engine.erase(LOCAL_TENANT, namespace, by=LOCAL_TENANT)

    def session(self, session_id: str, *, namespace: str) -> SessionView:
        return self.engine.session(LOCAL_TENANT, namespace, session_id)

    def sessions(self, *, namespace: str, limit: int = 50) -> SessionPage:
        return self.engine.sessions(LOCAL_TENANT, namespace, limit=limit)

    def reset_session(self, session_id: str, *, namespace: str) -> ResetReply:
        """Puts a session at rest; says whether it had a course."""
        return ResetReply(reset=self.engine.reset_session(LOCAL_TENANT, namespace, session_id))

    def namespaces(self, *, cursor: str | None = None, limit: int = 50) -> NamespacePage:
        return self.engine.namespaces(LOCAL_TENANT, cursor=cursor, limit=limit)

    def feedback(self, ratings: Sequence[Rating | Mapping[str, Any]], *, namespace: str) -> FeedbackReply:
        """Says which results helped (+1) or misled (−1)."""
        return self.engine.feedback(LOCAL_TENANT, _body(FeedbackRequest, namespace=namespace, ratings=ratings))

    def status(self) -> dict[str, Any]:
        return {"version": installed_version(), **self.engine.status()}

    def close(self) -> None:
        """Writes what was written behind and closes the store. Closing twice is harmless."""
        self.engine.close()

    def __enter__(self) -> AIMMemory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _fields(asked: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if name != "self"}


def _body(kind: type[_Body], **fields: Any) -> _Body:
    """A request body, or InvalidInputError naming the field, as the server would answer."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or None
        raise InvalidInputError(f"{place or 'the request'}: {first['msg']}.", field=place) from None


async def _next(events: AsyncGenerator[AnswerEvent, None]) -> AnswerEvent:
    return await anext(events)


def _bridged(work: Coroutine[Any, Any, _T]) -> _T:
    """Runs a coroutine from synchronous code, also inside a running loop (Jupyter), on a thread of its own."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()
