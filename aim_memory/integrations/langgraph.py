"""LangGraph's long-term store on a memory: what agents put, search and list, across threads, processes and machines.

    store = AIMStore(Client("http://127.0.0.1:8765"))        # or AIMStore(AIMMemory("~/my-memory"))
    graph = builder.compile(checkpointer=checkpointer, store=store)

A LangGraph namespace ("user", "ada") is the namespace user/ada; an item is a memory whose id is its key. So what a
graph remembers is found by every other door, and ``search`` finds what came through those.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from urllib.parse import unquote

from aim_memory.bodies import MemoryItem, MemoryView
from aim_memory.errors import ConflictError, NotFoundError
from aim_memory.extras import needs
from aim_memory.integrations.langgraph_items import (
    UNINDEXED,
    holds,
    indexed_only,
    is_pushed,
    item_of,
    lifetime_of,
    pushed,
    read_item,
)
from aim_memory.integrations.memory import Memory
from aim_memory.integrations.payloads import batches, safe_id, segment

with needs("langgraph"):
    from langgraph.store.base import (
        BaseStore,
        GetOp,
        InvalidNamespaceError,
        Item,
        ListNamespacesOp,
        MatchCondition,
        Op,
        PutOp,
        Result,
        SearchItem,
        SearchOp,
        TTLConfig,
    )

Namespace = tuple[str, ...]
PAGE_ITEMS = 200
FIRST_NAMESPACES = 10
"""Of the first page of namespaces below a prefix: most often there are none."""
MOST_RANKED = 100
"""Items that one question ranks in a namespace; what is asked for beyond follows in the order of writing."""
FRESH_SHARE = 0.9
"""A lifetime of which more than this is left is not renewed by reading: reads would otherwise all be writes."""


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  this side's clock, for lifetimes; the server keeps its own


class AIMStore(BaseStore):
    """A ``BaseStore`` on a memory. Safe to share between threads; ``abatch`` runs ``batch`` on one.

    Args:
        memory: A ``Client`` or an ``AIMMemory``.
        root: A path under which all namespaces lie; the graph sees nothing outside it.
        fields: The paths within a value that ``search`` reads, as LangGraph writes them; all of it if left out.
        ttl: LangGraph's lifetimes: ``default_ttl`` in minutes, ``refresh_on_read``.
        now: The clock of lifetimes.
    """

    supports_ttl = True

    def __init__(
        self,
        memory: Memory,
        *,
        root: Namespace = (),
        fields: Sequence[str] | None = None,
        ttl: TTLConfig | None = None,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self.ttl_config = ttl
        self._memory = memory
        self._root = root
        self._fields = fields
        self._now = now

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Reads first, then writes, the last of a key. Raises InvalidNamespaceError and the errors of the memory."""
        asked = list(ops)
        for op in asked:
            _check(op)
        results = [self._read(op) for op in asked]
        last = {(op.namespace, op.key): op for op in asked if isinstance(op, PutOp)}
        self._delete([op for op in last.values() if op.value is None])
        puts: dict[Namespace, list[PutOp]] = {}
        for op in last.values():
            if op.value is not None:
                puts.setdefault(op.namespace, []).append(op)
        for namespace, together in puts.items():
            self._put(namespace, together)
        return results

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        return await asyncio.to_thread(self.batch, list(ops))

    # --- reading ---------------------------------------------------------------------------------------------------

    def _read(self, op: Op) -> Result:
        match op:
            case GetOp():
                return self._get(op)
            case SearchOp():
                found = islice(self._found(op), op.offset, op.offset + op.limit)
                return [self._used(item, view, op.refresh_ttl) for item, view in found]
            case ListNamespacesOp():
                return self._list(op)
        return None

    def _get(self, op: GetOp) -> Item | None:
        view = self._view(safe_id(op.key), self._path(op.namespace))
        return self._used(self._item(view), view, op.refresh_ttl) if view else None

    def _view(self, memory_id: str, path: str) -> MemoryView | None:
        try:
            return self._memory.get(memory_id, namespace=path)
        except NotFoundError:
            return None

    def _found(self, op: SearchOp) -> Iterator[tuple[SearchItem, MemoryView]]:
        """What a search finds, best first where it asks something."""
        prefix = tuple(op.namespace_prefix)
        paths = [self._path(namespace) for namespace in (*([prefix] if prefix else []), *self._below(prefix))]
        narrowed = pushed(op.filter or {})
        if op.query and op.query.strip():
            yield from self._ranked(op, op.query, paths, narrowed)
            return
        for path in paths:
            yield from self._listed(op, path, narrowed)

    def _ranked(
        self, op: SearchOp, query: str, paths: Sequence[str], narrowed: list[dict[str, Any]]
    ) -> Iterator[tuple[SearchItem, MemoryView]]:
        """By score over all namespaces; then, unscored, what no question ranked."""
        # What the memory cannot narrow by is looked for among as many as it ranks.
        most = min(MOST_RANKED, op.offset + op.limit) if is_pushed(op.filter or {}) else MOST_RANKED
        filters = indexed_only(narrowed)
        hits = {
            (path, hit.id): hit.score
            for path in paths
            for hit in self._memory.query(query, namespace=path, top_k=most, filters=filters).results
        }
        for path, memory_id in sorted(hits, key=lambda hit: -hits[hit]):
            view = self._view(memory_id, path)
            if view and holds(read_item(view)[1], op.filter):
                yield self._item(view, hits[path, memory_id]), view
        for path in paths:
            more = sum(held == path for held, _ in hits) == most
            for item, view in self._listed(op, path, narrowed if more else [*narrowed, UNINDEXED]):
                if (path, view.id) not in hits:
                    yield item, view

    def _listed(
        self, op: SearchOp, path: str, narrowed: list[dict[str, Any]]
    ) -> Iterator[tuple[SearchItem, MemoryView]]:
        """In the order of writing."""
        filters = {"and": narrowed} if narrowed else None
        size = max(1, min(PAGE_ITEMS, op.offset + op.limit))
        cursor: str | None = None
        while True:
            page = self._memory.list(namespace=path, filters=filters, limit=size, cursor=cursor)
            for view in page.items:
                if holds(read_item(view)[1], op.filter):
                    yield self._item(view), view
            if (cursor := page.next_cursor) is None:
                return

    def _item(self, view: MemoryView, score: float | None = None) -> SearchItem:
        key, value = read_item(view)
        return SearchItem(
            namespace=self._namespace(view.namespace),
            key=key,
            value=value,
            created_at=view.created_at,
            updated_at=view.updated_at,
            score=score,
        )

    def _used(self, item: SearchItem, view: MemoryView, refresh: bool) -> SearchItem:
        """An item that is handed out: its lifetime begins again."""
        minutes = lifetime_of(view)
        if refresh and minutes is not None and view.expires_at is not None:
            now, whole = self._now(), timedelta(minutes=minutes)
            if view.expires_at - now < whole * FRESH_SHARE:
                with suppress(NotFoundError):  # it ended a moment ago; what was read was there
                    self._memory.update(view.id, namespace=view.namespace, expires_at=now + whole)
        return item

    # --- namespaces ------------------------------------------------------------------------------------------------

    def _list(self, op: ListNamespacesOp) -> list[Namespace]:
        conditions = op.match_conditions or ()
        prefixes = [_literal(condition.path) for condition in conditions if condition.match_type == "prefix"]
        prefix = max(prefixes, key=len, default=())
        found = [*self._below(prefix)]
        if prefix and self._memory.list(namespace=self._path(prefix), limit=1).items:
            found.append(prefix)
        kept = {namespace[: op.max_depth] for namespace in found if all(_fits(one, namespace) for one in conditions)}
        return sorted(kept)[op.offset : op.offset + op.limit]

    def _below(self, prefix: Namespace) -> Iterator[Namespace]:
        """The namespaces below a prefix that hold something."""
        path = self._path(prefix)
        start = f"{path}/" if path else ""
        cursor, size = start or None, FIRST_NAMESPACES
        while True:
            # A page begins after the name that its cursor is, so nothing before the prefix is read.
            page = self._memory.namespaces(cursor=cursor, limit=size)
            for one in page.items:
                if not one.namespace.startswith(start):
                    return
                if one.memories:
                    yield self._namespace(one.namespace)
            if (cursor := page.next_cursor) is None:
                return
            size = PAGE_ITEMS

    def _path(self, namespace: Namespace) -> str:
        return "/".join(map(segment, (*self._root, *namespace)))

    def _namespace(self, path: str) -> Namespace:
        return tuple(map(unquote, path.split("/")))[len(self._root) :]

    # --- writing ---------------------------------------------------------------------------------------------------

    def _delete(self, puts: Sequence[PutOp]) -> None:
        for op in puts:
            try:
                self._memory.delete(safe_id(op.key), namespace=self._path(op.namespace))
            except NotFoundError:
                continue

    def _put(self, namespace: Namespace, puts: Sequence[PutOp]) -> None:
        now = self._now()
        items = [item_of(op.key, op.value or {}, op.index, self._fields, op.ttl, now) for op in puts]
        for batch in batches(items):
            self._write(self._path(namespace), batch, now)

    def _write(self, path: str, items: Sequence[MemoryItem], now: datetime) -> None:
        """New keys in one commit; what is there already is edited, and its history kept."""
        try:
            statuses = [result.status for result in self._memory.write(namespace=path, memories=items).results]
        except ConflictError:  # not one of the keys is new
            statuses = ["rejected"] * len(items)
        for item, status in zip(items, statuses, strict=True):
            if status == "rejected":
                self._replace(path, item, now)
            elif status == "unchanged" and item.expires_at is not None:
                self._memory.update(str(item.id), namespace=path, expires_at=item.expires_at)

    def _replace(self, path: str, item: MemoryItem, now: datetime) -> None:
        try:
            self._memory.update(
                str(item.id),
                namespace=path,
                text=item.text,
                metadata=item.metadata,
                expires_at=item.expires_at,
                timestamp=now,
            )
        except NotFoundError:  # refused for another reason than being there, or deleted in between
            self._memory.write(namespace=path, memories=[item])


def _check(op: Op) -> None:
    """Labels as LangGraph has them: its own methods look at them too, but an op can be given to ``batch`` itself."""
    match op:
        case GetOp() | PutOp():
            paths = [op.namespace]
        case SearchOp():
            paths = [op.namespace_prefix]
        case ListNamespacesOp():
            paths = [tuple(condition.path) for condition in op.match_conditions or ()]
        case _:
            raise ValueError(f"Unknown operation type: {type(op)}")
    labels: list[object] = [label for path in paths for label in path]
    for label in labels:
        if not isinstance(label, str) or not label or "." in label or "\x00" in label:
            raise InvalidNamespaceError(
                f"Namespace label {label!r} is no label: it must be text, not empty, without '.' and NUL."
            )


def _literal(path: Sequence[str]) -> Namespace:
    """The part of a pattern before its first wildcard."""
    return tuple(path[: path.index("*")]) if "*" in path else tuple(path)


def _fits(condition: MatchCondition, namespace: Namespace) -> bool:
    wanted = tuple(condition.path)
    part = namespace[: len(wanted)] if condition.match_type == "prefix" else namespace[-len(wanted) :]
    return len(part) == len(wanted) and all(w in ("*", label) for w, label in zip(wanted, part, strict=True))
