"""CrewAI: a storage for its memory, and the embedder that goes with it; neither needs a key.

storage = AIMStorage(Client("http://127.0.0.1:8765"), namespace="crew/research")
crew = Crew(agents=agents, tasks=tasks, memory=Memory(storage=storage, embedder=storage.embedder, llm=llm))
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from aim_memory.bodies import Filter, Hit, MemoryItem, MemoryView
from aim_memory.errors import InvalidInputError, NotFoundError
from aim_memory.extras import needs
from aim_memory.integrations.memory import Memory, on_a_thread
from aim_memory.integrations.payloads import batches, kept, pack, safe_id, unpack
from aim_memory.integrations.recalled import asked

with needs("crewai"):
    from crewai.memory.types import MemoryRecord, ScopeInfo

OWN = "crewai"
ROOT = "/"
PAGE = 200
MOST_RANKED = 100
MOST_ALIKE = 0.84
"""The greatest similarity told of two texts that are not the same: below CrewAI's threshold of consolidation, .85,
where a language model merges or deletes records. What supersedes what the memory knows by itself, and keeps both."""


class AIMStorage:
    """A ``StorageBackend``: a record is a memory of one namespace, whatever its scope. Safe to share between threads.

    CrewAI searches by the embedding of a text, this memory by the text: ``embedder`` stands for a text by a digest of
    it, and ``search`` asks for the text that the digest stands for. So CrewAI's ``Memory`` is given both.

    Args:
        memory: A ``Client`` or an ``AIMMemory``. It stays open when CrewAI's memory is closed.
        namespace: Whose records.
    """

    def __init__(self, memory: Memory, *, namespace: str) -> None:
        self._memory = memory
        self._namespace = namespace
        self.embedder = TextKeys()

    # --- writing ---------------------------------------------------------------------------------------------------

    def save(self, records: list[MemoryRecord]) -> None:
        """Many to a commit; what is there already is edited. Raises InvalidInputError for those refused."""
        held = {record.id for record in records if self.get_record(record.id) is not None}
        for record in records:
            if record.id in held:
                self.update(record)
        for batch in batches(_item(record) for record in records if record.id not in held):
            kept(self._memory.write(namespace=self._namespace, memories=batch))

    def update(self, record: MemoryRecord) -> None:
        item = _item(record)
        try:
            self._memory.update(str(item.id), namespace=self._namespace, text=item.text, metadata=item.metadata)
        except NotFoundError:
            self._memory.write(namespace=self._namespace, memories=[item])

    def delete(
        self,
        scope_prefix: str | None = None,
        categories: list[str] | None = None,
        record_ids: list[str] | None = None,
        older_than: datetime | None = None,
        metadata_filter: dict[str, Any] | None = None,
    ) -> int:
        """How many were deleted. Only what came through CrewAI is."""
        doomed = [
            record
            for record in self._records(scope_prefix, categories, metadata_filter)
            if (record_ids is None or record.id in record_ids)
            and (older_than is None or _moment(record.created_at) < _moment(older_than))
        ]
        return sum(self._deleted(record.id) for record in doomed)

    def reset(self, scope_prefix: str | None = None) -> None:
        self.delete(scope_prefix)

    # --- reading ---------------------------------------------------------------------------------------------------

    def search(
        self,
        query_embedding: list[float],
        scope_prefix: str | None = None,
        categories: list[str] | None = None,
        metadata_filter: dict[str, Any] | None = None,
        limit: int = 10,
        min_score: float = 0.0,
    ) -> list[tuple[MemoryRecord, float]]:
        """Records, best first, with a similarity from 0 to 1. Without a scope also what came through other doors.

        Raises InvalidInputError for an embedding that is not of ``embedder``.
        """
        text = self.embedder.text_of(query_embedding)
        reply = self._memory.query(
            asked(text),
            namespace=self._namespace,
            top_k=min(limit, MOST_RANKED),
            filters=_filter(scope_prefix, categories, metadata_filter),
        )
        found = [(_record(hit), _similarity(hit, text)) for hit in reply.results]
        return [(record, score) for record, score in found if score >= min_score]

    def get_record(self, record_id: str) -> MemoryRecord | None:
        try:
            return _record(self._memory.get(safe_id(record_id), namespace=self._namespace))
        except NotFoundError:
            return None

    def list_records(self, scope_prefix: str | None = None, limit: int = 200, offset: int = 0) -> list[MemoryRecord]:
        """Newest first."""
        newest = sorted(self._records(scope_prefix), key=lambda record: _moment(record.created_at), reverse=True)
        return newest[offset : offset + limit]

    def get_scope_info(self, scope: str) -> ScopeInfo:
        records = list(self._records(scope))
        moments = [record.created_at for record in records]
        return ScopeInfo(
            path=scope,
            record_count=len(records),
            categories=sorted({category for record in records for category in record.categories}),
            oldest_record=min(moments, key=_moment, default=None),
            newest_record=max(moments, key=_moment, default=None),
            child_scopes=_children(scope, records),
        )

    def list_scopes(self, parent: str = ROOT) -> list[str]:
        return _children(parent, self._records(parent))

    def list_categories(self, scope_prefix: str | None = None) -> dict[str, int]:
        return dict(Counter(category for record in self._records(scope_prefix) for category in record.categories))

    def count(self, scope_prefix: str | None = None) -> int:
        return sum(1 for _ in self._records(scope_prefix))

    # --- awaited ---------------------------------------------------------------------------------------------------

    asave = on_a_thread(save)
    asearch = on_a_thread(search)
    adelete = on_a_thread(delete)

    def _records(
        self,
        scope: str | None = None,
        categories: list[str] | None = None,
        metadata_filter: dict[str, Any] | None = None,
    ) -> Iterator[MemoryRecord]:
        """What came through CrewAI, in the order of writing."""
        own = {"source": {"eq": OWN}}
        narrowed = _filter(scope, categories, metadata_filter)
        filters = {"and": [own, narrowed]} if narrowed else own
        cursor: str | None = None
        while True:
            page = self._memory.list(namespace=self._namespace, filters=filters, limit=PAGE, cursor=cursor)
            yield from map(_record, page.items)
            if (cursor := page.next_cursor) is None:
                return

    def _deleted(self, record_id: str) -> int:
        with suppress(NotFoundError):  # somebody else was faster
            return self._memory.delete(safe_id(record_id), namespace=self._namespace).deleted
        return 0


class TextKeys:
    """Stands for an embedder: texts as vectors of their digests, and which text a vector stands for.

    The last ``most`` texts are known; CrewAI searches for a text right after it has embedded it.
    """

    def __init__(self, most: int = 4096) -> None:
        self._most = most
        self._texts: OrderedDict[tuple[float, ...], str] = OrderedDict()
        self._lock = Lock()

    def __call__(self, input: Sequence[str]) -> list[list[float]]:  # noqa: A002  CrewAI's word
        """A unit vector of 16 numbers for each text; equal for equal texts, and nearly at right angles for others."""
        keys = [_key(text) for text in input]
        with self._lock:
            for key, text in zip(keys, input, strict=True):
                self._texts[key] = text
                self._texts.move_to_end(key)
            while len(self._texts) > self._most:
                self._texts.popitem(last=False)
        return [list(key) for key in keys]

    def text_of(self, vector: Iterable[float]) -> str:
        with self._lock:
            text = self._texts.get(tuple(vector))
        if text is None:
            raise InvalidInputError(
                "This embedding is not of the storage's embedder: Memory(embedder=storage.embedder)."
            )
        return text


def _key(text: str) -> tuple[float, ...]:
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    numbers = [int.from_bytes(digest[at : at + 2], "big") - 32767.5 for at in range(0, 32, 2)]
    length = math.hypot(*numbers)
    return tuple(number / length for number in numbers)


def _item(record: MemoryRecord) -> MemoryItem:
    """Its content is the text; the rest lies in the metadata, with every scope that it is in."""
    rest = record.model_dump(mode="json", exclude={"content", "embedding"})
    _, metadata = pack(OWN, rest, record.content, scopes=_scopes(record.scope))
    if metadata[OWN].get("whole"):
        raise InvalidInputError(f"Record {record.id}: all that is not its content may have 14 KiB as JSON.")
    return MemoryItem(
        id=safe_id(record.id),
        text=record.content,
        metadata=metadata,
        timestamp=_moment(record.created_at),
        source=OWN,
    )


def _record(held: MemoryView | Hit) -> MemoryRecord:
    """A record; of a memory that came through another door the text and when it was said."""
    own = held.metadata.get(OWN)
    if not isinstance(own, Mapping) or "scopes" not in own:
        naive = held.timestamp.astimezone(UTC).replace(tzinfo=None)
        return MemoryRecord(id=held.id, content=held.text, created_at=naive, last_accessed=naive)
    return MemoryRecord.model_validate({**unpack(OWN, held), "content": held.text})


def _similarity(hit: Hit, text: str) -> float:
    """CrewAI's weights expect 0 to 1; a score of the memory has no bounds."""
    return 1.0 if hit.text.strip() == text.strip() else MOST_ALIKE / (1 + math.exp(-hit.score))


