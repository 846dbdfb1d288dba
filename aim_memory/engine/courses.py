"""Which memories the last prompt of each session listed, and in which order."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from aim_memory.types import EvidenceBlock, Space, StoredMemory

_K = TypeVar("_K")
SESSIONS = 4096


class Courses(Generic[_K]):
    """Blocks by key, the least recently used forgotten first. Thread-safe.

    It lives in this process only: whoever has never seen a session lists its memories afresh, and loses no more than
    what a model server had cached. Read what is kept through ``still``: memories change and go.
    """

    def __init__(self, capacity: int = SESSIONS) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[tuple[Space, _K], tuple[EvidenceBlock, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, space: Space, key: _K) -> tuple[EvidenceBlock, ...] | None:
        with self._lock:
            if (space, key) not in self._kept:
                return None
            self._kept.move_to_end((space, key))
            return self._kept[space, key]

    def put(self, space: Space, key: _K, blocks: Sequence[EvidenceBlock]) -> None:
        with self._lock:
            self._kept[space, key] = tuple(blocks)
            self._kept.move_to_end((space, key))
            while len(self._kept) > self._capacity:
                self._kept.popitem(last=False)

    def drop(self, space: Space) -> None:
        """Forgets a namespace that was erased."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == space]:
                del self._kept[key]


def still(blocks: Sequence[EvidenceBlock], memories: Mapping[str, StoredMemory], now: datetime) -> list[EvidenceBlock]:
    """Those blocks that the memories still hold word for word, each marked with whether it is current now."""
    return [
        block._replace(current=memories[block.memory_id].superseded_by is None)
        for block in blocks
        if block.memory_id in memories and _holds(memories[block.memory_id], block, now)
    ]


def _holds(memory: StoredMemory, block: EvidenceBlock, now: datetime) -> bool:
    return not memory.has_expired(now) and memory.text[block.start : block.end] == block.text
