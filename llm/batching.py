"""An embedder that turns questions asked at the same moment into one call of the model.

There is no timer. Whoever holds the turn embeds everything that has gathered while it waited; a lone caller waits for
nobody.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence

from aim_memory.errors import EmbedderError
from aim_memory.ports import Embedder
from aim_memory.types import TokenBits, Vectors


class BatchingEmbedder(Embedder):
    """Joins concurrent ``embed_queries`` calls; documents, which come in batches already, pass through.

    A call that fails in company is tried again alone, so one bad text does not fail its neighbours.
    """

    def __init__(self, inner: Embedder, max_texts: int = 64) -> None:
        self._inner = inner
        self._max_texts = max_texts
        self._gate = threading.Lock()
        self._turn = threading.Lock()
        self._waiting: deque[_Call] = deque()

    @property
    def generation(self) -> str:
        return self._inner.generation

    @property
    def dimension(self) -> int:
        return self._inner.dimension

    @property
    def window(self) -> int:
        return self._inner.window

    @property
    def queued(self) -> int:
        """How many calls wait for the model."""
        return len(self._waiting)

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        return self._inner.embed_documents(texts)

    def embed_documents_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, Sequence[TokenBits] | None]:
        return self._inner.embed_documents_with_tokens(texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self.embed_queries_with_tokens(texts)[0]

    def embed_queries_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, Sequence[Vectors] | None]:
        call = _Call(texts)
        with self._gate:
            self._waiting.append(call)
        with self._turn:
            while not call.is_answered:
                self._serve(self._take())
        return call.answer()

    def _take(self) -> list[_Call]:
        """The oldest calls that fit into one batch, at least one."""
        taken: list[_Call] = []
        room = self._max_texts
        with self._gate:
            while self._waiting and (not taken or len(self._waiting[0].texts) <= room):
                taken.append(self._waiting.popleft())
                room -= len(taken[-1].texts)
        return taken

    def _serve(self, calls: Sequence[_Call]) -> None:
        try:
            vectors, tokens = self._inner.embed_queries_with_tokens([text for call in calls for text in call.texts])
        except EmbedderError as error:
            if len(calls) == 1:
                calls[0].error = error
                return
            for call in calls:
                self._serve([call])
            return
        start = 0
        for call in calls:
            end = start + len(call.texts)
            call.found = vectors[start:end], None if tokens is None else tokens[start:end]
            start = end


class _Call:
    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = tuple(texts)
        self.found: tuple[Vectors, Sequence[Vectors] | None] | None = None
        self.error: EmbedderError | None = None

    @property
    def is_answered(self) -> bool:
        return self.found is not None or self.error is not None

    def answer(self) -> tuple[Vectors, Sequence[Vectors] | None]:
        if self.found is None:
            raise self.error or EmbedderError()
        return self.found
