"""The truth in SQL: SQLite in a folder, or PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aim_memory.errors import NotFoundError
from aim_memory.ports import Clock, MemoryStore
from aim_memory.storage import audit, keys, lookups, reading, schema, sessions, tables, wall
from aim_memory.storage.database import Database
from aim_memory.storage.generations import Generations
from aim_memory.storage.jobs import SqlJobs, forget_namespace
from aim_memory.storage.recent import RecentMemories
from aim_memory.storage.unit_of_work import SqlUnitOfWork
from aim_memory.storage.wall import EVERY_TENANT
from aim_memory.storage.write_line import LARGEST
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

_SCRUB_PATIENCE_S = 0.1  # a commit does not wait long for others' reading; the next one tries again
_Opens: TypeAlias = Callable[[wall.Whose], AbstractContextManager[tuple[Connection, Callable[[], None]]]]
_ERASED = (
    "memories",
    "segments",
    "statements",
    "derivations",
    "versions",
    "evidence",
    "uses",
    "sessions",
    "changes",
    "idempotency",
)


class SqlStore(MemoryStore):
    """A MemoryStore over a Database. A namespace's epoch is its row's id, which is never given twice."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        generation: str | None,
        *,
        busy_timeout_s: float = 10.0,
        partitions: int = schema.PARTITIONS,
        shared_by: int = LARGEST,
        forget: Callable[[int], None] = lambda epoch: None,
    ) -> None:
        """Opens the store and brings its schema up to date.

        Args:
            url: SQLAlchemy URL; SQLite needs a file.
            clock: Times what callers do not time.
            generation: The embedder generation whose vectors are handed out; memories without such vectors are
                pending. None when no embedder is at hand: then no vectors are handed out.
            busy_timeout_s: How long a writer waits for its turn.
            partitions: Of each large table, if this call makes the tables, on PostgreSQL.
            shared_by: How many writers may share one synced commit, on SQLite.
            forget: Told the epoch of a namespace of which something was erased, before whoever erased it is told so.
        """
        self._forget = forget
        self._database = Database(url, busy_timeout_s, shared_by=shared_by)
        self.local = self._database.is_sqlite
        schema.ensure(self._database, partitions)
        self._clock = clock
        self._generations = Generations(self._database, generation)
        self._recent = RecentMemories()
        self._jobs = SqlJobs(self._database)

    @contextmanager
    def begin(self, space: Space) -> Iterator[SqlUnitOfWork]:
        with self._work(self._database.unit, space) as work:
            yield work
        self._clear_away([work])

    @contextmanager
    def together(self) -> Iterator[Callable[[Space], AbstractContextManager[SqlUnitOfWork]]]:
        works: list[SqlUnitOfWork] = []

        @contextmanager
        def begin(space: Space) -> Iterator[SqlUnitOfWork]:
            with self._work(unit, space) as work:
                works.append(work)
                yield work

        with self._database.units() as unit:
            yield begin
        self._clear_away(works)

    @contextmanager
    def _work(self, unit: _Opens, space: Space) -> Iterator[SqlUnitOfWork]:
        with unit(space.tenant) as (connection, commit):
            yield SqlUnitOfWork(connection, commit, space, self._generations, self._clock)

    def _clear_away(self, works: Sequence[SqlUnitOfWork]) -> None:
        """After the commit: what may still hold bytes of what it erased."""
        committed = [work for work in works if work.committed]
        erased = [work for work in committed if work.erased]
        for work in erased:
            self._forget(work.head.epoch)
        if erased or (committed and self._database.owes_scrub):
            self._database.scrub(_SCRUB_PATIENCE_S)

    # --- following -------------------------------------------------------------------------------------------------

    def head(self, space: Space) -> Head | None:
        return lookups.find_head(self._look(space), space)

    def changes(self, space: Space, after: int, limit: int = 1000) -> Sequence[Change]:
        with self._inside(space) as (connection, namespace):
            return reading.read_changes(connection, namespace, after, limit)

    def index_rows(self, space: Space, ids: Sequence[str]) -> Sequence[IndexRow]:
        with self._inside(space) as (connection, namespace):
            return reading.read_index_rows(connection, namespace, ids, self._generations.current_id)

    def snapshot(self, space: Space) -> tuple[Head, Sequence[IndexRow]]:
        with self._database.reading(space.tenant) as connection:
            head = reading.find_namespace(connection, space)
            if head is None:
                return Head(0, 0, 0), []
            return head, reading.read_index_rows(connection, head.epoch, None, self._generations.current_id)

    def signs(self, space: Space, ids: Sequence[str]) -> Mapping[str, Sequence[TokenBits]]:
        return lookups.find_signs(self._look(space), space, ids, self._generations.current_id)

    def matching(self, space: Space, terms: Sequence[str], limit: int) -> Sequence[str]:
        with self._inside(space) as (connection, namespace):
            return reading.read_matching(connection, namespace, terms, limit)

    # --- looking up ------------------------------------------------------------------------------------------------

    def get(self, space: Space, ids: Sequence[str]) -> Mapping[str, StoredMemory]:
        head = lookups.find_head(self._look(space), space)
        if head is None:
            return {}
        known = self._recent.held(head, ids, lambda after: self.changes(space, after))
        if len(known) < len(set(ids)):
            known = self._read_more(space, head, ids, known)
        return {memory_id: known[memory_id] for memory_id in ids if memory_id in known}

    def _read_more(
        self, space: Space, head: Head, ids: Sequence[str], known: Mapping[str, StoredMemory]
    ) -> dict[str, StoredMemory]:
        """What is known already, and the rest from the database, held for the next time."""
        missing = [memory_id for memory_id in ids if memory_id not in known]
        found = lookups.find_memories(self._look(space), head.epoch, missing, self._generations.current_id)
        self._recent.hold(head, found)
        return {**known, **found}

    def page(self, space: Space, after: int, limit: int, now: datetime) -> Sequence[str]:
        with self._inside(space) as (connection, namespace):
            return reading.read_page(connection, namespace, after, limit, now)

    def unread(self, space: Space, after: int, limit: int) -> Sequence[str]:
        with self._inside(space) as (connection, namespace):
            return reading.read_unread(connection, namespace, after, limit)

    def count_unread(self, space: Space) -> int:
        with self._inside(space) as (connection, namespace):
            return reading.count_unread(connection, namespace)

    def with_unread(self) -> Sequence[Space]:
        with self._database.reading(EVERY_TENANT) as connection:
            return reading.read_spaces_with_unread(connection)

    def derivatives(self, space: Space, ids: Sequence[str]) -> Sequence[str]:
        with self._inside(space) as (connection, namespace):
            return reading.read_derivatives(connection, namespace, ids)

    def locate(self, tenant: str, memory_id: str) -> Space | None:
        n, m = tables.namespaces.c, tables.memories.c
        query = sa.select(n.path).join(tables.memories, m.namespace_id == n.id)
        with self._database.reading(tenant) as connection:
            paths = connection.scalars(query.where(n.tenant == tenant, m.id == memory_id).limit(2)).all()
        return Space(tenant, paths[0]) if len(paths) == 1 else None

    def history(self, space: Space, memory_id: str) -> Sequence[Version]:
        with self._inside(space) as (connection, namespace):
            return reading.read_history(connection, namespace, memory_id)

    def evidence(self, space: Space, memory_id: str) -> tuple[str, int, int] | None:
        with self._inside(space) as (connection, namespace):
            return reading.read_evidence(connection, namespace, memory_id)

    def pending(self, limit: int, generation: str | None = None) -> Sequence[tuple[Space, str]]:
        number = self._number(generation)
        with self._database.reading(EVERY_TENANT) as connection:
            return reading.read_pending(connection, number, limit)

    def count_pending(self, generation: str | None = None) -> int:
        number = self._number(generation)
        with self._database.reading(EVERY_TENANT) as connection:
            return reading.count_pending(connection, number)

    def prunable(self, limit: int, generation: str) -> Sequence[tuple[Space, str]]:
        number = self._generations.known(generation)
        with self._database.reading(EVERY_TENANT) as connection:
            return reading.read_prunable(connection, number, limit)

    def count_prunable(self, generation: str) -> int:
        number = self._generations.known(generation)
        with self._database.reading(EVERY_TENANT) as connection:
            return reading.count_prunable(connection, number)

    def _number(self, generation: str | None) -> int | None:
        return self._generations.current_id if generation is None else self._generations.known(generation)

    def expired(self, now: datetime, limit: int) -> Sequence[tuple[Space, str]]:
        with self._database.reading(EVERY_TENANT) as connection:
            return reading.read_expired(connection, now, limit)

    def namespaces(self, tenant: str, after: str | None = None, limit: int = 200) -> Sequence[tuple[str, Head, int]]:
        with self._database.reading(tenant) as connection:
            return reading.read_namespaces(connection, tenant, after, limit)

    def erase(self, space: Space) -> Mapping[str, int]:
        with self._database.writing(space.tenant) as connection:
            row = connection.execute(reading.namespace_of(space).with_for_update()).one_or_none()
            if row is None:
                raise NotFoundError(f"There is no namespace '{space.namespace}' here.")
            erased = {name: _count(connection, name, row.id) for name in _ERASED}
            _erase(connection, row.id)
            forget_namespace(connection, space)
        self._recent.forget(row.id)
        self._forget(row.id)
        self._database.scrub()
        return erased

    def amounts(self, tenant: str, namespace: str | None = None) -> Mapping[str, int]:
        n = tables.namespaces.c
        own = sa.select(n.id).where(n.tenant == tenant)
        own = own if namespace is None else own.where(n.path == namespace)
        with self._database.reading(tenant) as connection:
            found: dict[str, int] = {"namespaces": len(connection.scalars(own).all())}
            for name in _ERASED:
                rows = tables.metadata.tables[name]
                counted = sa.select(sa.func.count()).select_from(rows).where(rows.c.namespace_id.in_(own))
                found[name] = connection.execute(counted).scalar_one()
            return found

    # --- written behind --------------------------------------------------------------------------------------------

    def load_session(self, space: Space, session_id: str) -> SessionState | None:
        with self._inside(space) as (connection, namespace):
            return sessions.load(connection, namespace, session_id)

    def save_session(self, space: Space, session_id: str, state: SessionState) -> bool:
        with self._inside(space, relaxed=True) as (connection, namespace):
            return sessions.save(connection, namespace, session_id, state)

    def delete_session(self, space: Space, session_id: str) -> bool:
        with self._inside(space, relaxed=True) as (connection, namespace):
            return sessions.remove(connection, namespace, session_id)

    def sessions(self, space: Space, limit: int = 200) -> Sequence[tuple[str, SessionState]]:
        with self._inside(space) as (connection, namespace):
            return sessions.listed(connection, namespace, limit)

    def reinforce(self, space: Space, amounts: Mapping[str, float]) -> None:
        with self._inside(space, relaxed=True) as (connection, namespace):
            sessions.reinforce(connection, namespace, amounts)

    def uses(self, space: Space) -> Mapping[str, float]:
        with self._inside(space) as (connection, namespace):
            return sessions.used(connection, namespace)

    # --- embedders -------------------------------------------------------------------------------------------------

    def use(self, generation: str | None) -> None:
        self._generations.use(generation)
        self._recent = RecentMemories()

    def generations(self) -> Sequence[str]:
        return self._generations.names()

    def choose_embedder(self, chosen: ChosenEmbedder, now: datetime) -> None:
        self._generations.choose(chosen, now)

    def chosen_embedders(self) -> Sequence[ChosenEmbedder]:
        return self._generations.chosen()

    def unchoose_embedder(self) -> None:
        self._generations.unchoose()

    # --- keys ------------------------------------------------------------------------------------------------------

    def add_key(self, key: ApiKey, secret_hash: str) -> None:
        with self._database.writing(EVERY_TENANT) as connection:
            keys.add(connection, key, secret_hash)

    def find_key(self, secret_hash: str) -> ApiKey | None:
        found = self._database.all(keys.BY_SECRET, {"secret_hash": secret_hash}, EVERY_TENANT)
        return keys.as_driven(found[0]) if found else None

    def keys(self, tenant: str | None = None) -> Sequence[ApiKey]:
        if self._database.all(keys.FIRST, {}, EVERY_TENANT) == [(None,)]:
            return []  # a server without keys asks at every request
        with self._database.reading(EVERY_TENANT) as connection:
            return keys.listed(connection, tenant)

    def revoke_key(self, key_id: str, now: datetime) -> bool:
        with self._database.writing(EVERY_TENANT) as connection:
            return keys.revoke(connection, key_id, now)

    def note(self, entry: AuditEntry) -> None:
        with self._database.writing(EVERY_TENANT) as connection:
            audit.add(connection, entry)

    def noted(self, tenant: str | None = None, before: int | None = None, limit: int = 50) -> Sequence[AuditEntry]:
        with self._database.reading(EVERY_TENANT if tenant is None else tenant) as connection:
            return audit.listed(connection, tenant, before, limit)

    @property
    def jobs(self) -> SqlJobs:
        return self._jobs

    # --- the whole -------------------------------------------------------------------------------------------------

    def check(self) -> Mapping[str, Any]:
        owed, (commits, units) = self._database.owes_scrub, self._database.committed
        with self._database.reading(EVERY_TENANT) as connection:
            return {
                "database": connection.dialect.name,
                "version": ".".join(map(str, connection.dialect.server_version_info or ())),
                "revision": schema.revision(connection),
                "namespaces": _count(connection, "namespaces"),
                "memories": _count(connection, "memories"),
                **({"commits": commits, "units": units} if self._database.is_sqlite else {}),
                **wall.posture(connection),
                **({"erased_bytes": "in the log, until a reader of an old state ends"} if owed else {}),
            }

    def close(self) -> None:
        self._database.close()

    def _look(self, space: Space) -> lookups.Look:
        return partial(self._database.all, whose=space.tenant)

    @contextmanager
    def _inside(self, space: Space, *, relaxed: bool = False) -> Iterator[tuple[Connection, int]]:
        """A transaction, and the id of a namespace: 0, which no namespace has, when it does not exist."""
        whose, database = space.tenant, self._database
        transaction = database.writing(whose, synced=False) if relaxed else database.reading(whose)
        with transaction as connection:
            head = reading.find_namespace(connection, space)
            yield connection, 0 if head is None else head.epoch


def _count(connection: Connection, table: str, namespace_id: int | None = None) -> int:
    rows = tables.metadata.tables[table]
    query = sa.select(sa.func.count()).select_from(rows)
    if namespace_id is not None:
        query = query.where(rows.c.namespace_id == namespace_id)
    return connection.execute(query).scalar_one()


def _erase(connection: Connection, namespace_id: int) -> None:
    """Memories go first: they refer to evidence. The rest follows the namespace by cascade."""
    connection.execute(sa.delete(tables.memories).where(tables.memories.c.namespace_id == namespace_id))
    connection.execute(sa.delete(tables.namespaces).where(tables.namespaces.c.id == namespace_id))
