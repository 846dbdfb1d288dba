"""Indexes that follow the store: brought up to date before they are read, and held still while they are."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from aim_memory.errors import StorageError
from aim_memory.ports import Index, IndexKeeper, MemoryStore
from aim_memory.storage.bulk import collector_paused
from aim_memory.storage.following import missed
from aim_memory.storage.shared_lock import SharedLock
from aim_memory.types import Change, Head, Space

IndexT = TypeVar("IndexT", bound=Index)
_NOWHERE = Head(0, 0, 0)
GLIMPSED = 400
"""Memories in an index that stands in for one that is being built."""


@dataclass(slots=True, eq=False)
class _Resident(Generic[IndexT]):
    """An index, how far it has come, and the use counts it was built with."""

    index: IndexT
    head: Head | None = None
    """None: nothing is known to be in it, so it has to be built."""
    uses: dict[str, float] = field(default_factory=dict)
    uses_stale: bool = False
    lock: SharedLock = field(default_factory=SharedLock)


class FollowingKeeper(IndexKeeper, Generic[IndexT]):
    """Keeps the indexes of the namespaces read last, up to a number of memories in all. Thread-safe."""

    def __init__(
        self,
        store: MemoryStore,
        factory: Callable[[], IndexT],
        capacity: int = 500_000,
        at_once: int | None = None,
    ) -> None:
        """
        Args:
            store: What is followed.
            factory: Makes an empty index.
            capacity: Memories held over all namespaces; the namespace read last stays whatever its size.
            at_once: Memories up to which a namespace's index is built while its reader waits; that of a larger one is
                built behind, and there are glimpses until then. None: it is always waited for.
        """
        self._store = store
        self._at_once = at_once
        self._being_built: set[Space] = set()
        self._factory = factory
        self._capacity = capacity
        self._residents: OrderedDict[Space, _Resident[IndexT]] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def open(self, space: Space) -> Iterator[IndexT]:
        head = self._store.head(space) or _NOWHERE
        resident = self._resident(space)
        if not _current(resident, head):
            with resident.lock.alone():
                if not _current(resident, head):
                    self._catch_up(space, resident, head)
            self._evict()
        with resident.lock.shared():
            yield resident.index

    def glimpse(self, space: Space, terms: Sequence[str]) -> IndexT | None:
        if self._at_once is None:
            return None
        head = self._store.head(space)
        if head is None or head.ordinal <= self._at_once:
            return None
        known = self._resident(space).head
        if known is not None and known.epoch == head.epoch:
            return None
        index = self._factory()
        index.upsert(self._store.index_rows(space, self._store.matching(space, terms, GLIMPSED)))
        self._build_behind(space)  # not before: the first question after a start is the one that is waited for
        return index

    def _build_behind(self, space: Space) -> None:
        with self._lock:
            if space in self._being_built:
                return
            self._being_built.add(space)
        threading.Thread(target=self._build, args=(space,), name="aim-index", daemon=True).start()

    def _build(self, space: Space) -> None:
        try:
            with self.open(space):
                pass
        except StorageError:
            pass  # the next reader has it tried again, or is told
        finally:
            with self._lock:
                self._being_built.discard(space)

    def refresh(self, space: Space) -> None:
        with self._lock:
            if space in self._residents:
                self._residents[space].uses_stale = True

    def drop(self, space: Space) -> None:
        with self._lock:
            self._residents.pop(space, None)

    def _resident(self, space: Space) -> _Resident[IndexT]:
        with self._lock:
            if space not in self._residents:
                self._residents[space] = _Resident(self._factory())
            self._residents.move_to_end(space)
            return self._residents[space]

    def _evict(self) -> None:
        """Drops the namespaces read longest ago; who still reads one keeps it until done."""
        with self._lock:
            held = sum(len(resident.index) for resident in self._residents.values())
            while held > self._capacity and len(self._residents) > 1:
                _, oldest = self._residents.popitem(last=False)
                held -= len(oldest.index)

    def _catch_up(self, space: Space, resident: _Resident[IndexT], head: Head) -> None:
        known, resident.head = resident.head, None  # whatever fails from here on, the index is built afresh
        resident.uses_stale = False
        changed = None if known is None or known.epoch != head.epoch else self._missed(space, known.seq, head.seq)
        if changed is None:
            resident.head = self._rebuild(space, resident)
            return
        self._follow(space, resident, changed)
        resident.head = head

    def _missed(self, space: Space, after: int, until: int) -> list[Change] | None:
        return missed(lambda seq: self._store.changes(space, seq), after, until)

    def _rebuild(self, space: Space, resident: _Resident[IndexT]) -> Head:
        with collector_paused():
            head, rows = self._store.snapshot(space)
            resident.index = self._factory()
            resident.index.upsert(rows)
            resident.uses = {row.id: row.uses for row in rows if row.uses}
        return head

    def _follow(self, space: Space, resident: _Resident[IndexT], log: list[Change]) -> None:
        """Reads every changed memory as it is now: rows newer than the log's end do no harm, they come again."""
        uses = dict(self._store.uses(space))
        reinforced = {key for key in uses.keys() | resident.uses.keys() if uses.get(key) != resident.uses.get(key)}
        changed = list({change.memory_id for change in log} | reinforced)
        rows = self._store.index_rows(space, changed)
        resident.index.remove(list(set(changed) - {row.id for row in rows}))
        resident.index.upsert(rows)
        resident.uses = uses


def _current(resident: _Resident[IndexT], head: Head) -> bool:
    known = resident.head
    return known is not None and known.epoch == head.epoch and known.seq >= head.seq and not resident.uses_stale
