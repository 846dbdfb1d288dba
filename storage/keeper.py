"""Indexes that follow the store: brought up to date before they are read, and held still while they are.

Those that are in use are *hot*: as they are read. Under a memory budget the others are *warm*, frozen into few bytes
and thawed in milliseconds, or *cold*, not in memory at all.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from mmap import mmap
from typing import Generic, Literal, TypeVar

from aim_memory.errors import StorageError
from aim_memory.ports import Index, IndexKeeper, MemoryStore
from aim_memory.storage.bulk import collector_paused
from aim_memory.storage.following import missed
from aim_memory.storage.heap import give_back
from aim_memory.storage.residency import Standing
from aim_memory.storage.shared_lock import SharedLock
from aim_memory.storage.snapshots import Manifest, Snapshots
from aim_memory.types import Change, Head, Space

IndexT = TypeVar("IndexT", bound=Index)
_NOWHERE = Head(0, 0, 0)
GLIMPSED = 400
"""Memories in an index that stands in for one that is being built."""
SAVED_FROM = 256
"""Memories from which on a namespace has snapshots, and changes after which it has a new one, if they are a quarter."""
MARKED = 8
"""Changes that a snapshot is known by."""
BUDGET = 1 << 30
"""Bytes of all indexes."""
TRIMMED = 0.1
"""Of the budget: how much is freed before it is given back to the system."""
HOT_SHARE = 0.1
"""Of the budget, once it is used up: a frozen index takes a tenth of the memory, and thawing costs milliseconds."""


@dataclass(slots=True, eq=False)
class _Resident(Generic[IndexT]):
    """An index, how far it has come, and the use counts it was built with."""

    index: IndexT | None = None
    """None: it is frozen, or has to be built."""
    frozen: mmap | None = None
    """The index as of ``head``, and kept beside it until something changes."""
    head: Head | None = None
    """None: nothing is known to be in it, so it has to be built."""
    weight: int = 0
    """Bytes of both, about."""
    wanted: int = 0
    """How many have it, or wait for it."""
    uses: dict[str, float] = field(default_factory=dict)
    uses_stale: bool = False
    saved: int = 0
    """The ``seq`` of the last snapshot."""
    lock: SharedLock = field(default_factory=SharedLock)


@dataclass(frozen=True, slots=True)
class Held:
    """What is in memory."""

    hot: int
    warm: int
    nbytes: int


class FollowingKeeper(IndexKeeper, Generic[IndexT]):
    """Keeps the indexes of the namespaces that deserve it most, within a budget. Thread-safe."""

    def __init__(
        self,
        store: MemoryStore,
        factory: Callable[[], IndexT],
        budget: int = BUDGET,
        at_once: int | None = None,
        snapshots: Snapshots | None = None,
        generation: str | None = None,
    ) -> None:
        """
        Args:
            store: What is followed.
            factory: Makes an empty index.
            budget: Bytes held over all namespaces, about; the namespace read last stays whatever its size.
            at_once: Memories up to which a namespace's index is built while its reader waits; that of a larger one is
                built behind, and there are glimpses until then. None: it is always waited for.
            snapshots: Where indexes lie after a restart; none are kept if left out.
            generation: Of the vectors that the store hands out.
        """
        self._snapshots = snapshots
        self._generation = generation
        self._store = store
        self._at_once = at_once
        self._being_built: set[Space] = set()
        self._compared = self._drift = 0
        self._factory = factory
        self._budget = budget
        self._held = self._freed = 0
        self._residents: dict[Space, _Resident[IndexT]] = {}
        self._standing = Standing()
        self._lock = threading.Lock()

    @contextmanager
    def open(self, space: Space) -> Iterator[IndexT]:
        head = self._store.head(space) or _NOWHERE
        with self._wanted(space) as resident:
            while True:  # until nobody is just about to freeze it: from now on nobody begins to
                if not _current(resident, head):
                    with resident.lock.alone():
                        if not _current(resident, head):
                            self._catch_up(space, resident, head)
                with resident.lock.shared():
                    if (index := resident.index) is not None:
                        self._weigh(space, resident)
                        self._make_room()
                        yield index
                        return

    @contextmanager
    def _wanted(self, space: Space) -> Iterator[_Resident[IndexT]]:
        """The resident of a space, which stays as long as it is wanted."""
        with self._lock:
            resident = self._residents.setdefault(space, _Resident())
            resident.wanted += 1
            self._standing.asked(space, len(self._residents))
        try:
            yield resident
        finally:
            with self._lock:
                resident.wanted -= 1

    def glimpse(self, space: Space, terms: Sequence[str]) -> IndexT | None:
        if self._at_once is None:
            return None
        head = self._store.head(space)
        if head is None or head.ordinal <= self._at_once:
            return None
        if self._knows(space, head.epoch):
            return None
        index = self._empty(space)
        index.upsert(self._store.index_rows(space, self._store.matching(space, terms, GLIMPSED)))
        self._build_behind(space)  # not before: the first question after a start is the one that is waited for
        return index

    def _knows(self, space: Space, epoch: int) -> bool:
        """Whether there is an index, hot or warm, that only has to be caught up, or just is."""
        with self._lock:
            resident = self._residents.get(space)
        if resident is None:
            return False
        known = resident.head
        return known.epoch == epoch if known else not (resident.index is None and resident.frozen is None)

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
            self._standing.answered(space)
            if space in self._residents:
                self._residents[space].uses_stale = True

    def drop(self, space: Space) -> None:
        with self._lock:
            self._standing.forget(space)
            self._leave(space)

    def state_of(self, space: Space) -> Literal["hot", "warm", "cold"]:
        with self._lock:
            resident = self._residents.get(space)
            if resident is None or resident.head is None:
                return "cold"
            return "warm" if resident.index is None else "hot"

    @property
    def held(self) -> Held:
        """How many indexes are in memory, and what they take."""
        with self._lock:
            residents = list(self._residents.values())
            hot = sum(resident.index is not None for resident in residents)
            either = sum(resident.head is not None for resident in residents)
            return Held(hot, either - hot, self._held)

    def figures(self) -> Mapping[str, int]:
        held = self.held
        self._compare()
        return {"hot": held.hot, "warm": held.warm, "nbytes": held.nbytes, "drift": self._drift}

    def _compare(self) -> None:
        """Compares one index in memory, each time the next, with what is stored, if it claims to be up to date."""
        with self._lock:
            known = [(space, own) for space, own in self._residents.items() if own.index is not None and own.head]
            self._compared += 1
        if not known:
            return
        space, resident = known[self._compared % len(known)]
        with resident.lock.shared():
            index, head = resident.index, resident.head
            size = 0 if index is None else len(index)
        stored = self._store.amounts(space.tenant, space.namespace)["memories"]
        if index is not None and self._store.head(space) == head:  # also after counting, so it counted what was then
            self._drift = abs(size - stored)

    def _empty(self, space: Space) -> IndexT:
        index = self._factory()
        index.look_up(partial(self._store.signs, space))
        return index

    # --- memory ----------------------------------------------------------------------------------------------------

    def _make_room(self) -> None:
        """Freezes and drops indexes that nobody wants while there is too much in memory."""
        while (victim := self._victim()) is not None:
            self._cool(*victim)

    def _victim(self) -> tuple[Space, _Resident[IndexT]] | None:
        """The namespace that has to give way; None when there is room, or nobody is left."""
        with self._lock:
            if self._held <= self._budget:
                return None
            hot = sum(own.weight for own in self._residents.values() if own.index is not None)
            free = {space: own for space, own in self._residents.items() if not own.wanted}
            least = None
            if hot > HOT_SHARE * self._budget:
                least = self._standing.least(space for space, own in free.items() if own.index is not None)
            if least is None:
                least = self._standing.least(free)
            if least is None:
                return None
            free[least].wanted += 1  # by us: nobody else takes it meanwhile
            return least, free[least]

    def _cool(self, space: Space, resident: _Resident[IndexT]) -> None:
        """Makes a hot index warm, and a warm one cold."""
        try:
            with resident.lock.alone():
                if resident.index is None or resident.head is None:
                    resident.frozen = None
                elif resident.frozen is None:
                    resident.frozen = _set_apart(resident.index.freeze())
                resident.index = None
                if resident.frozen is None:
                    resident.head = None
        finally:
            with self._lock:
                resident.wanted -= 1
        freed = resident.weight
        self._weigh(space, resident)
        self._count_freed(freed - resident.weight)

    def _count_freed(self, size: int) -> None:
        with self._lock:
            self._freed += size
            if self._freed < self._budget * TRIMMED:
                return
            self._freed = 0
        give_back()

    def _weigh(self, space: Space, resident: _Resident[IndexT]) -> None:
        with self._lock:
            if self._residents.get(space) is not resident:
                return  # dropped meanwhile
            index, frozen = resident.index, resident.frozen
            if index is None and frozen is None:
                self._leave(space)
                return
            weight = (0 if index is None else index.nbytes) + (0 if frozen is None else len(frozen))
            self._held += weight - resident.weight
            resident.weight = weight

    def _leave(self, space: Space) -> None:
        resident = self._residents.pop(space, None)
        self._held -= 0 if resident is None else resident.weight

    # --- following -------------------------------------------------------------------------------------------------

    def _catch_up(self, space: Space, resident: _Resident[IndexT], head: Head) -> None:
        known, resident.head = resident.head, None  # whatever fails from here on, the index is built afresh
        if known is None:
            known = self._recalled(space, resident, head)
        stale, resident.uses_stale = resident.uses_stale, False
        changed = None if known is None or known.epoch != head.epoch else self._missed(space, known.seq, head.seq)
        if changed is None:
            resident.head = self._rebuild(space, resident)
            self._save(space, resident, resident.head)
            if resident.index is not None:
                self._count_freed(resident.index.nbytes)  # the rows it was built from, about as large, are gone
            return
        index = self._thawed(space, resident)
        if changed or stale:
            resident.frozen = None
            self._follow(space, resident, index, changed)
        resident.head = reached = head if changed or known is None else known
        if head.seq - resident.saved > max(SAVED_FROM, len(index) // 4):
            self._save(space, resident, reached)

    def _thawed(self, space: Space, resident: _Resident[IndexT]) -> IndexT:
        if resident.index is None:
            index = self._empty(space)
            index.thaw(b"" if resident.frozen is None else resident.frozen[:])
            resident.index = index
        return resident.index

    # --- snapshots -------------------------------------------------------------------------------------------------

    def sweep(self) -> None:
        """Removes snapshots of namespaces that are gone, or of which something was erased since.

        Whoever erases removes them himself; this is for those who were stopped between the two.
        """
        if self._snapshots is not None:
            for manifest in self._snapshots.manifests():
                if self._erased_since(manifest.space, manifest.head):
                    self._snapshots.remove(manifest.epoch)

    def _recalled(self, space: Space, resident: _Resident[IndexT], head: Head) -> Head | None:
        """Takes up the namespace's snapshot, if there is one of this history; how far it had come."""
        loaded = None if self._snapshots is None else self._snapshots.load(head.epoch)
        if self._snapshots is None or loaded is None:
            return None
        manifest, body = loaded
        index = self._thawed_as(manifest, space, head, body)
        if index is None:
            self._snapshots.remove(head.epoch)
            return None
        resident.index, resident.uses, resident.uses_stale = index, dict(manifest.uses), True
        resident.saved = manifest.seq
        return manifest.head

    def _thawed_as(self, manifest: Manifest, space: Space, head: Head, body: bytes) -> IndexT | None:
        """The index of a snapshot; None if it is not this namespace's, or not what it says."""
        ours = (manifest.space, manifest.generation) == (space, self._generation)
        if not ours or manifest.seq > head.seq or manifest.mark != self._mark(space, manifest.seq):
            return None
        index = self._empty(space)
        try:
            with collector_paused():
                index.thaw(body)
        except StorageError:
            return None
        return index if len(index) == manifest.memories else None

    def _save(self, space: Space, resident: _Resident[IndexT], head: Head) -> None:
        index = resident.index
        if self._snapshots is None or index is None or len(index) < SAVED_FROM:
            return
        body, resident.saved = index.freeze(exact=True), head.seq
        if body is None:
            return
        uses, mark = resident.uses, self._mark(space, head.seq)
        place = (space.tenant, space.namespace, head.epoch, head.seq, head.ordinal)
        self._snapshots.save(Manifest(*place, self._generation, len(index), len(body), mark, uses), body)
        if self._erased_since(space, head):
            self._snapshots.remove(head.epoch)

    def _mark(self, space: Space, seq: int) -> str:
        """A digest of the change with this number and those right before it."""
        before = self._store.changes(space, max(seq - MARKED, 0), MARKED)
        told = [(change.seq, change.kind, change.memory_id) for change in before if change.seq <= seq]
        return hashlib.sha256(repr(told).encode()).hexdigest()

    def _erased_since(self, space: Space, head: Head) -> bool:
        now = self._store.head(space)
        if now is None or now.epoch != head.epoch or now.seq < head.seq:
            return True
        log = self._missed(space, head.seq, now.seq)
        return log is None or any(change.kind == "delete" for change in log)

    # --- reading the store -----------------------------------------------------------------------------------------

    def _missed(self, space: Space, after: int, until: int) -> list[Change] | None:
        return missed(lambda seq: self._store.changes(space, seq), after, until)

    def _rebuild(self, space: Space, resident: _Resident[IndexT]) -> Head:
        resident.frozen = resident.index = None
        index = self._empty(space)
        with collector_paused():
            head, rows = self._store.snapshot(space)
            index.upsert(rows)
        resident.index, resident.uses = index, {row.id: row.uses for row in rows if row.uses}
        return head

    def _follow(self, space: Space, resident: _Resident[IndexT], index: IndexT, log: Sequence[Change]) -> None:
        """Reads every changed memory as it is now: rows newer than the log's end do no harm, they come again."""
        uses = dict(self._store.uses(space))
        reinforced = {key for key in uses.keys() | resident.uses.keys() if uses.get(key) != resident.uses.get(key)}
        changed = list({change.memory_id for change in log} | reinforced)
        rows = self._store.index_rows(space, changed)
        index.remove(list(set(changed) - {row.id for row in rows}))
        index.upsert(rows)
        resident.uses = uses


def _set_apart(body: bytes | None) -> mmap | None:
    """The same bytes outside the heap: hundreds of kilobytes that come and go in any order would leave it in holes."""
    if body is None:
        return None
    pages = mmap(-1, len(body))
    pages[:] = body
    return pages


def _current(resident: _Resident[IndexT], head: Head) -> bool:
    known = resident.head
    if resident.index is None or known is None or resident.uses_stale:
        return False
    return known.epoch == head.epoch and known.seq >= head.seq
