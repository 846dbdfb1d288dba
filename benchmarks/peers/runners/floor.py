"""The floor, no product: a FAISS flat index per conversation and one SQLite row per memory."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import faiss
import numpy as np
from peer_protocol import DEPTH, Memory, Peer, Vectors, run

SCHEMA = "CREATE TABLE memories (row INTEGER PRIMARY KEY, id TEXT, text TEXT, vector BLOB)"
INSERT = "INSERT INTO memories VALUES (?, ?, ?, ?)"
READ = "SELECT row, id, text FROM memories WHERE row IN (SELECT value FROM json_each(?))"


class Floor(Peer):
    """Keeps texts and vectors in SQLite, committed per write, and compares a question with all of its conversation."""

    distributions = ("faiss-cpu",)

    def __init__(self, home: Path, vectors: Vectors, variant: str) -> None:
        super().__init__(home, vectors, variant)
        self._rows = sqlite3.connect(home / "floor.db", isolation_level=None)
        self._rows.execute("PRAGMA journal_mode = WAL")
        self._rows.execute("PRAGMA synchronous = NORMAL")
        self._rows.execute(SCHEMA)
        self._indexes: dict[str, faiss.IndexIDMap] = {}
        self._count = 0

    def write(self, memory: Memory) -> None:
        self.write_batch([memory])

    def write_batch(self, memories: Sequence[Memory]) -> None:
        vectors = self.vectors([memory.told for memory in memories])
        first, self._count = self._count, self._count + len(memories)
        numbers = np.arange(first, self._count)
        rows = zip(numbers.tolist(), memories, vectors, strict=True)
        self._rows.execute("BEGIN IMMEDIATE")
        self._rows.executemany(INSERT, [(row, one.id, one.told, vector.tobytes()) for row, one, vector in rows])
        self._rows.execute("COMMIT")
        self._index(memories[0].namespace).add_with_ids(vectors, numbers)

    def query(self, namespace: str, text: str) -> list[str]:
        _, found = self._index(namespace).search(self.vectors([text]), DEPTH)
        best = [int(row) for row in found[0] if row >= 0]
        read = {row: id for row, id, _ in self._rows.execute(READ, (json.dumps(best),))}
        return [read[row] for row in best]

    def close(self) -> None:
        self._rows.close()

    def _index(self, namespace: str) -> faiss.IndexIDMap:
        if namespace not in self._indexes:
            self._indexes[namespace] = faiss.IndexIDMap(faiss.IndexFlatIP(self.vectors.dimension))
        return self._indexes[namespace]


if __name__ == "__main__":
    run(Floor)
