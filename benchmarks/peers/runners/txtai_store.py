"""txtai: an Embeddings database per conversation, its content stored, vectors from outside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from peer_protocol import DEPTH, Memory, Peer, Vectors, run
from txtai import Embeddings


class Txtai(Peer):
    """Variant ``dense``: vectors. Variant ``hybrid``: vectors and its own BM25, in its own mixture."""

    distributions = ("txtai",)

    def __init__(self, home: Path, vectors: Vectors, variant: str) -> None:
        super().__init__(home, vectors, variant)
        self._indexes: dict[str, Embeddings] = {}

    def write(self, memory: Memory) -> None:
        self.write_batch([memory])

    def write_batch(self, memories: Sequence[Memory]) -> None:
        self._index(memories[0].namespace).upsert([(memory.id, memory.told) for memory in memories])

    def settle(self) -> None:
        """Saving writes the whole database anew, so it is done once, at the end."""
        for namespace, index in self._indexes.items():
            index.save(str(self.home / namespace))

    def query(self, namespace: str, text: str) -> list[str]:
        return [found["id"] for found in self._index(namespace).search(text, DEPTH)]

    def close(self) -> None:
        for index in self._indexes.values():
            index.close()

    def _index(self, namespace: str) -> Embeddings:
        if namespace not in self._indexes:
            self._indexes[namespace] = Embeddings(
                method="external",
                transform=lambda texts: self.vectors(texts),  # it would call anything but a function to make one
                content=True,
                hybrid=self.variant == "hybrid",
            )
        return self._indexes[namespace]


if __name__ == "__main__":
    run(Txtai)
