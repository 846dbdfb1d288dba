"""What an adapter asks of a memory: the verbs that ``Client``, ``AsyncClient`` and ``AIMMemory`` share.

An adapter takes any of them. Code that waits takes an ``AsyncMemory``; ``awaited`` makes one of a ``Memory``, whose
calls then run on threads.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Any, Concatenate, ParamSpec, Protocol, TypeAlias, TypeVar, cast

from aim_memory.bodies import (
    AnswerReply,
    DeleteReply,
    EraseReceipt,
    Filter,
    MemoryItem,
    MemoryPage,
    MemoryView,
    NamespacePage,
    QueryReply,
    WriteReply,
)

Memories: TypeAlias = Sequence[MemoryItem | Mapping[str, Any]]
S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")


class Memory(Protocol):
    """``Client`` or ``AIMMemory``. Safe to share between threads."""

    def write(self, text: str | None = None, *, namespace: str, memories: Memories | None = None) -> WriteReply: ...

    def query(
        self,
        query: str,
        *,
        namespace: str,
        top_k: int = 10,
        session_id: str | None = None,
        filters: Filter | None = None,
        max_tokens: int | None = None,
    ) -> QueryReply: ...

    def get(self, memory_id: str, *, namespace: str | None = None) -> MemoryView: ...

    def list(
        self,
        *,
        namespace: str,
        filters: Filter | None = None,
        session_id: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> MemoryPage: ...

    def update(
        self,
        memory_id: str,
        *,
        namespace: str | None = None,
        text: str = ...,
        metadata: Mapping[str, Any] = ...,
        expires_at: datetime | None = ...,
        timestamp: datetime = ...,
    ) -> MemoryView: ...

    def delete(self, memory_id: str, *, namespace: str | None = None) -> DeleteReply: ...

    def namespaces(self, *, cursor: str | None = None, limit: int = 50) -> NamespacePage: ...


class AsyncMemory(Protocol):
    """``AsyncClient``, or a ``Memory`` on threads."""

    async def write(self, *, namespace: str, memories: Memories | None = None) -> WriteReply: ...

    async def query(
        self,
        query: str,
        *,
        namespace: str,
        top_k: int = 10,
        session_id: str | None = None,
        filters: Filter | None = None,
        max_tokens: int | None = None,
    ) -> QueryReply: ...

    async def answer(
        self, query: str, *, namespace: str, session_id: str | None = None, filters: Filter | None = None
    ) -> AnswerReply: ...

    async def get(self, memory_id: str, *, namespace: str | None = None) -> MemoryView: ...

    async def list(
        self, *, namespace: str, filters: Filter | None = None, limit: int = 50, cursor: str | None = None
    ) -> MemoryPage: ...

    async def update(
        self,
        memory_id: str,
        *,
        namespace: str | None = None,
        if_match: int | None = None,
        text: str = ...,
        metadata: Mapping[str, Any] = ...,
        pinned: bool = ...,
    ) -> MemoryView: ...

    async def delete(self, memory_id: str, *, namespace: str | None = None) -> DeleteReply: ...

    async def forget(self, namespace: str) -> EraseReceipt: ...

    async def namespaces(self, *, cursor: str | None = None, limit: int = 50) -> NamespacePage: ...

    async def status(self) -> Mapping[str, Any]: ...


def awaited(memory: Memory | AsyncMemory) -> AsyncMemory:
    """The same verbs, awaited."""
    if inspect.iscoroutinefunction(memory.write):
        return cast(AsyncMemory, memory)
    return cast(AsyncMemory, _OnThreads(cast(Memory, memory)))


def on_a_thread(verb: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """A method that runs another one on a thread: the awaited twin of a verb."""

    @functools.wraps(verb)
    async def run(self: S, /, *args: P.args, **given: P.kwargs) -> R:
        return await asyncio.to_thread(verb, self, *args, **given)

    return run


class _OnThreads:
    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def __getattr__(self, verb: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        call = getattr(self._memory, verb)

        async def run(*args: Any, **given: Any) -> Any:
            return await asyncio.to_thread(call, *args, **given)

        return run
