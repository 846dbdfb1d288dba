"""What the service owes without being asked: vectors for what was written without them, and erasure of what expired."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aim_memory.engine.parts import Parts
from aim_memory.errors import EmbedderError
from aim_memory.ingest.segments import passage
from aim_memory.types import Space

_BATCH = 64


class Upkeep:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def run(self) -> dict[str, int]:
        """One round over all namespaces; call it again while anything was done. Returns counts per kind."""
        return {"expired": self._erase_expired(), "embedded": self._embed_pending()}

    def _erase_expired(self) -> int:
        due = self._parts.store.expired(self._parts.clock.now(), _BATCH)
        erased = 0
        for space, ids in _by_space(due).items():
            with self._parts.store.begin(space) as work:
                erased += work.delete(ids)
                work.commit()
        return erased

    def _embed_pending(self) -> int:
        waiting = self._parts.store.pending(_BATCH)
        try:
            return sum(self._embed(space, ids) for space, ids in _by_space(waiting).items())
        except EmbedderError:
            return 0  # still down; they are found by their words until it is back

    def _embed(self, space: Space, ids: Sequence[str]) -> int:
        embedder, store = self._parts.embedder, self._parts.store
        found = store.get(space, ids)
        # Cut as when they were written, whatever the window of this embedder. What was edited since is left out below.
        cut = {row.id: [(own.start, own.end) for own in row.segments] for row in store.index_rows(space, list(found))}
        memories = [found[memory_id] for memory_id in cut]
        spans = list(cut.values())
        texts = [
            passage(memory.speaker, memory.text[start:end])
            for memory, cuts in zip(memories, spans, strict=True)
            for start, end in cuts
        ]
        vectors, tokens = embedder.embed_documents_with_tokens(texts)
        ends = np.cumsum([len(cuts) for cuts in spans])
        with store.begin(space) as work:
            held = work.existing([memory.id for memory in memories])
            for memory, cuts, end in zip(memories, spans, ends, strict=True):
                own = slice(end - len(cuts), end)
                # An edit in the meantime analysed the memory anew; its own vectors come with it or later.
                if memory.id in held and held[memory.id].version == memory.version:
                    work.embed(memory.id, vectors[own], embedder.generation, tokens and tokens[own])
            work.commit()
        return len(memories)


def _by_space(rows: Sequence[tuple[Space, str]]) -> dict[Space, list[str]]:
    grouped: dict[Space, list[str]] = {}
    for space, memory_id in rows:
        grouped.setdefault(space, []).append(memory_id)
    return grouped
