"""An embedder that turns questions asked at the same moment into one call of the model.

There is no timer. One of the callers leads: it embeds everything that has gathered, its own question among it, hands
the lead to a caller that came meanwhile, and goes. A lone caller waits for nobody.
"""

from __future__ import annotations

import threading
import time
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
        self._waiting: deque[_Call] = deque()
        self._is_led = False

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
            leads, self._is_led = not self._is_led, True
        if not leads:
            self._wait(call)
        if not call.is_answered:
            self._lead(call)
        return call.answer()

    def _wait(self, call: _Call) -> None:
        try:
            call.woken.wait()
        except BaseException:  # Ctrl-C: nobody is to wait for who has left
            with self._gate:
                waits = call in self._waiting
                if waits:
                    self._waiting.remove(call)
                if waits and call.woken.is_set():
                    self._hand_on()
            raise

    def _lead(self, call: _Call) -> None:
        """Serves what waits until ``call`` was among it, then hands the lead on."""
        try:
            while not call.is_answered:
                self._let_others_in()
                self._serve_together(self._take())
        finally:
            with self._gate:
                self._hand_on()

    def _hand_on(self) -> None:
        """Gives the lead to who has waited longest; the gate is held."""
        self._is_led = bool(self._waiting)
        if self._waiting:
            self._waiting[0].woken.set()

    def _let_others_in(self) -> None:
        """Lets threads run that are about to ask: those served together come back together."""
        seen = -1
        while len(self._waiting) != seen:
            seen = len(self._waiting)
            time.sleep(0)

    def _take(self) -> list[_Call]:
        """The oldest calls that fit into one batch, at least one."""
        taken: list[_Call] = []
        room = self._max_texts
        with self._gate:
            while self._waiting and (not taken or len(self._waiting[0].texts) <= room):
                taken.append(self._waiting.popleft())
                room -= len(taken[-1].texts)
        return taken

    def _serve_together(self, calls: Sequence[_Call]) -> None:
        try:
            self._serve(calls)
        finally:
            for call in calls:
                call.end()

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
        self.woken = threading.Event()
        """Set when the call is answered, or when it is its turn to lead."""

    @property
    def is_answered(self) -> bool:
        return self.found is not None or self.error is not None

    def end(self) -> None:
        """Nobody looks after the call any more."""
        if not self.is_answered:
            self.error = EmbedderError()
        self.woken.set()

    def answer(self) -> tuple[Vectors, Sequence[Vectors] | None]:
        if self.found is None:
            raise self.error or EmbedderError()
        return self.found
