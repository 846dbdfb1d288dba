"""LangGraph's long-term store: ``put`` and ``search`` with an index on the text, a namespace per conversation."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from peer_protocol import DEPTH, Memory, Peer, Vectors, run


class LangGraph(Peer):
    """Variant ``memory``: InMemoryStore, which forgets when the program ends. Variant ``sqlite``: SqliteStore."""

    distributions = ("langgraph", "langgraph-checkpoint-sqlite")

    def __init__(self, home: Path, vectors: Vectors, variant: str) -> None:
        super().__init__(home, vectors, variant)
        self._store = self._persistent() if variant == "sqlite" else self._forgetful()

    def write(self, memory: Memory) -> None:
        self._store.put(("memories", memory.namespace), memory.id, {"text": memory.told})

    def write_batch(self, memories: Sequence[Memory]) -> None:
        from langgraph.store.base import PutOp

        first = {memory.told: memory for memory in reversed(memories)}
        self._store.batch([PutOp(("memories", one.namespace), one.id, {"text": one.told}) for one in first.values()])
        # InMemoryStore refuses a batch that holds a text twice.
        if again := [memory for memory in memories if first[memory.told] is not memory]:
            self.write_batch(again)

    def query(self, namespace: str, text: str) -> list[str]:
        return [item.key for item in self._store.search(("memories", namespace), query=text, limit=DEPTH)]

    def close(self) -> None:
        if self.variant == "sqlite":
            self._store.conn.close()

    def _embed(self, texts: Sequence[str]) -> list[list[float]]:
        return [self.vectors.of(text) for text in texts]

    def _forgetful(self):
        from langgraph.store.memory import InMemoryStore

        return InMemoryStore(index={"dims": self.vectors.dimension, "embed": self._embed, "fields": ["text"]})

    def _persistent(self):
        # The store loads the extension sqlite-vec, which many builds of Python's own sqlite3 cannot.
        import pysqlite3

        sys.modules["sqlite3"] = pysqlite3
        from langgraph.store.sqlite import SqliteStore

        connection = pysqlite3.connect(self.home / "store.db", check_same_thread=False, isolation_level=None)
        # It reads text_fields where the other stores read fields; without it the whole value would be embedded.
        index = {"dims": self.vectors.dimension, "embed": self._embed, "text_fields": ["text"]}
        store = SqliteStore(connection, index=index)
        store.setup()
        return store


if __name__ == "__main__":
    run(LangGraph)
