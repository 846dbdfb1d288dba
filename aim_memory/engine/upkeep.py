"""What the service owes without being asked: vectors for what was written without them, and erasure of what expired."""

from __future__ import annotations

from aim_memory.engine.embedding import BATCH, by_space, embed_pending
from aim_memory.engine.parts import Parts
from aim_memory.errors import EmbedderError


class Upkeep:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def run(self) -> dict[str, int]:
        """One round over all namespaces; call it again while anything was done. Returns counts per kind."""
        return {"expired": self._erase_expired(), "embedded": self._embed_pending()}

    def longest_wait_s(self) -> float:
        """How long the oldest of the memories without vectors has waited for them; 0 where none waits."""
        store = self._parts.store
        for space, memory_id in store.pending(1):
            for waiting in store.get(space, [memory_id]).values():
                return max(0.0, (self._parts.clock.now() - waiting.updated_at).total_seconds())
        return 0.0

    def _erase_expired(self) -> int:
        now = self._parts.clock.now()
        erased = 0
        for space, ids in by_space(self._parts.store.expired(now, BATCH)).items():
            with self._parts.store.begin(space) as work:
                # Somebody may have prolonged a life since.
                over = [memory_id for memory_id, memory in work.existing(ids).items() if memory.has_expired(now)]
                if gone := work.delete(over):  # else the namespace was erased meanwhile, and is not to come back
                    work.commit()
                erased += gone
        return erased

    def _embed_pending(self) -> int:
        try:
            return embed_pending(self._parts.store, self._parts.embedder)
        except EmbedderError:
            return 0  # still down; they are found by their words until it is back
