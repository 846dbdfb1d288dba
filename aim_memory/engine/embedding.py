"""Embedding what is stored: for memories that were written without vectors, or whose vectors are another model's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aim_memory.ingest.segments import passage
from aim_memory.ports import Embedder, MemoryStore
from aim_memory.types import Space, StoredMemory

BATCH = 64
Cuts = Sequence[tuple[int, int]]


def embed_pending(store: MemoryStore, embedder: Embedder, limit: int = BATCH) -> int:
    """Embeds some of the memories that have no vectors of this embedder, the oldest first. Returns how many it saw; 0
    when none is left. Raises EmbedderError."""
    waiting = store.pending(limit, embedder.generation)
    for space, ids in by_space(waiting).items():
        _embed(store, embedder, space, ids)
    return len(waiting)


def by_space(rows: Sequence[tuple[Space, str]]) -> dict[Space, list[str]]:
    grouped: dict[Space, list[str]] = {}
    for space, memory_id in rows:
        grouped.setdefault(space, []).append(memory_id)
    return grouped


def _embed(store: MemoryStore, embedder: Embedder, space: Space, ids: Sequence[str]) -> None:
    found = store.get(space, ids)
    # Cut as when they were written, whatever the window of this embedder. What was edited since is left out below.
    cut = {row.id: [(own.start, own.end) for own in row.segments] for row in store.index_rows(space, list(found))}
    memories = [found[memory_id] for memory_id in cut]
    vectors, tokens = embedder.embed_documents_with_tokens(_passages(memories, list(cut.values())))
    ends = np.cumsum([len(cuts) for cuts in cut.values()])
    with store.begin(space) as work:
        held = work.existing([memory.id for memory in memories])
        if not held:
            return  # erased meanwhile: a commit would bring the namespace's name back
        for memory, cuts, end in zip(memories, cut.values(), ends, strict=True):
            own = slice(end - len(cuts), end)
            # An edit in the meantime analysed the memory anew; its own vectors come with it or later.
            if memory.id in held and held[memory.id].version == memory.version:
                work.embed(memory.id, vectors[own], embedder.generation, tokens and tokens[own])
        work.commit()


def _passages(memories: Sequence[StoredMemory], cuts: Sequence[Cuts]) -> list[str]:
    """Stretches of texts as they are embedded."""
    return [
        passage(memory.speaker, memory.text[start:end])
        for memory, own in zip(memories, cuts, strict=True)
        for start, end in own
    ]
