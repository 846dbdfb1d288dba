"""Memories that were read last, kept as values, so that what is found often is not read and decoded each time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace

from aim_memory.storage.codec import NOTHING
from aim_memory.storage.following import missed
from aim_memory.types import Change, Head, StoredMemory

ROOM = 1 << 23
"""Characters of text and metadata that are kept."""
_OVERHEAD = 1 << 10
"""What a memory counts for beside them."""


class RecentMemories:
    """The memories of each namespace as of one place in its change log. Thread-safe.

    A value may be newer than its place, never older: whatever changes after the place drops it.
    """

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._lock = threading.Lock()
        self._places: dict[int, int] = {}  # epoch → seq
        self._memories: OrderedDict[tuple[int, str], StoredMemory] = OrderedDict()

    def held(
        self, head: Head, ids: Sequence[str], changes: Callable[[int], Sequence[Change]]
    ) -> dict[str, StoredMemory]:
        """What is held of ``ids`` and as new as ``head``; ``changes`` reads the namespace's log after a ``seq``."""
        place = self._places.get(head.epoch)
        if place is not None and place < head.seq:
            self._advance(head, place, missed(changes, place, head.seq))
        with self._lock:
            if self._places.get(head.epoch) != head.seq:
                return {}
            keys = [(head.epoch, memory_id) for memory_id in ids]
            for key in (known := [key for key in keys if key in self._memories]):
                self._memories.move_to_end(key)
            return {key[1]: _own(self._memories[key]) for key in known}

    def hold(self, head: Head, memories: Mapping[str, StoredMemory]) -> None:
        """Keeps what was read at ``head`` or later, unless the namespace has been followed further since."""
        with self._lock:
            if self._places.setdefault(head.epoch, head.seq) != head.seq:
                return
            for memory_id, memory in memories.items():
                self._drop((head.epoch, memory_id))
                self._memories[head.epoch, memory_id] = kept = _own(memory)
                self._room -= _size(kept)
            while self._room < 0:
                self._drop(next(iter(self._memories)))

    def forget(self, epoch: int) -> None:
        """Drops a namespace."""
        with self._lock:
            self._places.pop(epoch, None)
            self._drop_all(epoch)

    def _advance(self, head: Head, place: int, changed: Sequence[Change] | None) -> None:
        with self._lock:
            if self._places.get(head.epoch) != place:
                return  # somebody else was faster
            self._places[head.epoch] = head.seq
            if changed is None:
                self._drop_all(head.epoch)
            for change in changed or ():
                self._drop((head.epoch, change.memory_id))

    def _drop_all(self, epoch: int) -> None:
        for key in [key for key in self._memories if key[0] == epoch]:
            self._drop(key)

    def _drop(self, key: tuple[int, str]) -> None:
        memory = self._memories.pop(key, None)
        if memory is not None:
            self._room += _size(memory)


def _own(memory: StoredMemory) -> StoredMemory:
    """A memory whose metadata nobody else can change."""
    if memory.metadata is NOTHING:
        return memory
    return replace(memory, metadata=deepcopy(dict(memory.metadata)))


def _size(memory: StoredMemory) -> int:
    return len(memory.text) + (len(repr(memory.metadata)) if memory.metadata else 0) + _OVERHEAD
