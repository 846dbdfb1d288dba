"""One transaction on one namespace, in SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aim_memory.errors import IdempotencyError, StorageError
from aim_memory.ports import Clock, UnitOfWork
from aim_memory.storage import codec, lookups, reading, rows, spares, spelled, tables
from aim_memory.storage.bulk import chunks
from aim_memory.storage.database import insert_unless_there
from aim_memory.storage.driver import rows_of
from aim_memory.storage.generations import Generations
from aim_memory.storage.rules import (
    REPLIES_KEPT,
    Closing,
    Stated,
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
    ChangeKind,
    Head,
    NewMemory,
    Space,
    Statement,
    StoredMemory,
    StoredStatement,
    Supersession,
    TokenBits,
    Vectors,
)

_M = tables.memories.c
_S = tables.statements.c
_G = tables.segments.c


class SqlUnitOfWork(UnitOfWork):
    """Rows are written as they come; ``seq`` and ``ordinal`` are counted here and written by ``commit``."""

    def __init__(
        self,
        connection: Connection,
        commit: Callable[[], None],
        space: Space,
        generations: Generations,
        clock: Clock,
    ) -> None:
        """``commit``: makes durable what was done with ``connection``."""
        self._connection = connection
        self._commit = commit
        self._tenant = space.tenant
        self._generations = generations
        self._clock = clock
        self._namespace, self._seq, self._ordinal = self._lock(space)
        self.committed = False
        self.erased = False
        """Whether something was deleted, so that its bytes may linger in the write-ahead log."""

    def _lock(self, space: Space) -> tuple[int, int, int]:
        """Holds the namespace's row to the end of the transaction, so that commit order is seq order."""
        named = {"tenant": space.tenant, "path": space.namespace}
        row = spelled.LOCK.first(self._connection, named)
        if row is None:
            creation = insert_unless_there(self._connection, tables.namespaces)
            self._connection.execute(creation, [{**named, "created_at": self._clock.now(), "seq": 0, "ordinal": 0}])
            row = spelled.LOCK.first(self._connection, named)
        if row is None:
            raise StorageError(f"The namespace '{space.namespace}' was erased while it was being written. Try again.")
        return row[0], row[1], row[2]

    @property
    def head(self) -> Head:
        return Head(self._namespace, self._seq, self._ordinal)

    def commit(self) -> Head:
        counted = {"own": self._namespace, "counted_seq": self._seq, "counted_ordinal": self._ordinal}
        spelled.COUNT.run(self._connection, [counted])
        self._commit()
        self.committed = True
        return self.head

    # --- idempotency -----------------------------------------------------------------------------------------------

    def replay(self, key: str, fingerprint: str) -> bytes | None:
        known = spelled.REPLAY.first(self._connection, {"tenant": self._tenant, "key": key})
        if known is None:
            return None
        if known[0] != fingerprint:
            raise IdempotencyError
        return bytes(known[1])

    def keep_reply(self, key: str, fingerprint: str, reply: bytes, now: datetime) -> None:
        spelled.FORGET.run(self._connection, [{"before": now - REPLIES_KEPT}])
        kept = {"tenant": self._tenant, "key": key, "fingerprint": fingerprint, "reply": reply, "created_at": now}
        self._add(tables.idempotency, [kept])

    # --- reading ---------------------------------------------------------------------------------------------------

    def existing(self, ids: Sequence[str]) -> Mapping[str, StoredMemory]:
        look = partial(rows_of, self._connection)
        return lookups.find_memories(look, self._namespace, ids, self._generations.current_id)

    def repeat_of(self, session_id: str | None, digest: str, since: datetime) -> str | None:
        about = {"namespace": self._namespace, "digest": digest, "session": session_id, "since": since}
        row = spelled.REPEAT.first(self._connection, about)
        return None if row is None else str(row[0])

    def statements(self, keys: Sequence[tuple[str, str]]) -> Sequence[StoredStatement]:
        found: list[StoredStatement] = []
        for some in chunks(dict.fromkeys(keys)):
            among = sa.tuple_(_S.subject, _S.attribute).in_(some)
            found += reading.read_statements(self._connection, self._namespace, among)
        return sorted(found, key=lambda stored: (stored.event_time, stored.ordinal))

    # --- writing ---------------------------------------------------------------------------------------------------

    def insert(self, memories: Sequence[NewMemory]) -> Mapping[str, int]:
        ids = [memory.id for memory in memories]
        refuse_repeated(ids, self._known(ids))
        origins = [origin for memory in memories for origin in memory.derived_from]
        if unknown := set(origins) - set(self._known(origins)) - set(ids):
            raise missing(unknown.pop())
        ordinals = {memory_id: self._ordinal + i for i, memory_id in enumerate(ids, 1)}
        self._ordinal += len(ids)
        self._add_evidence(memories)
        first = [rows.first_row(memory) | self._content(memory) for memory in memories]
        self._add(tables.memories, [row | {"ordinal": ordinals[row["id"]]} for row in first])
        self._add(tables.segments, [row for memory in memories for row in rows.segment_rows(memory)])
        stated = [row for memory in memories for row in rows.statement_rows(memory, ordinals[memory.id])]
        self._add(tables.statements, stated)
        self._add(tables.derivations, [row for memory in memories for row in rows.derivation_rows(memory)])
        self._log("write", ids)
        return ordinals

    def update(self, memory: NewMemory, now: datetime) -> StoredMemory:
        old = self.existing([memory.id]).get(memory.id)
        if old is None:
            raise missing(memory.id)
        kind = kind_of_update(old, memory)
        self._add_evidence([memory])
        if states_the_same(old, [made.statement for made in self._stated(_S.memory_id, [memory.id])], memory):
            self._next_version(memory.id, kind, now, self._content(memory))
        else:
            self._withdraw([memory.id], now)
            self._next_version(memory.id, kind, now, self._content(memory) | rows.OPEN)
            self._remove(tables.statements, _S.memory_id, [memory.id])
            self._add(tables.statements, rows.statement_rows(memory, old.ordinal))
        self._remove(tables.segments, _G.memory_id, [memory.id])
        self._add(tables.segments, rows.segment_rows(memory))
        self._log(kind, [memory.id])
        if not says_the_same(old, memory):
            self._set(tables.memories, _M.id == memory.id, {"read_at": None})
            self.delete(reading.read_derivatives(self._connection, self._namespace, [memory.id]))
        return self.existing([memory.id])[memory.id]

    def supersede(self, supersessions: Sequence[Supersession]) -> None:
        closers = [each.new_id for each in supersessions]
        if unknown := set(closers) - set(self._known(closers)):
            raise missing(unknown.pop())
        if supersessions:
            self._connection.execute(rows.closing(self._namespace), [rows.closing_row(each) for each in supersessions])
        self._revalidate([each.old_id for each in supersessions])

    def delete(self, ids: Sequence[str]) -> int:
        asked = self._known(ids)
        derived = reading.read_derivatives(self._connection, self._namespace, asked)
        gone = [*derived, *(memory_id for memory_id in asked if memory_id not in set(derived))]
        self._withdraw(gone, self._clock.now())
        originals = self._originals(gone)
        self._remove(tables.memories, _M.id, gone)
        for some in chunks(originals):
            self._connection.execute(rows.orphans(self._namespace, some))
        self._log("delete", gone)
        self.erased |= bool(gone)
        return len(asked)

    def mark_read(self, ids: Sequence[str]) -> None:
        for some in chunks(ids):
            self._set(tables.memories, _M.id.in_(some), {"read_at": self._clock.now()})

    def embed(
        self, memory_id: str, vectors: Vectors, generation: str, tokens: Sequence[TokenBits] | None = None
    ) -> None:
        was, positions = self._embedded(memory_id)
        if len(positions) != len(vectors):
            raise misfit(memory_id, len(positions), len(vectors))
        number = self._generations.number(self._connection, generation)
        if was not in (None, number):
            spares.remove(self._connection, self._namespace, memory_id, number)
            spares.keep(self._connection, self._namespace, memory_id)
        shown: Sequence[TokenBits | None] = tokens or [None] * len(positions)
        for position, vector, signs in zip(positions, vectors, shown, strict=True):
            values = {"vector": codec.vector_to_bytes(vector), "tokens": codec.tokens_to_bytes(signs)}
            self._set(tables.segments, sa.and_(_G.memory_id == memory_id, _G.position == position), values)
        self._set(tables.memories, _M.id == memory_id, {"generation_id": number})
        self._log("embed", [memory_id])

    def prune(self, ids: Sequence[str], generation: str) -> int:
        return sum(self._prune(memory_id, generation) for memory_id in self._known(ids))

    def _prune(self, memory_id: str, generation: str) -> bool:
        """Whether a memory had anything to drop."""
        was, positions = self._embedded(memory_id)
        number = self._generations.number(self._connection, generation)
        own = spares.read(self._connection, self._namespace, [memory_id], number).get(memory_id)
        if was != number and own is None:
            return False  # better the vectors of another than none
        for position, (vector, signs) in zip(positions, own or (), strict=False):
            place = sa.and_(_G.memory_id == memory_id, _G.position == position)
            self._set(tables.segments, place, {"vector": vector, "tokens": signs})
        self._set(tables.memories, _M.id == memory_id, {"generation_id": number})
        spares.remove(self._connection, self._namespace, memory_id)
        return True

    def _embedded(self, memory_id: str) -> tuple[int | None, Sequence[int]]:
        """The number of the generation of a memory's own vectors, and the positions of its segments."""
        generation = sa.select(_M.generation_id).where(_M.namespace_id == self._namespace, _M.id == memory_id)
        found = self._connection.execute(generation).one_or_none()
        if found is None:
            raise missing(memory_id)
        places = sa.select(_G.position).where(_G.namespace_id == self._namespace, _G.memory_id == memory_id)
        return found[0], self._connection.scalars(places.order_by(_G.position)).all()

    # --- versions and validity -------------------------------------------------------------------------------------

    def _next_version(self, memory_id: str, kind: ChangeKind, at: datetime, values: Mapping[str, Any]) -> None:
        """Keeps the present state in the history and puts ``values`` in its place."""
        self._connection.execute(rows.archive(self._namespace, memory_id))
        change = {"version": _M.version + 1, "kind": kind, "updated_at": at, **values}
        self._set(tables.memories, _M.id == memory_id, change)

    def _withdraw(self, ids: Sequence[str], now: datetime) -> None:
        """Takes back what memories state: what they had closed is handed to who had closed them, or opens."""
        closed = [stated for stated in self._stated(_S.closed_by, ids) if stated.memory_id not in set(ids)]
        own = _by_memory(self._stated(_S.memory_id, ids) if closed else [])
        gone = {memory_id: own.get(memory_id, []) for memory_id in ids}
        heirs = [inheritance(stated, gone) for stated in closed]
        said = _by_memory(self._stated(_S.memory_id, [heir[0] for heir in heirs if heir]))
        for stated, heir in zip(closed, heirs, strict=True):
            by, at = (None, None) if heir is None or agrees(stated, said.get(heir[0], ())) else heir
            place = sa.and_(_S.memory_id == stated.memory_id, _S.position == stated.position)
            self._set(tables.statements, place, {"closed_by": by, "closed_at": at})
        self._revalidate([stated.memory_id for stated in closed], now)

    def _revalidate(self, ids: Sequence[str], now: datetime | None = None) -> None:
        """Supersedes memories whose last statement was closed, reopens those that have an open one again (``now``)."""
        for some in chunks(dict.fromkeys(ids)):
            closings = self._closings(some)
            state = sa.select(_M.id, _M.updated_at, _M.superseded_by, _M.valid_until).where(self._own(_M.id, some))
            for memory_id, changed_at, *ended in self._connection.execute(state.order_by(_M.ordinal)).all():
                end = validity_end(closings[memory_id])
                if end is None and ended != [None, None]:
                    self._mark(memory_id, "reopen", now or self._clock.now(), rows.OPEN)
                elif end is not None and ended != [end.by, end.at]:
                    values = {"superseded_by": end.by, "valid_until": end.at}
                    self._mark(memory_id, "supersede", now or max(changed_at, end.known_at), values)

    def _mark(self, memory_id: str, kind: ChangeKind, at: datetime, values: Mapping[str, Any]) -> None:
        self._next_version(memory_id, kind, at, values)
        self._log(kind, [memory_id])

    def _stated(self, column: sa.Column[Any], ids: Sequence[str]) -> list[Stated]:
        """Statements by memory, in their places."""
        columns = (_S.memory_id, _S.position, _S.subject, _S.attribute, _S.value, _S.closed_by, _S.closed_at)
        found: list[Stated] = []
        for some in chunks(dict.fromkeys(ids)):
            query = sa.select(*columns).where(self._own(column, some)).order_by(_S.memory_id, _S.position)
            for memory_id, position, subject, attribute, value, by, at in self._connection.execute(query):
                found.append(Stated(memory_id, position, Statement(subject, attribute, value), by, at))
        return found

    def _closings(self, ids: Sequence[str]) -> Mapping[str, list[Closing | None]]:
        """Per memory, who closed each of its statements."""
        closer = tables.memories.alias("closer")
        same = sa.and_(closer.c.namespace_id == _S.namespace_id, closer.c.id == _S.closed_by)
        columns = (_S.memory_id, _S.closed_by, _S.closed_at, closer.c.ordinal, closer.c.updated_at)
        query = sa.select(*columns).join(closer, same, isouter=True).where(self._own(_S.memory_id, ids))
        found: dict[str, list[Closing | None]] = defaultdict(list)
        for memory_id, by, at, ordinal, known_at in self._connection.execute(query):
            found[memory_id].append(None if by is None else Closing(by, at, ordinal, known_at))
        return found

    # --- rows ------------------------------------------------------------------------------------------------------

    def _own(self, column: sa.Column[str], ids: Sequence[str]) -> sa.ColumnElement[bool]:
        return sa.and_(column.table.c.namespace_id == self._namespace, column.in_(ids))

    def _known(self, ids: Sequence[str]) -> list[str]:
        """The ids among ``ids`` that exist, each once, in their order."""
        if len(ids) == 1:
            there = spelled.KNOWN.first(self._connection, {"namespace": self._namespace, "id": ids[0]})
            return list(ids) if there else []
        known: set[str] = set()
        for some in chunks(dict.fromkeys(ids)):
            known.update(self._connection.scalars(sa.select(_M.id).where(self._own(_M.id, some))))
        return [memory_id for memory_id in dict.fromkeys(ids) if memory_id in known]

    def _originals(self, ids: Sequence[str]) -> set[bytes]:
        """The evidence that memories and their versions refer to."""
        found: set[bytes] = set()
        for some in chunks(ids):
            for column, key in ((_M.evidence_id, _M.id), (tables.versions.c.evidence_id, tables.versions.c.memory_id)):
                found.update(self._connection.scalars(sa.select(column).where(self._own(key, some))))
        return found

    def _content(self, memory: NewMemory) -> dict[str, Any]:
        generation = memory.generation and self._generations.number(self._connection, memory.generation)
        return rows.content_row(memory, generation or None)

    def _add_evidence(self, memories: Sequence[NewMemory]) -> None:
        if memories:
            spelled.ADD_EVIDENCE.run(self._connection, rows.under(self._namespace, rows.evidence_rows(memories)))

    def _add(self, table: sa.Table, added: rows.Rows) -> None:
        if added:
            spelled.ADD[table].run(self._connection, rows.under(self._namespace, added))

    def _set(self, table: sa.Table, condition: sa.ColumnElement[bool], values: Mapping[str, Any]) -> None:
        own = table.c.namespace_id == self._namespace
        self._connection.execute(sa.update(table).where(own, condition).values(values))

    def _remove(self, table: sa.Table, column: sa.Column[str], ids: Sequence[str]) -> None:
        for some in chunks(ids):
            self._connection.execute(sa.delete(table).where(self._own(column, some)))

    def _log(self, kind: ChangeKind, ids: Sequence[str]) -> None:
        """Appends to the change log."""
        logged = [{"seq": self._seq + i, "kind": kind, "memory_id": id_} for i, id_ in enumerate(ids, 1)]
        self._seq += len(ids)
        self._add(tables.changes, logged)


def _by_memory(stated: Iterable[Stated]) -> dict[str, list[Stated]]:
    found: dict[str, list[Stated]] = defaultdict(list)
    for each in stated:
        found[each.memory_id].append(each)
    return found
