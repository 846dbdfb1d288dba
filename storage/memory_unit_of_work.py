"""One transaction on one namespace, in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from aim_memory.errors import IdempotencyError
from aim_memory.ports import Clock, UnitOfWork
from aim_memory.storage.memory_space import Contents, Kept, embedded, kept_from, read_memory
from aim_memory.storage.rules import (
    REPLIES_KEPT,
    agrees,
    inheritance,
    kind_of_update,
    misfit,
    missing,
    refuse_repeated,
    says_the_same,
    states_the_same,
    validity_end,
)
from aim_memory.types import (
    Head,
    NewMemory,
    StoredMemory,
    StoredStatement,
    Supersession,
    TokenBits,
    Vectors,
)


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply under an idempotency key."""

    fingerprint: str
    body: bytes
    created_at: datetime
    epoch: int
    """Of the namespace it was given for; goes with it."""


Replies = dict[tuple[str, str], Reply]


class InMemoryUnitOfWork(UnitOfWork):
    """Works on copies of a namespace and of the replies; ``publish`` puts them in place."""

    def __init__(
        self,
        tenant: str,
        contents: Contents,
        replies: Replies,
        generation: str | None,
        clock: Clock,
        publish: Callable[[Contents, Replies], None],
    ) -> None:
        self._tenant = tenant
        self._contents = contents
        self._replies = replies
        self._generation = generation
        self._clock = clock
        self._publish = publish

    @property
    def head(self) -> Head:
        return self._contents.head

    def commit(self) -> Head:
        self._publish(self._contents, self._replies)
        return self.head

    # --- idempotency -----------------------------------------------------------------------------------------------

    def replay(self, key: str, fingerprint: str) -> bytes | None:
        known = self._replies.get((self._tenant, key))
        if known is not None and known.fingerprint != fingerprint:
            raise IdempotencyError
        return None if known is None else known.body

    def keep_reply(self, key: str, fingerprint: str, reply: bytes, now: datetime) -> None:
        fresh = {at: kept for at, kept in self._replies.items() if kept.created_at >= now - REPLIES_KEPT}
        self._replies = {**fresh, (self._tenant, key): Reply(fingerprint, reply, now, self._contents.epoch)}

    # --- reading ---------------------------------------------------------------------------------------------------

    def existing(self, ids: Sequence[str]) -> Mapping[str, StoredMemory]:
        return {id_: read_memory(self._contents.kept[id_], self._generation) for id_ in self._known(ids)}

    def repeat_of(self, session_id: str | None, digest: str, since: datetime) -> str | None:
        for kept in reversed(self._contents.kept.values()):
            memory = kept.memory
            if (memory.session_id, memory.digest) == (session_id, digest) and memory.created_at >= since:
                return memory.id
        return None

    def statements(self, keys: Sequence[tuple[str, str]]) -> Sequence[StoredStatement]:
        made = [one for kept in self._contents.kept.values() for one in kept.statements]
        wanted = [one for one in made if (one.statement.subject, one.statement.attribute) in set(keys)]
        return sorted(wanted, key=lambda one: (one.event_time, one.ordinal))

    # --- writing ---------------------------------------------------------------------------------------------------

    def insert(self, memories: Sequence[NewMemory]) -> Mapping[str, int]:
        ids = [memory.id for memory in memories]
        refuse_repeated(ids, self._contents.kept)
        for origin in (origin for memory in memories for origin in memory.derived_from):
            if origin not in self._contents.kept and origin not in ids:
                raise missing(origin)
        ordinals = {memory.id: self._contents.ordinal + i for i, memory in enumerate(memories, 1)}
        self._contents.ordinal += len(memories)
        for memory in memories:
            self._contents.kept[memory.id] = kept_from(memory, ordinals[memory.id])
        self._contents.log("write", list(ordinals))
        return ordinals

    def update(self, memory: NewMemory, now: datetime) -> StoredMemory:
        old = self._required(memory.id)
        kind = kind_of_update(old.memory, memory)
        born = replace(memory, created_at=old.memory.created_at)
        new = kept_from(born, old.memory.ordinal).following(old, kind, now)
        if states_the_same(old.memory, [made.statement for made in old.statements], memory):
            new = new.stated_as(old)
        else:
            self._withdraw([memory.id], now)
        same = says_the_same(old.memory, memory)
        origins = old.memory.derived_from
        self._mark(replace(new, memory=replace(new.memory, derived_from=origins), read=old.read and same))
        if not same:
            self.delete(self._contents.derivatives([memory.id]))
        return self.existing([memory.id])[memory.id]

    def supersede(self, supersessions: Sequence[Supersession]) -> None:
        for each in supersessions:
            if each.new_id not in self._contents.kept:
                raise missing(each.new_id)
        for each in supersessions:
            kept = self._contents.kept.get(each.old_id)
            for position, made in enumerate(kept.statements if kept else ()):
                if kept and made.statement == each.statement:
                    kept = self._contents.kept[each.old_id] = kept.closed(position, each.new_id, each.at)
        self._revalidate([each.old_id for each in supersessions])

    def delete(self, ids: Sequence[str]) -> int:
        asked = self._known(ids)
        derived = self._contents.derivatives(asked)
        gone = [*derived, *(memory_id for memory_id in asked if memory_id not in derived)]
        self._withdraw(gone, self._clock.now())
        for memory_id in gone:
            del self._contents.kept[memory_id]
        self._contents.log("delete", gone)
        return len(asked)

    def mark_read(self, ids: Sequence[str]) -> None:
        for memory_id in self._known(ids):
            self._contents.kept[memory_id] = replace(self._contents.kept[memory_id], read=True)

    def embed(
        self, memory_id: str, vectors: Vectors, generation: str, tokens: Sequence[TokenBits] | None = None
    ) -> None:
        kept = self._required(memory_id)
        if len(kept.segments) != len(vectors):
            raise misfit(memory_id, len(kept.segments), len(vectors))
        shown: Sequence[TokenBits | None] = tokens or [None] * len(vectors)
        views = zip(kept.segments, vectors, shown, strict=True)
        segments = tuple(embedded(segment, vector, signs) for segment, vector, signs in views)
        self._contents.kept[memory_id] = kept.embedded_by(generation, segments)
        self._contents.log("embed", [memory_id])

    def prune(self, ids: Sequence[str], generation: str) -> int:
        seen = {memory_id: self._contents.kept[memory_id].seen_by(generation) for memory_id in self._known(ids)}
        own = {memory_id: segments for memory_id, segments in seen.items() if segments is not None}
        for memory_id, segments in own.items():
            kept = self._contents.kept[memory_id]
            self._contents.kept[memory_id] = replace(kept, segments=segments, generation=generation, spare={})
        return len(own)

    # --- validity --------------------------------------------------------------------------------------------------

    def _withdraw(self, ids: Sequence[str], now: datetime) -> None:
        """Takes back what memories state: what they had closed is handed to who had closed them, or opens."""
        kept = self._contents.kept
        others = [stated for one in kept.values() if one.memory.id not in ids for stated in one.stated]
        closed = [stated for stated in others if stated.closed_by in ids]
        gone = {memory_id: kept[memory_id].stated for memory_id in ids}
        for stated in closed:
            heir = inheritance(stated, gone)
            by, at = (None, None) if heir is None or agrees(stated, kept[heir[0]].stated) else heir
            kept[stated.memory_id] = kept[stated.memory_id].closed(stated.position, by, at)
        self._revalidate([stated.memory_id for stated in closed], now)

    def _revalidate(self, ids: Iterable[str], now: datetime | None = None) -> None:
        """Supersedes memories whose last statement was closed, reopens those that have an open one again (``now``)."""
        present = [self._contents.kept[id_] for id_ in dict.fromkeys(ids) if id_ in self._contents.kept]
        for kept in sorted(present, key=lambda kept: kept.memory.ordinal):
            end = validity_end(self._contents.closings(kept.memory.id))
            ended = (kept.memory.superseded_by, kept.memory.valid_until)
            if end is None and ended != (None, None):
                self._mark(kept.next("reopen", now or self._clock.now(), superseded_by=None, valid_until=None))
            elif end is not None and ended != (end.by, end.at):
                at = now or max(kept.memory.updated_at, end.known_at)
                self._mark(kept.next("supersede", at, superseded_by=end.by, valid_until=end.at))

    def _mark(self, kept: Kept) -> None:
        self._contents.kept[kept.memory.id] = kept
        self._contents.log(kept.kind, [kept.memory.id])

    def _known(self, ids: Sequence[str]) -> list[str]:
        return [memory_id for memory_id in dict.fromkeys(ids) if memory_id in self._contents.kept]

    def _required(self, memory_id: str) -> Kept:
        if memory_id not in self._contents.kept:
            raise missing(memory_id)
        return self._contents.kept[memory_id]
