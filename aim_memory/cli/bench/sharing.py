"""Parts of an engine that remember: one question under many configurations costs little more than under one.

Only for asking: nothing is written through them, so what was read stays right.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from aim_memory.engine import Parts
from aim_memory.ports import Embedder, Index, IndexKeeper, MemoryStore
from aim_memory.sessions import Sessions
from aim_memory.types import SessionState, Space, StoredMemory, Vector, Vectors

FEW = 16
"""Results kept of the last questions to an index: those of one question under all configurations."""
_T = TypeVar("_T")


def sharing(parts: Parts) -> Parts:
    """The same parts, remembering what they read and compute."""
    return replace(
        parts,
        store=cast(MemoryStore, _RememberingStore(parts.store)),
        keeper=_RememberingKeeper(parts.keeper),
        embedder=_RememberingEmbedder(parts.embedder),
    )


class Courses(Sessions):
    """Session states in memory alone."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self._courses: dict[tuple[Space, str], SessionState] = {}

    def get(self, space: Space, session_id: str) -> SessionState:
        return self._courses.get((space, session_id), SessionState())

    def put(self, space: Space, session_id: str, state: SessionState) -> None:
        self._courses[space, session_id] = state


class _Kept(OrderedDict[Hashable, Any]):
    """The last few results by what was asked."""

    def of(self, key: Hashable, compute: Callable[[], _T]) -> _T:
        if key not in self:
            self[key] = compute()
            if len(self) > FEW:
                self.popitem(last=False)
        return cast(_T, self[key])


class _RememberingEmbedder(Embedder):
    def __init__(self, inner: Embedder) -> None:
        self._inner = inner
        self._known: dict[tuple[str, ...], tuple[Vectors, Sequence[Vectors] | None]] = {}

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
        return self._inner.embed_documents(texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self.embed_queries_with_tokens(texts)[0]

    def embed_queries_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, Sequence[Vectors] | None]:
        key = tuple(texts)
        if key not in self._known:
            self._known[key] = self._inner.embed_queries_with_tokens(texts)
        return self._known[key]


class _RememberingStore:
    def __init__(self, inner: MemoryStore) -> None:
        self._inner = inner
        self._known: dict[Space, dict[str, StoredMemory]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def get(self, space: Space, ids: Sequence[str]) -> Mapping[str, StoredMemory]:
        known = self._known.setdefault(space, {})
        if missing := [one for one in ids if one not in known]:
            known.update(self._inner.get(space, missing))
        return {one: known[one] for one in ids if one in known}


class _RememberingKeeper(IndexKeeper):
    def __init__(self, inner: IndexKeeper) -> None:
        self._inner = inner
        self._known: dict[Space, _RememberingIndex] = {}

    @contextmanager
    def open(self, space: Space) -> Iterator[Index]:
        with self._inner.open(space) as index:
            known = self._known.get(space)
            if known is None or known.inner is not index:
                known = self._known[space] = _RememberingIndex(index)
            yield cast(Index, known)

    def refresh(self, space: Space) -> None:
        self._inner.refresh(space)

    def drop(self, space: Space) -> None:
        self._inner.drop(space)


class _RememberingIndex:
    """An index whose costly answers are kept; all else is passed on."""

    def __init__(self, inner: Index) -> None:
        self.inner = inner
        self._kept = _Kept()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def __len__(self) -> int:
        return len(self.inner)

    def excerpt(self, *asked: Any) -> Any:
        """This very index, where that is its own excerpt."""
        found = self.inner.excerpt(*asked)
        return self if found is self.inner else found

    def similarities(self, question: Vector) -> NDArray[np.float32]:
        return self._kept.of(question.tobytes(), lambda: self.inner.similarities(question))

    def lexical(self, terms: Mapping[str, float]) -> NDArray[np.float32]:
        return self._kept.of(frozenset(terms.items()), lambda: self.inner.lexical(terms))

    def late(self, tokens: Vectors, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Row by row as before: a row's matches do not depend on the others that are asked for."""
        known: dict[int, NDArray[np.float32]] = self._kept.of(("late", tokens.tobytes()), dict)
        wanted = rows.tolist()
        missing = [row for row in dict.fromkeys(wanted) if row not in known]
        if missing:
            known.update(zip(missing, self.inner.late(tokens, np.asarray(missing, np.int64)), strict=True))
        return np.array([known[row] for row in wanted], np.float32).reshape(len(wanted), len(tokens))
