"""An embedder that remembers its vectors on disk, by digest of the text.

One SQLite file per generation. Losing it costs time, never an answer: a damaged file is thrown away and made anew, a
damaged row is embedded again, and a full disk only means that nothing more is kept.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from aim_memory.errors import ConfigurationError
from aim_memory.ports import Embedder
from aim_memory.types import TokenBits, Vectors

_log = logging.getLogger(__name__)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (key TEXT PRIMARY KEY, vector BLOB NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID
"""
_READ = "SELECT key, vector, crc FROM vectors WHERE key IN (SELECT value FROM json_each(?))"
_WRITE = "INSERT OR REPLACE INTO vectors (key, vector, crc) VALUES (?, ?, ?)"
_T = TypeVar("_T")


class CachedEmbedder(Embedder):
    """Wraps an embedder; safe across threads and across processes that share the folder."""

    def __init__(self, inner: Embedder, folder: Path) -> None:
        self._inner = inner
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"The folder of the vector cache cannot be made: {error}. Change AIM_EMBEDDER__CACHE_DIR."
            ) from error
        name = blake2b(inner.generation.encode(), digest_size=8).hexdigest()
        self._shelf = _Shelf(folder / f"tokens-{name}.sqlite3", inner.dimension)

    @property
    def generation(self) -> str:
        return self._inner.generation

    @property
    def dimension(self) -> int:
        return self._inner.dimension

    @property
    def window(self) -> int:
        return self._inner.window

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        return self.embed_documents_with_tokens(texts)[0]

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self.embed_queries_with_tokens(texts)[0]

    def embed_documents_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, Sequence[TokenBits] | None]:
        vectors, tokens = self._embed("document", texts, self._inner.embed_documents_with_tokens, np.uint8)
        return vectors, tokens and [own.reshape(-1, self.dimension // 8) for own in tokens]

    def embed_queries_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, Sequence[Vectors] | None]:
        vectors, tokens = self._embed("query", texts, self._inner.embed_queries_with_tokens, np.float16)
        return vectors, tokens and [own.reshape(-1, self.dimension).astype(np.float32) for own in tokens]

    def close(self) -> None:
        """Closes the file; the embedder goes on without it."""
        self._shelf.close()

    def _embed(
        self, kind: str, texts: Sequence[str], embed: _Embed, dtype: type[np.generic]
    ) -> tuple[Vectors, list[NDArray[Any]] | None]:
        keys = [_key(kind, text) for text in texts]
        known = dict(self._shelf.read(keys))
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            vectors, tokens = embed(list(missing.values()))
            fresh = dict(zip(missing, _entries(vectors, tokens, dtype), strict=True))
            self._shelf.write(fresh)
            known |= fresh
        size = 4 * self.dimension
        found = [known[key] for key in keys]
        rows = [np.frombuffer(entry[:size], "<f4") for entry in found]
        shown = [np.frombuffer(entry[size:], dtype) for entry in found]
        unseen = not any(len(own) for own in shown)
        return np.array(rows, np.float32).reshape(len(keys), self.dimension), None if unseen else shown


_Embed: TypeAlias = Callable[[Sequence[str]], tuple[Vectors, Sequence[NDArray[Any]] | None]]


def _entries(vectors: Vectors, tokens: Sequence[NDArray[Any]] | None, dtype: type[np.generic]) -> Iterator[bytes]:
    """Per text: its vector, then those of its tokens, if the embedder shows them."""
    for row, vector in enumerate(vectors):
        yield vector.astype("<f4").tobytes() + (b"" if tokens is None else tokens[row].astype(dtype).tobytes())


def _key(kind: str, text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, person=kind.encode()).hexdigest()


class _Shelf:
    """Vectors, with those of tokens behind them, by key, in a SQLite file that may be lost at any time."""

    def __init__(self, file: Path, dimension: int) -> None:
        self._file = file
        self._dimension = dimension
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._attempt(lambda connection: None)

    def read(self, keys: Iterable[str]) -> Mapping[str, bytes]:
        wanted = json.dumps(list(keys))
        rows = self._attempt(lambda connection: connection.execute(_READ, (wanted,)).fetchall()) or []
        size = 4 * self._dimension
        return {key: blob for key, blob, crc in rows if len(blob) >= size and crc32(blob) == crc}

    def write(self, entries: Mapping[str, bytes]) -> None:
        if not entries:
            return
        rows = [(key, blob, crc32(blob)) for key, blob in entries.items()]
        self._attempt(lambda connection: _commit(connection, rows))

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _attempt(self, step: Callable[[sqlite3.Connection], _T]) -> _T | None:
        """Runs a step; makes a damaged file anew and tries once more; None when the file cannot be used now."""
        with self._lock:
            for _ in range(2):
                try:
                    return self._run(step)
                except sqlite3.OperationalError as error:  # locked, full, read-only
                    _log.warning("The vector cache %s cannot be used now: %s", self._file, error)
                    break
                except sqlite3.DatabaseError as error:
                    _log.warning("The vector cache %s is damaged (%s) and is made anew", self._file, error)
                    self._discard()
        return None

    def _run(self, step: Callable[[sqlite3.Connection], _T]) -> _T:
        if self._connection is None:
            self._connection = _open(self._file)
        return step(self._connection)

    def _discard(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        for suffix in ("", "-wal", "-shm"):
            self._file.with_name(self._file.name + suffix).unlink(missing_ok=True)


def _open(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=10.0, check_same_thread=False, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(_SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _commit(connection: sqlite3.Connection, rows: Sequence[tuple[str, bytes, int]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany(_WRITE, rows)
        connection.execute("COMMIT")
    except sqlite3.Error:
        connection.rollback()
        raise
