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

    def _erase_expired(self) -> int:
        due = self._parts.store.expired(self._parts.clock.now(), BATCH)
        erased = 0
        for space, ids in by_space(due).items():
            with self._parts.store.begin(space) as work:
                if gone := work.delete(ids):  # else the namespace was erased meanwhile, and is not to come back
                    work.commit()
                erased += gone
        return erased

    def _embed_pending(self) -> int:
        try:
            return embed_pending(self._parts.store, self._parts.embedder)
        except EmbedderError:
            return 0  # still down; they are found by their words until it is back
