"""The store's twin in memory: the same promises without a disk. For tests, and for trying things out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from aim_memory.errors import NotFoundError, StorageBusyError, StorageError
from aim_memory.ports import Clock, MemoryStore
from aim_memory.storage.fair_lock import FairLock
from aim_memory.storage.memory_jobs import InMemoryJobs
from aim_memory.storage.memory_space import Contents, Kept, frozen, read_memory, read_row, unsigned
from aim_memory.storage.memory_unit_of_work import InMemoryUnitOfWork, Replies
from aim_memory.types import (
    ApiKey,
    AuditEntry,
    Change,
    ChosenEmbedder,
    Head,
    IndexRow,
    SessionState,
    Space,
    StoredMemory,
    TokenBits,
    Version,
)

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)
_NOWHERE = Contents(0)
_Located = tuple[Space, str]


class InMemoryStore(MemoryStore):
    """Commits replace whole namespaces, so readers need no lock: what they hold never changes."""

    local = True

    def __init__(self, clock: Clock, generation: str | None, *, busy_timeout_s: float = 10.0) -> None:
        """As ``SqlStore``, without a URL."""
        self._clock = clock
        self._generation = generation
        self._busy_timeout_s = busy_timeout_s
        self._turn = FairLock()
        self._epoch = 0
        self._spaces: dict[Space, Contents] = {}
        self._replies: Replies = {}
        self._sessions: dict[Space, dict[str, SessionState]] = {}
        self._uses: dict[Space, dict[str, float]] = {}
        self._keys: dict[str, tuple[ApiKey, str]] = {}
        self._audit: list[AuditEntry] = []
        self._jobs = InMemoryJobs()
        self._chosen: list[ChosenEmbedder] = []

    @contextmanager
    def begin(self, space: Space) -> Iterator[InMemoryUnitOfWork]:
        with self._writing():
            known = self._spaces.get(space)
            contents = Contents(self._epoch + 1) if known is None else known.copy()

            def publish(changed: Contents, replies: Replies) -> None:
                self._epoch = max(self._epoch, changed.epoch)
                self._spaces = {**self._spaces, space: changed.copy()}
                self._replies = replies
                self._uses[space] = {
                    id_: amount for id_, amount in self._uses.get(space, {}).items() if id_ in changed.kept
                }

            yield InMemoryUnitOfWork(space.tenant, contents, self._replies, self._generation, self._clock, publish)

    @contextmanager
    def together(self) -> Iterator[Callable[[Space], AbstractContextManager[InMemoryUnitOfWork]]]:
        yield self.begin

    @contextmanager
    def _writing(self) -> Iterator[None]:
        if not self._turn.acquire(self._busy_timeout_s):
            raise StorageBusyError
        try:
            yield
        finally:
            self._turn.release()

    def _contents(self, space: Space) -> Contents:
        return self._spaces.get(space, _NOWHERE)

    # --- following -------------------------------------------------------------------------------------------------

    def head(self, space: Space) -> Head | None:
        known = self._spaces.get(space)
        return None if known is None else known.head

    def changes(self, space: Space, after: int, limit: int = 1000) -> Sequence[Change]:
        return self._contents(space).changes[max(after, 0) :][:limit]

    def index_rows(self, space: Space, ids: Sequence[str]) -> Sequence[IndexRow]:
        wanted = set(ids)
        return self._rows(space, (kept for id_, kept in self._contents(space).kept.items() if id_ in wanted))

    def snapshot(self, space: Space) -> tuple[Head, Sequence[IndexRow]]:
        contents = self._contents(space)
        return contents.head, [unsigned(row) for row in self._rows(space, contents.kept.values())]

    def _rows(self, space: Space, kept: Iterable[Kept]) -> list[IndexRow]:
        uses = self._uses.get(space, {})
        return [read_row(one, uses.get(one.memory.id, 0.0), self._generation) for one in kept]

    def signs(self, space: Space, ids: Sequence[str]) -> Mapping[str, Sequence[TokenBits]]:
        kept = self._contents(space).kept
        known = {id_: kept[id_].seen_by(self._generation) or () for id_ in ids if id_ in kept}
        found = {id_: [own.tokens for own in seen if own.tokens is not None] for id_, seen in known.items()}
        return {id_: [signs for signs in own if len(signs)] for id_, own in found.items() if any(map(len, own))}

    def matching(self, space: Space, terms: Sequence[str], limit: int) -> Sequence[str]:
        most = {
            id_: max((sum(term in segment.terms for term in terms) for segment in kept.segments), default=0)
            for id_, kept in self._contents(space).kept.items()
        }
        found = sorted((id_ for id_, count in most.items() if count), key=lambda id_: (most[id_], id_), reverse=True)
        return found[:limit]

    # --- looking up ------------------------------------------------------------------------------------------------

    def get(self, space: Space, ids: Sequence[str]) -> Mapping[str, StoredMemory]:
        kept = self._contents(space).kept
        return {id_: read_memory(kept[id_], self._generation) for id_ in dict.fromkeys(ids) if id_ in kept}

    def page(self, space: Space, after: int, limit: int, now: datetime) -> Sequence[str]:
        held = [kept.memory for kept in self._contents(space).kept.values()]
        shown = [one for one in held if one.ordinal > after and (one.expires_at is None or one.expires_at > now)]
        return [one.id for one in sorted(shown, key=lambda one: one.ordinal)[:limit]]

    def unread(self, space: Space, after: int, limit: int) -> Sequence[str]:
        return [kept.memory.id for kept in self._unread(space) if kept.memory.ordinal > after][:limit]

    def count_unread(self, space: Space) -> int:
        return len(self._unread(space))

    def with_unread(self) -> Sequence[Space]:
        return [space for space in self._spaces if self._unread(space)]

    def _unread(self, space: Space) -> list[Kept]:
        kept = self._contents(space).kept.values()
        own = [one for one in kept if not one.read and one.memory.trust != "derived"]
        return sorted(own, key=lambda one: one.memory.ordinal)

    def derivatives(self, space: Space, ids: Sequence[str]) -> Sequence[str]:
        return self._contents(space).derivatives(ids)

    def locate(self, tenant: str, memory_id: str) -> Space | None:
        found = [space for space, own in self._spaces.items() if space.tenant == tenant and memory_id in own.kept]
        return found[0] if len(found) == 1 else None

    def history(self, space: Space, memory_id: str) -> Sequence[Version]:
        kept = self._contents(space).kept.get(memory_id)
        return [] if kept is None else [*kept.earlier, kept.present]

    def evidence(self, space: Space, memory_id: str) -> tuple[str, int, int] | None:
        kept = self._contents(space).kept.get(memory_id)
        return None if kept is None else (kept.memory.text, 0, len(kept.memory.text))

    def pending(self, limit: int, generation: str | None = None) -> Sequence[tuple[Space, str]]:
        return _first(self._waiting(generation), lambda memory: memory.created_at, limit)

    def count_pending(self, generation: str | None = None) -> int:
        return len(self._waiting(generation))

    def _waiting(self, generation: str | None) -> list[tuple[Space, Kept]]:
        return [one for one in self._all() if one[1].waits_for(generation or self._generation)]

    def prunable(self, limit: int, generation: str) -> Sequence[tuple[Space, str]]:
        return self._prunable(generation)[:limit]

    def count_prunable(self, generation: str) -> int:
        return len(self._prunable(generation))

    def _prunable(self, generation: str) -> list[_Located]:
        return [(space, kept.memory.id) for space, kept in self._all() if kept.spare and kept.seen_by(generation)]

    def expired(self, now: datetime, limit: int) -> Sequence[tuple[Space, str]]:
        due = [one for one in self._all() if (one[1].memory.expires_at or _NEVER) <= now]
        return _first(due, lambda memory: memory.expires_at or _NEVER, limit)

    def _all(self) -> list[tuple[Space, Kept]]:
        return [(space, kept) for space, own in self._spaces.items() for kept in own.kept.values()]

    def namespaces(self, tenant: str, after: str | None = None, limit: int = 200) -> Sequence[tuple[str, Head, int]]:
        own = {space.namespace: held for space, held in self._spaces.items() if space.tenant == tenant}
        later = sorted(name for name in own if after is None or name > after)
        return [(name, own[name].head, len(own[name].kept)) for name in later[:limit]]

    def erase(self, space: Space) -> Mapping[str, int]:
        with self._writing():
            if space not in self._spaces:
                raise NotFoundError(f"There is no namespace '{space.namespace}' here.")
            gone = self._spaces[space]
            erased = {**_amounts(gone), "sessions": len(self._sessions.get(space, {}))}
            erased |= {"uses": len(self._uses.get(space, {}))}
            others = {at: kept for at, kept in self._replies.items() if kept.epoch != gone.epoch}
            erased |= {"idempotency": len(self._replies) - len(others)}
            self._replies = others
            self._spaces = {other: held for other, held in self._spaces.items() if other != space}
            self._sessions.pop(space, None)
            self._uses.pop(space, None)
            self._jobs.forget_namespace(space)
        return erased

    # --- written behind --------------------------------------------------------------------------------------------

    def amounts(self, tenant: str, namespace: str | None = None) -> Mapping[str, int]:
        spaces = {space: own for space, own in self._spaces.items() if space.tenant == tenant}
        spaces = {space: own for space, own in spaces.items() if namespace in (None, space.namespace)}
        epochs = {own.epoch for own in spaces.values()}
        found = Counter({"namespaces": len(spaces), **_amounts(_NOWHERE), "sessions": 0, "uses": 0})
        for space, own in spaces.items():
            found.update(_amounts(own))
            found["sessions"] += len(self._sessions.get(space, {}))
            found["uses"] += len(self._uses.get(space, {}))
        found["idempotency"] = sum(kept.epoch in epochs for kept in self._replies.values())
        return dict(found)

    def load_session(self, space: Space, session_id: str) -> SessionState | None:
        return self._sessions.get(space, {}).get(session_id)

    def save_session(self, space: Space, session_id: str, state: SessionState) -> bool:
        with self._writing():
            known = self.load_session(space, session_id)
            contents = self._spaces.get(space)
            if contents is None or state.epoch not in (0, contents.epoch):
                return False
            if state.stored if known is None else known.turns > state.turns:
                return False
            kept = replace(state, direction=frozen(state.direction), drift=frozen(state.drift))
            kept = replace(kept, epoch=contents.epoch, stored=True)
            self._sessions.setdefault(space, {})[session_id] = kept
            return True

    def delete_session(self, space: Space, session_id: str) -> bool:
        with self._writing():
            return self._sessions.get(space, {}).pop(session_id, None) is not None

    def sessions(self, space: Space, limit: int = 200) -> Sequence[tuple[str, SessionState]]:
        with self._writing():
            by_id = sorted(self._sessions.get(space, {}).items())
        return sorted(by_id, key=lambda one: one[1].updated_at or _LONG_AGO, reverse=True)[:limit]

    def reinforce(self, space: Space, amounts: Mapping[str, float]) -> None:
        with self._writing():
            known = self._contents(space).kept
            uses = dict(self._uses.get(space, {}))
            for memory_id in amounts.keys() & known.keys():
                uses[memory_id] = uses.get(memory_id, 0.0) + amounts[memory_id]
            self._uses[space] = uses

    def uses(self, space: Space) -> Mapping[str, float]:
        return {memory_id: amount for memory_id, amount in self._uses.get(space, {}).items() if amount}

    # --- embedders -------------------------------------------------------------------------------------------------

    def use(self, generation: str | None) -> None:
        self._generation = generation

    def generations(self) -> Sequence[str]:
        return sorted({name for _, kept in self._all() for name in (kept.generation, *kept.spare) if name})

    def choose_embedder(self, chosen: ChosenEmbedder, now: datetime) -> None:
        with self._writing():
            before = [other for other in self._chosen if other.generation != chosen.generation]
            self._chosen = [*before, chosen]

    def chosen_embedders(self) -> Sequence[ChosenEmbedder]:
        return self._chosen[::-1]

    def unchoose_embedder(self) -> None:
        with self._writing():
            self._chosen = self._chosen[:-1]

    # --- keys ------------------------------------------------------------------------------------------------------

    def add_key(self, key: ApiKey, secret_hash: str) -> None:
        with self._writing():
            if key.id in self._keys or self.find_key(secret_hash) is not None:
                raise StorageError(f"A key with the id '{key.id}' or with the same secret exists already.")
            self._keys[key.id] = (key, secret_hash)

    def find_key(self, secret_hash: str) -> ApiKey | None:
        return next((key for key, known in list(self._keys.values()) if known == secret_hash), None)

    def keys(self, tenant: str | None = None) -> Sequence[ApiKey]:
        own = [key for key, _ in list(self._keys.values()) if tenant in (None, key.tenant)]
        return sorted(own, key=lambda key: (key.created_at, key.id))

    def revoke_key(self, key_id: str, now: datetime) -> bool:
        with self._writing():
            key, secret_hash = self._keys.get(key_id, (None, ""))
            if key is None or key.revoked_at is not None:
                return False
            self._keys[key_id] = (replace(key, revoked_at=now), secret_hash)
            return True

    def note(self, entry: AuditEntry) -> None:
        with self._writing():
            self._audit.append(replace(entry, id=len(self._audit) + 1))

    def noted(self, tenant: str | None = None, before: int | None = None, limit: int = 50) -> Sequence[AuditEntry]:
        own = [entry for entry in self._audit if tenant in (None, entry.tenant)]
        return [entry for entry in reversed(own) if before is None or entry.id < before][:limit]

    @property
    def jobs(self) -> InMemoryJobs:
        return self._jobs

    # --- the whole -------------------------------------------------------------------------------------------------

    def check(self) -> Mapping[str, Any]:
        spaces = self._spaces
        memories = sum(len(own.kept) for own in spaces.values())
        return {"database": "memory", "namespaces": len(spaces), "memories": memories}

    def close(self) -> None:
        """Nothing is held open."""


def _first(found: list[tuple[Space, Kept]], age: Callable[[StoredMemory], datetime], limit: int) -> list[_Located]:
    """The earliest by ``age``; among equals as they came."""
    found.sort(key=lambda one: (age(one[1].memory), one[1].memory.ordinal))
    return [(space, kept.memory.id) for space, kept in found[:limit]]


def _amounts(contents: Contents) -> dict[str, int]:
    """How much of each kind a namespace holds."""
    kept = contents.kept.values()
    texts = {version.text for one in kept for version in (*one.earlier, one.present)}
    return {
        "memories": len(kept),
        "segments": sum(len(one.segments) for one in kept),
        "statements": sum(len(one.statements) for one in kept),
        "derivations": sum(len(one.memory.derived_from) for one in kept),
        "versions": sum(len(one.earlier) for one in kept),
        "evidence": len(texts),
        "changes": len(contents.changes),
    }
