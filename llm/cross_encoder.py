"""A cross-encoder of sentence-transformers as a reranker."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import CrossEncoder

from aim_memory.errors import ConfigurationError, EmbedderError
from aim_memory.ports import Reranker
from aim_memory.settings import RerankerSettings


class CrossEncoderReranker(Reranker):
    """Loads the model at once. Raises ConfigurationError when there is none under that name."""

    def __init__(self, settings: RerankerSettings) -> None:
        try:
            self._model = CrossEncoder(str(settings.model), revision=settings.revision, device=settings.device)
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"AIM_RERANKER__MODEL {settings.model!r} cannot be loaded: {error}") from error
        self._turn = threading.Lock()  # tokenizers borrow their own state

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        try:
            with self._turn, torch.inference_mode():
                found = self._model.predict([(question, text) for text in texts], show_progress_bar=False)
        except RuntimeError as error:
            raise EmbedderError(f"the reranker failed: {error}") from error
        return np.asarray(found, np.float32).reshape(len(texts))
