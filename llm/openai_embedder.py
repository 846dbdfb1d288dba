"""The embedder over any server that speaks OpenAI's embeddings: vLLM, llama.cpp, Ollama, hosted ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx2
import numpy as np

from aim_memory.errors import ConfigurationError, EmbedderError
from aim_memory.llm.packaged import generation
from aim_memory.ports import Embedder
from aim_memory.settings import EmbedderSettings
from aim_memory.types import Vectors


class OpenAIEmbedder(Embedder):
    """``POST {url}/embeddings``, ``batch_size`` texts at a time, over connections that are kept.

    The server is first asked when something is embedded: while it is down, writes are kept as pending.

    Raises:
        ConfigurationError: No URL, no model or no dimension is set.
    """

    def __init__(self, settings: EmbedderSettings) -> None:
        # The packaged model's name is the default of another kind.
        if not settings.url or "model" not in settings.model_fields_set or not settings.dimension:
            raise ConfigurationError(
                "An embedder of kind 'openai' needs AIM_EMBEDDER__URL (up to and with /v1), AIM_EMBEDDER__MODEL and "
                "AIM_EMBEDDER__DIMENSION."
            )
        self._settings = settings
        self._dimension = settings.dimension
        self._url = settings.url.rstrip("/") + "/embeddings"
        key = settings.api_key
        headers = {"authorization": f"Bearer {key.get_secret_value()}"} if key else {}
        self._http = httpx2.Client(headers=headers, timeout=settings.timeout_s)

    @property
    def generation(self) -> str:
        own = self._settings
        return generation(own.model, own.revision or "", self._dimension, own.query_prefix, own.document_prefix)

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def window(self) -> int:
        return self._settings.window

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        return self._embed([self._settings.document_prefix + text for text in texts])

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self._embed([self._settings.query_prefix + text for text in texts])

    def _embed(self, texts: Sequence[str]) -> Vectors:
        size = self._settings.batch_size
        parts = [self._batch(texts[at : at + size]) for at in range(0, len(texts), size)]
        return np.concatenate([np.empty((0, self._dimension), np.float32), *parts])

    def _batch(self, texts: Sequence[str]) -> Vectors:
        # Servers refuse an empty text; one without a word means as little as a space.
        asked = {"model": self._settings.model, "input": [text or " " for text in texts], "encoding_format": "float"}
        vectors = self._vectors(self._reply(asked), len(texts))
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise EmbedderError(f"{self._settings.model} sent a vector without a direction.")
        directions: Vectors = vectors / lengths
        return directions

    def _reply(self, asked: Mapping[str, Any]) -> Any:
        model = self._settings.model
        try:
            response = self._http.post(self._url, json=asked)
            if response.status_code != 200:
                raise EmbedderError(f"{model} at {self._url} answered {response.status_code}: {response.text[:300]}")
            return response.json()
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise EmbedderError(f"{model} at {self._url} could not be reached: {reason}") from error
        except ValueError as error:
            raise EmbedderError(f"{model} at {self._url} sent something that is not JSON.") from error

    def _vectors(self, reply: Any, count: int) -> Vectors:
        try:
            items = sorted(reply["data"], key=lambda item: item["index"])
            vectors = np.array([item["embedding"] for item in items], dtype=np.float32)
        except (KeyError, TypeError, ValueError) as error:
            raise EmbedderError(f"{self._settings.model} sent embeddings of an unknown shape.") from error
        if vectors.shape == (count, self._dimension):
            return vectors
        if vectors.ndim == 2 and len(vectors) == count:
            raise EmbedderError(
                f"{self._settings.model} makes vectors of {vectors.shape[1]} numbers, not {self._dimension}: set "
                f"AIM_EMBEDDER__DIMENSION={vectors.shape[1]}."
            )
        raise EmbedderError(f"{self._settings.model} sent {len(vectors)} embeddings for {count} texts.")
