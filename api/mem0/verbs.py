"""mem0's verbs on our engine. Each is one call of the thread pool; raises what the engine raises."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aim_memory.api.auth import Caller
from aim_memory.api.mem0 import shapes
from aim_memory.api.mem0.scope import OWN, Residue, Scope, entities_of, home_of, residue, scopes_of
from aim_memory.bodies import (
    ExtractRequest,
    FeedbackRequest,
    Hit,
    MemoryView,
    QueryRequest,
    Rating,
    UpdateRequest,
    WriteRequest,
)
from aim_memory.engine import MemoryEngine
from aim_memory.errors import InvalidInputError, NotFoundError, PermissionDeniedError

PAGE = 100
_TOP_K = 10
_RATINGS = {"POSITIVE": 1, "NEGATIVE": -1, "VERY_NEGATIVE": -1}


@dataclass(frozen=True, slots=True)
class Mem0:
    """The verbs, for one caller."""

    engine: MemoryEngine
    caller: Caller

    # Writing

    def add(self, body: shapes.AddBody) -> dict[str, Any]:
        """Keeps every message as it is; what a model infers from them comes beside them, later."""
        entities = entities_of(body.fields)
        scope, items = home_of(entities), shapes.items_of(body, entities)
        if not items:
            return _reply(body, {"results": []})
        request = WriteRequest(namespace=scope.namespace, memories=items)
        written = self.engine.write(self.caller.tenant, request, author=self.caller.name).results
        results = [
            {
                "id": one.id,
                "memory": item.text,
                "event": "ADD" if one.status == "created" else "NONE",
                "role": item.role,
            }
            | ({"reason": one.reason} if one.reason else {})
            | ({"supersedes": one.supersedes} if one.supersedes else {})
            for one, item in zip(written, items, strict=True)
        ]
        return _reply(body, {"results": results, **self._read_for_facts(body, scope.namespace)})

    def _read_for_facts(self, body: shapes.AddBody, namespace: str) -> dict[str, Any]:
        """Who says ``infer`` himself has what he added read by the language model too, in a job, if there is one."""
        if not (body.infer and "infer" in body.model_fields_set and self.engine.extracts):
            return {}
        return {"extraction": self.engine.extract(self.caller.tenant, ExtractRequest(namespace=namespace)).id}

    def update(self, memory_id: str, body: shapes.UpdateBody) -> dict[str, Any]:
        """Edits; the state before stays in the history."""
        before = self._held(memory_id)
        kept = before.metadata.get(OWN, {})
        if isinstance(kept, Mapping) and kept.get("immutable"):
            raise PermissionDeniedError(f"memory {memory_id!r} was added as immutable.")
        changes: dict[str, Any] = {}
        if (text := body.text if body.text is not None else body.data) is not None:
            changes["text"] = text
        if body.metadata is not None:
            changes["metadata"] = {**body.metadata, OWN: kept} if kept else body.metadata
        if body.timestamp is not None:
            changes["timestamp"] = shapes.moment_of(body.timestamp, "timestamp")
        if "expiration_date" in body.model_fields_set:
            changes["expires_at"] = shapes.end_of(body.expiration_date)
        if not changes:
            raise InvalidInputError("give at least one of text, metadata, timestamp and expiration_date.")
        namespace, author = before.namespace, self.caller.name
        with shapes.as_sent():
            request = UpdateRequest(**changes)
        after = self.engine.update(self.caller.tenant, memory_id, request, namespace=namespace, author=author)
        return _reply(body, shapes.memory_of(after))

    def update_many(self, body: shapes.BatchBody) -> dict[str, Any]:
        for one in body.memories:
            with shapes.as_sent():
                changes = shapes.UpdateBody.model_validate(one)
            self.update(_id_of(one), changes)
        return {"message": f"Successfully updated {len(body.memories)} memories"}

    def delete(self, memory_id: str, linked: bool = False) -> dict[str, Any]:
        """Erases a memory; ``linked``: and the older ones that it superseded, and those that they did."""
        view = self._held(memory_id)
        chain = [view.id]
        if linked:
            by: dict[str | None, list[str]] = {}
            for one in self._all(view.namespace, None):
                by.setdefault(one.superseded_by, []).append(one.id)
            for known in chain:
                chain += by.get(known, [])
        self._erase(view.namespace, reversed(chain))
        return {"message": "Memory deleted successfully!"}

    def delete_many(self, body: shapes.BatchBody) -> dict[str, Any]:
        for one in body.memories:
            self.delete(_id_of(one))
        return {"message": f"Successfully deleted {len(body.memories)} memories"}

    def delete_each(self, entities: Mapping[str, str]) -> None:
        """Erases, one by one, the memories that belong to all of these."""
        scope = home_of(entities)
        self._erase(scope.namespace, [view.id for view in self._all(scope.namespace, residue(entities, scope))])

    def rate(self, body: shapes.FeedbackBody) -> dict[str, Any]:
        """Reinforces or weakens. Feedback taken back is not undone here, as nothing says what it was."""
        view = self._held(body.memory_id)
        if (word := (body.feedback or "").upper()) in _RATINGS:
            rating = Rating.model_validate({"memory_id": view.id, "value": _RATINGS[word]})
            self.engine.feedback(self.caller.tenant, FeedbackRequest(namespace=view.namespace, ratings=[rating]))
        elif word:
            raise InvalidInputError(f"feedback must be one of {', '.join(_RATINGS)}.", field="feedback")
        return {"id": view.id, "feedback": body.feedback}

    # Reading

    def search(self, body: shapes.SearchBody) -> dict[str, Any]:
        """Best first, over all that the filters name. Scores are ours, drawn into (0, 1)."""
        filters = _filters_of(body)
        top_k = body.top_k or body.limit or _TOP_K
        found = [hit for scope in scopes_of(filters) for hit in self._hits(body, filters, scope, top_k)]
        found.sort(key=lambda hit: -hit["score"])
        return _reply(body, {"results": found[:top_k]})

    def _hits(
        self, body: shapes.SearchBody, filters: Mapping[str, Any], scope: Scope, top_k: int
    ) -> Iterator[dict[str, Any]]:
        left = residue(filters, scope)
        if left is False:
            return
        with shapes.as_sent():
            request = QueryRequest(
                namespace=scope.namespace,
                query=body.query,
                top_k=top_k,
                filters=left if isinstance(left, dict) else None,
                reference_date=shapes.moment_of(body.reference_date, "reference_date"),
            )
        hits: dict[str, Hit] = {hit.id: hit for hit in self.engine.query(self.caller.tenant, request).results}
        for memory_id, hit in hits.items():
            score = round(1 / (1 + math.exp(-hit.score)), 6)
            if score < (body.threshold or 0.0) or (body.latest_only and not hit.current):
                continue
            with suppress(NotFoundError):  # erased a moment ago
                yield shapes.memory_of(self.engine.get(self.caller.tenant, memory_id, scope.namespace), score)

    def page(self, body: shapes.PageBody, path: str) -> dict[str, Any]:
        """All that the filters name, newest first."""
        size = body.page_size or body.top_k or body.limit or PAGE
        return _reply(body, shapes.page_of(self._matching(body), body.page or 1, size, path))

    def all_of(self, body: shapes.PageBody) -> list[dict[str, Any]]:
        """The same in one list, as the first version of mem0's paths gives it."""
        most = body.top_k or body.limit or body.page_size
        return self._matching(body)[:most]

    def _matching(self, body: shapes.PageBody) -> list[dict[str, Any]]:
        filters = _filters_of(body)
        views = [view for scope in scopes_of(filters) for view in self._all(scope.namespace, residue(filters, scope))]
        shown = [view for view in views if view.current or not body.latest_only]
        return [shapes.memory_of(view) for view in sorted(shown, key=lambda view: view.timestamp, reverse=True)]

    def get(self, memory_id: str) -> dict[str, Any]:
        return shapes.memory_of(self._held(memory_id))

    def history(self, memory_id: str) -> list[dict[str, Any]]:
        view = self._held(memory_id)
        return shapes.history_of(view, self.engine.history(self.caller.tenant, memory_id, view.namespace))

    def entities(self) -> dict[str, Any]:
        """Whoever has memories here."""
        results, cursor = [], None
        while True:
            page = self.engine.namespaces(self.caller.tenant, cursor=cursor, limit=200)
            for one in page.items:
                if scope := Scope.of_namespace(one.namespace):
                    who = {"id": one.namespace, "name": scope.name, "type": scope.kind}
                    results.append({**who, "total_memories": one.memories})
            if (cursor := page.next_cursor) is None:
                return {"count": len(results), "next": None, "previous": None, "results": results}

    def _held(self, memory_id: str) -> MemoryView:
        return self.engine.get(self.caller.tenant, memory_id)

    def _erase(self, namespace: str, ids: Iterable[str]) -> None:
        """Erases what is still there: what was derived from a memory goes with it, and others erase too."""
        for memory_id in ids:
            with suppress(NotFoundError):
                self.engine.delete(self.caller.tenant, memory_id, namespace=namespace)

    def _all(self, namespace: str, left: Residue | None) -> Iterator[MemoryView]:
        """Memories of a namespace, in the order they were written."""
        cursor = None
        while left is not False:
            filters = left if isinstance(left, dict) else None
            page = self.engine.list(self.caller.tenant, namespace, filters=filters, limit=200, cursor=cursor)
            yield from page.items
            if (cursor := page.next_cursor) is None:
                return


