"""Chroma: a persistent client, a collection per conversation, cosine, the other settings as they come."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import chromadb
from peer_protocol import DEPTH, Memory, Peer, Vectors, run


class Chroma(Peer):
    """One collection for all and a filter on metadata finds the same at about twice the cost of a question."""

    distributions = ("chromadb",)

    def __init__(self, home: Path, vectors: Vectors, variant: str) -> None:
        super().__init__(home, vectors, variant)
        settings = chromadb.config.Settings(anonymized_telemetry=False)
        self._client = chromadb.PersistentClient(path=str(home), settings=settings)
        self._collections: dict[str, chromadb.Collection] = {}

    def write(self, memory: Memory) -> None:
        self.write_batch([memory])

    def write_batch(self, memories: Sequence[Memory]) -> None:
        self._collection(memories[0].namespace).add(
            ids=[memory.id for memory in memories],
            documents=[memory.told for memory in memories],
            embeddings=[self.vectors.of(memory.told) for memory in memories],
        )

    def query(self, namespace: str, text: str) -> list[str]:
        found = self._collection(namespace).query(query_embeddings=[self.vectors.of(text)], n_results=DEPTH)
        return list(found["ids"][0])

    def _collection(self, namespace: str) -> chromadb.Collection:
        if namespace not in self._collections:
            self._collections[namespace] = self._client.create_collection(
                f"memories-{namespace}", configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
            )
        return self._collections[namespace]


if __name__ == "__main__":
    run(Chroma)
