"""An embedder that is loaded when it first embeds, so that what embeds nothing never waits for a model."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aim_memory.errors import ConfigurationError
from aim_memory.ports import Embedder
from aim_memory.types import TokenBits, Vectors


@dataclass(frozen=True, slots=True)
class Identity:
    """What an embedder says of itself."""

    generation: str
    dimension: int
    window: int


class LazyEmbedder(Embedder):
    """Stands for an embedder whose identity is known. A failed load is tried again by the next call.

    Raises:
        ConfigurationError: (on the first embedding) what was loaded is not what was announced.
    """

    def __init__(self, identity: Identity, load: Callable[[], Embedder]) -> None:
        self._identity = identity
        self._load = load
        self._lock = threading.Lock()
        self._loaded: Embedder | None = None

    @property
    def generation(self) -> str:
        return self._identity.generation

    @property
    def dimension(self) -> int:
        return self._identity.dimension

    @property
    def window(self) -> int:
        return self._identity.window

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        return self.loaded().embed_documents(texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self.loaded().embed_queries(texts)

    def embed_documents_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, Sequence[TokenBits] | None]:
        return self.loaded().embed_documents_with_tokens(texts)

    def embed_queries_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, Sequence[Vectors] | None]:
        return self.loaded().embed_queries_with_tokens(texts)

    def loaded(self) -> Embedder:
        """The embedder itself, loaded by now."""
        with self._lock:
            if self._loaded is None:
                embedder = self._load()
                found = Identity(embedder.generation, embedder.dimension, embedder.window)
                if found != self._identity:
                    raise ConfigurationError(f"The embedder that was loaded is {found}, not {self._identity}.")
                self._loaded = embedder
            return self._loaded