def _filter(
    scope: str | None, categories: Sequence[str] | None, metadata_filter: Mapping[str, Any] | None
) -> Filter | None:
    """Records in a scope or below it, of any of the categories, with all of the metadata."""
    at = f"metadata.{OWN}"
    conditions: list[Filter] = []
    if scope is not None and _path(scope) != ROOT:
        conditions.append({f"{at}.scopes": {"contains": _path(scope)}})
    if categories:
        conditions.append({"or": [{f"{at}.value.categories": {"contains": category}} for category in categories]})
    conditions += [{f"{at}.value.metadata.{key}": {"eq": value}} for key, value in (metadata_filter or {}).items()]
    return {"and": conditions} if conditions else None


def _path(scope: str) -> str:
    return ROOT + scope.strip(ROOT)


def _scopes(scope: str) -> list[str]:
    """A scope and all above it: "/a/b" is in "/a/b", "/a" and "/"."""
    parts = [part for part in scope.split(ROOT) if part]
    return [ROOT + ROOT.join(parts[:length]) for length in range(len(parts) + 1)]


def _children(parent: str, records: Iterable[MemoryRecord]) -> list[str]:
    depth = len(_scopes(parent))
    return sorted({scopes[depth] for record in records if len(scopes := _scopes(record.scope)) > depth})


def _moment(moment: datetime) -> datetime:
    """CrewAI's are in UTC, and do not say so."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
