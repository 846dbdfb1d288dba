"""A service that moves from one embedder to another: two embedders whose vectors cannot be mistaken for each other, and
an engine that refuses to mix them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aim_memory.bodies import QueryReply, QueryRequest, UpdateRequest, WriteRequest
from aim_memory.config import AIMConfig
from aim_memory.engine import MemoryEngine, Parts
from aim_memory.errors import EmbedderError
from aim_memory.llm.hashing import HashingEmbedder
from aim_memory.ports import Clock, Embedder, MemoryStore
from aim_memory.sessions import Sessions
from aim_memory.settings import LimitSettings
from aim_memory.storage.index import FlatIndex
from aim_memory.storage.keeper import FollowingKeeper
from aim_memory.types import IndexRow, Space, Vector, Vectors
from tests.memories import START

SPACE = Space("acme", "user/ada")
WORDS = ("kettle", "harbour", "violin", "茶", "meeting", "lantern", "garden", "ticket", "河", "winter")
_HALF = 32


class HalfEmbedder(Embedder):
    """Uses one half of the dimensions, and leaves the other half to its twin: of the same length, never alike."""

    def __init__(self, half: int) -> None:
        self.half = half
        self.down = False
        self.embedded = 0
        """Documents."""
        self._inner = HashingEmbedder(_HALF)

    @property
    def generation(self) -> str:
        return f"half-{self.half}|{self.dimension}"

    @property
    def dimension(self) -> int:
        return 2 * _HALF

    @property
    def window(self) -> int:
        return 64

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        self.embedded += len(texts)
        return self.embed_queries(texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        if self.down:
            raise EmbedderError
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        vectors[:, self._own] = self._inner.embed_queries(texts)
        return vectors

    def owns(self, vector: Vector) -> bool:
        """Whether nothing of it is the twin's."""
        return bool(np.count_nonzero(vector) == np.count_nonzero(vector[self._own]))

    @property
    def _own(self) -> slice:
        return slice(self.half * _HALF, (self.half + 1) * _HALF)


class UnmixedIndex(FlatIndex):
    """Refuses vectors of another embedder, from the store and from questions."""

    def __init__(self, embedder: HalfEmbedder) -> None:
        super().__init__(embedder.dimension)
        self._embedder = embedder

    def upsert(self, rows: Sequence[IndexRow]) -> None:
        for segment in (segment for row in rows for segment in row.segments):
            assert segment.vector is None or self._embedder.owns(segment.vector), "a stored vector of another embedder"
        super().upsert(rows)

    def similarities(self, question: Vector) -> NDArray[np.float32]:
        assert self._embedder.owns(question), "a question, or its session, of another embedder"
        return super().similarities(question)


class Ticking(Clock):
    """Stands still unless told otherwise."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self.at: datetime = START + ahead
        self._ids = 0

    def now(self) -> datetime:
        return self.at

    def new_id(self) -> str:
        self._ids += 1
        return f"{self.at.isoformat()}-{self._ids:06d}"


class Service:
    """An engine over a store, as one embedder sees it."""

    def __init__(
        self,
        store: MemoryStore,
        embedder: HalfEmbedder,
        clock: Clock,
        others: Callable[[Mapping[str, Any]], Embedder] | None = None,
    ) -> None:
        store.use(embedder.generation)
        self.store = store
        self.embedder = embedder
        self.engine = MemoryEngine(
            Parts(
                store=store,
                keeper=FollowingKeeper(store, lambda: UnmixedIndex(embedder)),
                sessions=Sessions(store, embedder.generation),
                embedder=embedder,
                generators={},
                clock=clock,
                config=AIMConfig(),
                limits=LimitSettings(),
                open_embedder=others,
            )
        )

    def write(self, *told: tuple[str, str]) -> None:
        """Writes memories, (id, text), a hundred at a time."""
        items = [{"id": memory_id, "text": text, "timestamp": START} for memory_id, text in told]
        for start in range(0, len(items), 100):
            request = {"namespace": SPACE.namespace, "memories": items[start : start + 100]}
            self.engine.write(SPACE.tenant, WriteRequest.model_validate(request), author=None)

    def edit(self, memory_id: str, text: str) -> None:
        self.engine.update(SPACE.tenant, memory_id, UpdateRequest(text=text), namespace=SPACE.namespace)

    def delete(self, memory_id: str) -> None:
        self.engine.delete(SPACE.tenant, memory_id, namespace=SPACE.namespace)

    def ask(self, question: str, session_id: str | None = None) -> QueryReply:
        return self.engine.query(
            SPACE.tenant,
            QueryRequest(query=question, namespace=SPACE.namespace, session_id=session_id, reference_date=START),
        )

    def answers(self) -> list[list[tuple[str, float]]]:
        """What is found for every word, with scores."""
        replies = [self.ask(f"What about the {word}?") for word in WORDS]
        return [[(hit.id, round(hit.score, 4)) for hit in reply.results] for reply in replies]

    def keep_up(self) -> int:
        """Embeds all that waits; returns how many these were."""
        rounds = iter(lambda: self.engine.upkeep()["embedded"], 0)
        return sum(rounds)

    def texts(self) -> dict[str, str]:
        ids = [row.id for row in self.store.snapshot(SPACE)[1]]
        return {memory_id: memory.text for memory_id, memory in self.store.get(SPACE, ids).items()}

    def check_vectors(self) -> int:
        """Every memory has the vectors of its present text; returns how many there are."""
        _, rows = self.store.snapshot(SPACE)
        texts, checked = self.texts(), 0
        for row in rows:
            passages = [texts[row.id][own.start : own.end] for own in row.segments]
            for segment, wanted in zip(row.segments, self.embedder.embed_queries(passages), strict=True):
                assert segment.vector is not None, f"{row.id} has no vector"
                np.testing.assert_array_equal(segment.vector, wanted)
                checked += 1
        return checked
