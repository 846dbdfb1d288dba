"""Look-ups that need no ranking: one memory, its history and evidence, pages, sessions, namespaces."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aim_memory import filters as grammar
from aim_memory.bodies import (
    EvidenceReply,
    HistoryReply,
    MemoryPage,
    MemoryView,
    NamespacePage,
    NamespaceView,
    SessionPage,
    SessionView,
)
from aim_memory.engine.parts import Parts, missing
from aim_memory.engine.views import memory_view, session_view, version_view
from aim_memory.errors import LimitExceededError, NotFoundError, UnknownReferenceError
from aim_memory.ingest.limits import check_id, check_namespace
from aim_memory.ports import IndexReader
from aim_memory.routing import temporal_weights
from aim_memory.types import Space, StoredMemory


class Reading:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def get(self, tenant: str, memory_id: str, namespace: str | None) -> MemoryView:
        space, memory = self._held(tenant, memory_id, namespace)
        return memory_view(space, memory)

    def history(self, tenant: str, memory_id: str, namespace: str | None) -> HistoryReply:
        space, memory = self._held(tenant, memory_id, namespace)
        versions = self._parts.store.history(space, memory.id)
        return HistoryReply(id=memory.id, versions=[version_view(version) for version in versions])

    def evidence(self, tenant: str, memory_id: str, namespace: str | None) -> EvidenceReply:
        space, memory = self._held(tenant, memory_id, namespace)
        found = self._parts.store.evidence(space, memory.id)
        if found is None:
            raise missing(memory_id)
        original, start, end = found
        return EvidenceReply(id=memory.id, original=original, start=start, end=end)

    def _held(self, tenant: str, memory_id: str, namespace: str | None) -> tuple[Space, StoredMemory]:
        space = self._parts.space_of(tenant, memory_id, namespace)
        memory = self._parts.store.get(space, [memory_id]).get(memory_id)
        if memory is None or memory.has_expired(self._parts.clock.now()):
            raise missing(memory_id)
        return space, memory

    def page(
        self,
        tenant: str,
        namespace: str,
        *,
        filters: dict[str, Any] | None,
        since: datetime | None,
        until: datetime | None,
        session_id: str | None,
        limit: int,
        cursor: str | None,
    ) -> MemoryPage:
        """Memories in ordinal order; the cursor names the last ordinal seen, so a page never shifts."""
        check_namespace(namespace)
        self._check_limit(limit)
        if session_id is not None:
            check_id(session_id, "session_id", self._parts.limits)
        space = Space(tenant, namespace)
        wanted = _conditions(filters, since, until, session_id)
        limits = self._parts.limits
        keep = grammar.parse(wanted, conditions=limits.filter_conditions + 3, depth=limits.filter_depth + 1)
        after = _decode(cursor) if cursor else -1
        weights = self._weights(space, keep, after, limit + 1)
        more, weights = len(weights) > limit, dict(list(weights.items())[:limit])
        memories = self._parts.store.get(space, list(weights))
        items = [(memories[id], weight) for id, weight in weights.items() if id in memories]
        next_cursor = _encode(items[-1][0].ordinal) if more and items else None
        return MemoryPage(items=[memory_view(space, *item) for item in items], next_cursor=next_cursor)

    def _weights(self, space: Space, keep: grammar.Filter | None, after: int, count: int) -> Mapping[str, float | None]:
        """The next memories after an ordinal and their weights; without weights while a large index is being built."""
        now = self._parts.clock.now()
        if keep is None and self._parts.keeper.glimpse(space, ()) is not None:
            return dict.fromkeys(self._parts.store.page(space, after, count, now))
        with self._parts.keeper.open(space) as index:
            rows = _listed(index, keep, after, now)[:count]
            fading = temporal_weights(rows, index, self._parts.config).tolist()
            return {index.id_of(row): weight for row, weight in zip(rows.tolist(), fading, strict=True)}

    def session(self, tenant: str, namespace: str, session_id: str) -> SessionView:
        check_namespace(namespace)
        check_id(session_id, "session_id", self._parts.limits)
        space = Space(tenant, namespace)
        state = self._parts.sessions.get(space, session_id)
        if not state.turns:
            raise NotFoundError(f"session {session_id!r} has asked nothing yet.")
        return session_view(space, session_id, state)

    def sessions(self, tenant: str, namespace: str, limit: int) -> SessionPage:
        check_namespace(namespace)
        self._check_limit(limit)
        space = Space(tenant, namespace)
        self._parts.sessions.flush()
        states = self._parts.store.sessions(space, limit)
        return SessionPage(items=[session_view(space, session_id, state) for session_id, state in states])

    def reset_session(self, tenant: str, namespace: str, session_id: str) -> bool:
        check_namespace(namespace)
        check_id(session_id, "session_id", self._parts.limits)
        return self._parts.sessions.reset(Space(tenant, namespace), session_id)

    def namespaces(self, tenant: str, cursor: str | None, limit: int) -> NamespacePage:
        self._check_limit(limit)
        rows = self._parts.store.namespaces(tenant, after=cursor, limit=limit + 1)
        items = [
            NamespaceView(namespace=name, memories=count, seq=head.seq, epoch=head.epoch)
            for name, head, count in rows[:limit]
        ]
        return NamespacePage(items=items, next_cursor=items[-1].namespace if len(rows) > limit else None)

    def _check_limit(self, limit: int) -> None:
        most = self._parts.limits.page_items
        if not 1 <= limit <= most:
            raise LimitExceededError(f"limit is {limit}; it must be from 1 to {most}.", field="limit")


def _listed(index: IndexReader, keep: grammar.Filter | None, after: int, now: datetime) -> NDArray[np.int64]:
    """Rows after an ordinal, in ordinal order, that a filter keeps and that have not expired."""
    columns = index.columns
    shown = columns.alive & (columns.ordinal > after) & (columns.expires_at > now.timestamp())
    if keep is not None:
        shown &= keep.mask(index)
    return np.flatnonzero(shown)


def _conditions(
    filters: dict[str, Any] | None, since: datetime | None, until: datetime | None, session_id: str | None
) -> dict[str, Any] | None:
    conditions: list[dict[str, Any]] = [filters] if filters else []
    if since:
        conditions.append({"timestamp": {"gte": since.isoformat()}})
    if until:
        conditions.append({"timestamp": {"lt": until.isoformat()}})
    if session_id:
        conditions.append({"session_id": {"eq": session_id}})
    return {"and": conditions} if len(conditions) > 1 else conditions[0] if conditions else None


def _encode(ordinal: int) -> str:
    return base64.urlsafe_b64encode(str(ordinal).encode()).decode().rstrip("=")


def _decode(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii"))
    except ValueError:
        raise UnknownReferenceError(f"cursor {cursor!r} is not one of ours.", field="cursor") from None
