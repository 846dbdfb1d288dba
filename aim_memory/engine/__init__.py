"""The engine: write, query, answer, read, forget. It orders the steps; what a step means is in its room."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from aim_memory.bodies import (
    AnswerEvent,
    AnswerReply,
    AnswerRequest,
    DeleteReply,
    EraseReceipt,
    EvidenceReply,
    ExtractPreview,
    ExtractRequest,
    FeedbackReply,
    FeedbackRequest,
    HistoryReply,
    MemoryPage,
    MemoryView,
    NamespacePage,
    QueryReply,
    QueryRequest,
    SessionPage,
    SessionView,
    UpdateRequest,
    WriteReply,
    WriteRequest,
)
from aim_memory.engine.answering import Answering
from aim_memory.engine.automatic import Automatic
from aim_memory.engine.chatting import Chatting
from aim_memory.engine.exchange import Chat
from aim_memory.engine.extracting import EXTRACT, Extracting
from aim_memory.engine.jobs import JobRunner, Work
from aim_memory.engine.observing import (
    Watch,
    WatchedEmbedder,
    WatchedQuerying,
    WatchedWriting,
    of_answer,
    of_chat,
    of_event,
)
from aim_memory.engine.parts import Parts
from aim_memory.engine.querying import Recalled
from aim_memory.engine.reading import Reading
from aim_memory.engine.receipts import receipt
from aim_memory.engine.reindexing import Reindexing
from aim_memory.engine.remembering import Remembering
from aim_memory.engine.upkeep import Upkeep
from aim_memory.errors import StorageError
from aim_memory.ingest.limits import check_id, check_namespace
from aim_memory.ports import MemoryStore, Observer
from aim_memory.types import Job, Space, Vectors

__all__ = ["Chat", "MemoryEngine", "Parts", "Recalled"]


class MemoryEngine:
    """One service over one store. Thread-safe; the ``async`` verbs wait for a generator, the others are CPU work.

    ``tenant`` comes from the caller's credential, never from a body. Raises errors of ``aim_memory.errors`` only.
    """

    def __init__(self, parts: Parts) -> None:
        self._embedder = WatchedEmbedder(parts.embedder)
        self._parts = parts = replace(parts, embedder=self._embedder)
        self._watch = Watch()
        self._reading = Reading(parts)
        self._automatic = Automatic(parts, self._submit_extraction)
        self._writing = WatchedWriting(parts, self._watch, self._automatic.changed)
        self._querying = WatchedQuerying(parts, self._watch)
        self._answering = Answering(parts, self._querying, self._writing)
        self._remembering = Remembering(parts, self._writing)
        self._chatting = Chatting(parts, self._querying, self._remembering)
        self._upkeep = Upkeep(parts)
        self.reindexing = Reindexing(parts)
        self._extracting = Extracting(parts)
        kinds: dict[str, Work] = {"reindex": self.reindexing.reindex, "prune": self.reindexing.prune}
        if parts.chat is not None:  # else they wait for a server that has a language model
            kinds[EXTRACT] = self._extracting.extract
        self.jobs = JobRunner(parts.store.jobs, parts.clock, kinds)
        self._closed = False

    @property
    def store(self) -> MemoryStore:
        """The truth beneath: for keys and administration, which are not the engine's concern."""
        return self._parts.store

    # Writing

    def write(
        self, tenant: str, request: WriteRequest, *, idempotency_key: str | None = None, author: str | None = None
    ) -> WriteReply:
        """Remembers; returns when it is committed and synced. Bad items are rejected one by one, unless all are bad."""
        return self._writing.write(tenant, request, idempotency_key=idempotency_key, author=author)

    def update(
        self,
        tenant: str,
        memory_id: str,
        request: UpdateRequest,
        *,
        namespace: str | None = None,
        if_match: int | None = None,
        idempotency_key: str | None = None,
        author: str | None = None,
    ) -> MemoryView:
        """Edits a memory; the version before goes to its history."""
        return self._writing.update(
            tenant,
            memory_id,
            request,
            namespace=namespace,
            if_match=if_match,
            idempotency_key=idempotency_key,
            author=author,
        )

    def delete(self, tenant: str, memory_id: str, *, namespace: str | None = None) -> DeleteReply:
        """Erases one memory with its evidence and history."""
        return self._writing.delete(tenant, memory_id, namespace=namespace)

    def erase(self, tenant: str, namespace: str, *, by: str | None = None) -> EraseReceipt:
        """Erases a whole namespace and says what went. ``by``: the name of the credential that asks for it."""
        return self._watch.over("erase", lambda: self._erase(tenant, namespace, by))

    def _erase(self, tenant: str, namespace: str, by: str | None) -> EraseReceipt:
        check_namespace(namespace)
        space = Space(tenant, namespace)
        self._parts.sessions.drop(space)
        self._parts.sessions.flush()  # what was on its way to the store is there, and goes with the rest
        erased = self._parts.store.erase(space)
        self._parts.sessions.drop(space)
        self._answering.forget(space)
        self._chatting.forget(space)
        self._parts.keeper.drop(space)
        now, health = self._parts.clock.now(), self._parts.store.check()
        return receipt(space, erased, now, by, health, self._parts.retention)

    def feedback(self, tenant: str, request: FeedbackRequest) -> FeedbackReply:
        """Reinforces memories that helped and weakens those that misled."""
        check_namespace(request.namespace)
        for rating in request.ratings:
            check_id(rating.memory_id, "memory_id", self._parts.limits)
        space = Space(tenant, request.namespace)
        known = self._parts.store.get(space, [rating.memory_id for rating in request.ratings])
        amounts: dict[str, float] = {}
        for rating in request.ratings:
            if rating.memory_id in known:
                amounts[rating.memory_id] = amounts.get(rating.memory_id, 0.0) + rating.value
        self._parts.store.reinforce(space, amounts)
        self._parts.keeper.refresh(space)
        return FeedbackReply(accepted=sum(rating.memory_id in known for rating in request.ratings))

    # Retrieval

    def query(self, tenant: str, request: QueryRequest) -> QueryReply:
        """Finds memories, best first, with evidence under the token budget."""
        return self._querying.query(tenant, request)

    def recall(self, tenant: str, request: QueryRequest) -> Recalled:
        """A query with all its parts, for callers in this process."""
        return self._querying.recall(tenant, request)

    async def answer(self, tenant: str, request: AnswerRequest) -> AnswerReply:
        """Answers from memory with citations, or abstains."""
        return await self._watch.awaited("answer", self._answering.answer(tenant, request), of_answer)

    def stream_answer(self, tenant: str, request: AnswerRequest) -> AsyncGenerator[AnswerEvent, None]:
        """context · delta, citation, verification … · done; closing it cancels the generation."""
        return self._watch.streamed("answer", self._answering.stream(tenant, request), of_event)

    async def generate_with_memory(
        self, tenant: str, prompt: str, *, namespace: str, session_id: str | None = None
    ) -> AnswerReply:
        """Recalls, generates, and writes both turns back."""
        request = AnswerRequest(namespace=namespace, session_id=session_id, query=prompt, remember=True)
        return await self.answer(tenant, request)

    def chat(self, tenant: str, chat: Chat) -> AsyncGenerator[dict[str, Any], None]:
        """A chat in OpenAI's shape with memory in it: the chunks of its reply, or the one whole reply.

        Closing it cancels the generation. A finished exchange is committed before the last chunk; of one that was cut
        the user's turn is remembered.
        """
        return self._watch.streamed("chat", self._chatting.replies(tenant, chat), of_chat)

    def models(self) -> Sequence[str]:
        """What a chat may name as its model, the default first."""
        return self._chatting.models()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(n, dimension) float32, each row of length 1: what memories with these texts would have."""
        return self._parts.embedder.embed_documents(texts)

    @property
    def embedding_model(self) -> str:
        return self._parts.embedder.generation

    def flush(self) -> None:
        """Returns when every chat that was finished before is remembered, with its vectors."""
        self._remembering.flush()

    # Extraction

    def extract(self, tenant: str, request: ExtractRequest) -> Job:
        """Has a language model read memories, in a job: facts, summaries or a profile. Off until it is asked for.

        Raises InvalidInputError, where there is no language model too.
        """
        return self.jobs.submit(EXTRACT, self._extracting.arguments(request), tenant)

    async def preview_extraction(self, tenant: str, request: ExtractRequest, limit: int = 1) -> ExtractPreview:
        """What extraction would make of the next ``limit`` stretches of conversation. Writes nothing."""
        return await self._extracting.preview(tenant, request, limit)

    @property
    def extracts(self) -> bool:
        """Whether there is a language model that could."""
        return self._parts.chat is not None

    def _submit_extraction(self, space: Space) -> Job:
        return self.extract(space.tenant, ExtractRequest(namespace=space.namespace))

    # Reading

    def get(self, tenant: str, memory_id: str, namespace: str | None = None) -> MemoryView:
        return self._reading.get(tenant, memory_id, namespace)

    def list(
        self,
        tenant: str,
        namespace: str,
        *,
        filters: dict[str, Any] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        session_id: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> MemoryPage:
        """Memories in the order they were written, a page at a time."""
        return self._reading.page(
            tenant,
            namespace,
            filters=filters,
            since=since,
            until=until,
            session_id=session_id,
            limit=limit,
            cursor=cursor,
        )

    def history(self, tenant: str, memory_id: str, namespace: str | None = None) -> HistoryReply:
        return self._reading.history(tenant, memory_id, namespace)

    def evidence(self, tenant: str, memory_id: str, namespace: str | None = None) -> EvidenceReply:
        return self._reading.evidence(tenant, memory_id, namespace)

    def session(self, tenant: str, namespace: str, session_id: str) -> SessionView:
        return self._reading.session(tenant, namespace, session_id)

    def sessions(self, tenant: str, namespace: str, limit: int = 50) -> SessionPage:
        return self._reading.sessions(tenant, namespace, limit)

    def reset_session(self, tenant: str, namespace: str, session_id: str) -> bool:
        """Puts a session at rest; returns whether there was one."""
        return self._reading.reset_session(tenant, namespace, session_id)

    def namespaces(self, tenant: str, *, cursor: str | None = None, limit: int = 50) -> NamespacePage:
        return self._reading.namespaces(tenant, cursor, limit)

    # The service itself

    def upkeep(self) -> dict[str, int]:
        """One round of erasing what expired and embedding what waits. Returns counts per kind. Where settings say so,
        what was written since the round before is to be read for facts."""
        self._automatic.run()
        return self._upkeep.run()

    def work(self, stopping: Callable[[], bool]) -> bool:
        """Works on the next job until it ends, or ``stopping`` says so between two steps. Whether there was one."""
        return self.jobs.run_next(stopping) is not None

    def ready(self) -> bool:
        """Whether the store answers."""
        try:
            self._parts.store.check()
        except StorageError:
            return False
        return not self._closed

    def status(self) -> dict[str, Any]:
        """What this service runs on, for a person to read."""
        embedder = self._parts.embedder
        return {
            "store": dict(self._parts.store.check()),
            "embedder": {"generation": embedder.generation, "dimension": embedder.dimension},
            "generators": list(self._parts.generators),
            "models": self._parts.chat.figures() if self._parts.chat is not None else {},
            "chats_remembered": self._remembering.figures(),
            **{name: dict(companion.state()) for name, companion in self._parts.companions.items()},
            "config": self._parts.config.model_dump(),
        }

    def figures(self) -> dict[str, Any]:
        """What a monitoring system asks for now and then, as numbers."""
        store, chat = self._parts.store, self._parts.chat
        return {
            "store": dict(store.check()),
            "pending": store.count_pending(),
            "longest_wait_s": self._upkeep.longest_wait_s(),
            "embedder_up": self._embedder.up,
            "jobs": dict(store.jobs.counts()),
            "indexes": dict(self._parts.keeper.figures()),
            "targets": chat.figures()["targets"] if chat is not None else {},
            "chats": self._remembering.figures(),
        }

    def observe(self, observer: Observer) -> None:
        """Has somebody watch from here on."""
        self._watch.add(observer)

    def start(self, tell: Callable[[str], None]) -> None:
        """Starts what runs beside a server, and returns at once; ``close`` ends it. ``tell`` gets lines for people.

        Raises ConfigurationError when something of it could never run.
        """
        for companion in self._parts.companions.values():
            companion.start(tell)

    def close(self) -> None:
        """Writes what was written behind and closes the store. Closing twice is harmless."""
        if not self._closed:
            self._closed = True
            for companion in self._parts.companions.values():
                companion.close()
            self._remembering.close()
            self._parts.sessions.close()
            self._parts.store.close()