def _filters_of(body: shapes.SearchBody | shapes.PageBody) -> dict[str, Any]:
    """The filters of a request, with what it asks for outside of them."""
    every: list[dict[str, Any]] = [body.filters] if body.filters else []
    every += [{key: value} for key, value in body.fields.items() if key in _IDS and value not in (None, "")]
    if body.categories:
        every.append({"categories": {"in": body.categories}})
    if isinstance(body, shapes.SearchBody) and body.metadata:
        every.append({"metadata": body.metadata})
    if isinstance(body, shapes.PageBody):
        bounds = {"gte": body.start_date, "lte": body.end_date}
        asked = {operator: bound for operator, bound in bounds.items() if bound is not None}
        every += [{"created_at": asked}] if asked else []
    return every[0] if len(every) == 1 else {"AND": every} if every else {}


_IDS = ("user_id", "agent_id", "app_id", "run_id")


def _id_of(one: Mapping[str, Any]) -> str:
    found = one.get("memory_id") or one.get("id")
    if not isinstance(found, str):
        raise InvalidInputError("each of memories needs its memory_id.", field="memories")
    return found


def _reply(
    body: shapes.AddBody | shapes.SearchBody | shapes.PageBody | shapes.UpdateBody, reply: dict[str, Any]
) -> dict[str, Any]:
    """With the names of the fields that mean nothing here, so that nothing is dropped unnoticed."""
    return {**reply, "ignored": body.unused} if body.unused else reply
