"""The suite of the Embedder port: every embedder and every double passes it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from aim_memory.llm.batching import BatchingEmbedder
from aim_memory.llm.cached import CachedEmbedder
from aim_memory.llm.hashing import HashingEmbedder
from aim_memory.llm.lazy import Identity, LazyEmbedder
from aim_memory.llm.openai_embedder import OpenAIEmbedder
from aim_memory.llm.packaged import packaged_identity
from aim_memory.ports import Embedder
from aim_memory.settings import EmbedderSettings
from aim_memory.types import TokenBits, Vectors
from tests.embedding_server import EmbeddingServer

TEXTS = [
    "Ada moved to Lisbon in March and found a flat near the river.",
    "The invoice of 1,250 euros is due on Friday.",
    "小明每天早上在公园跑步。",
    "ok",
    "???",
    " ",
]
PAIRS = [
    ("Ada moved to Lisbon in spring", "When did Ada move to Lisbon?", "The invoice is due on Friday"),
    ("我今天早上去公园跑步了", "早上在公园跑步", "发票星期五到期"),
]


def _minilm() -> Embedder:
    from aim_memory.llm.sentence_transformers import SentenceTransformersEmbedder

    settings = EmbedderSettings()
    return LazyEmbedder(packaged_identity(settings), lambda: SentenceTransformersEmbedder(settings))


class WordShowingEmbedder(HashingEmbedder):
    """Shows a vector for each word, as a model shows one for each token."""

    def embed_queries_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, Sequence[Vectors]]:
        return self.embed_queries(texts), [self.embed_documents(text.split()) for text in texts]

    def embed_documents_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, Sequence[TokenBits]]:
        vectors, words = self.embed_queries_with_tokens(texts)
        return vectors, [np.packbits(own > 0, axis=1) for own in words]


class ServedEmbedder(OpenAIEmbedder):
    """Asks a server of its own on loopback, in batches of two."""

    def __init__(self) -> None:
        server = EmbeddingServer().__enter__()
        self.close = weakref.finalize(self, server.__exit__)
        super().__init__(
            EmbedderSettings(kind="openai", url=server.url, model="hashed", dimension=256, window=256, batch_size=2)
        )


FACTORIES: dict[str, Callable[[Path], Embedder]] = {
    "words": lambda folder: WordShowingEmbedder(),
    "cached words": lambda folder: CachedEmbedder(WordShowingEmbedder(), folder),
    "hashing": lambda folder: HashingEmbedder(),
    "cached": lambda folder: CachedEmbedder(HashingEmbedder(), folder),
    "batching": lambda folder: BatchingEmbedder(HashingEmbedder()),
    "openai": lambda folder: ServedEmbedder(),
    "batching openai": lambda folder: BatchingEmbedder(ServedEmbedder()),
    "lazy": lambda folder: LazyEmbedder(Identity("hashing-1|256", 256, 256), HashingEmbedder),
    "minilm": lambda folder: _minilm(),
}


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.real_embedder if name == "minilm" else ()) for name in FACTORIES],
)
def embedder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedder]:
    made = FACTORIES[request.param](tmp_path_factory.mktemp(request.param))
    yield made
    if isinstance(made, CachedEmbedder):
        made.close()


def assert_alike(some: Vectors, others: Vectors) -> None:
    """A model's arithmetic may depend a little on what shares its batch."""
    np.testing.assert_array_less(0.9995, np.sum(some * others, axis=1))


def test_documents_are_unit_rows_in_order(embedder: Embedder) -> None:
    vectors = embedder.embed_documents(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert_alike(vectors, np.concatenate([embedder.embed_documents([text]) for text in TEXTS]))


def test_queries_are_unit_rows_in_order(embedder: Embedder) -> None:
    vectors = embedder.embed_queries(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert_alike(vectors, np.concatenate([embedder.embed_queries([text]) for text in TEXTS]))


def test_an_empty_batch_keeps_its_shape(embedder: Embedder) -> None:
    assert embedder.embed_documents([]).shape == (0, embedder.dimension)
    assert embedder.embed_queries([]).shape == (0, embedder.dimension)


def test_repeats_in_a_batch_get_the_same_vector(embedder: Embedder) -> None:
    first, _, again = embedder.embed_documents([TEXTS[0], TEXTS[1], TEXTS[0]])
    assert_alike(first[np.newaxis], again[np.newaxis])


@pytest.mark.parametrize(("document", "near", "far"), PAIRS)
def test_like_texts_get_like_vectors(embedder: Embedder, document: str, near: str, far: str) -> None:
    [stored] = embedder.embed_documents([document])
    close, distant = embedder.embed_queries([near, far]) @ stored
    assert close > distant + 0.1


def test_token_signs_come_with_the_same_document_vectors(embedder: Embedder) -> None:
    for _ in range(2):  # the second time a cache answers
        vectors, tokens = embedder.embed_documents_with_tokens(TEXTS)
        assert_alike(vectors, embedder.embed_documents(TEXTS))
        for bits in tokens or ():
            assert bits.dtype == np.uint8
            assert bits.shape[1] == embedder.dimension // 8


def test_token_vectors_come_with_the_same_query_vectors(embedder: Embedder) -> None:
    for _ in range(2):
        vectors, tokens = embedder.embed_queries_with_tokens(TEXTS)
        assert_alike(vectors, embedder.embed_queries(TEXTS))
        for own in tokens or ():
            assert own.dtype == np.float32
            assert own.shape[1] == embedder.dimension
            np.testing.assert_allclose(np.linalg.norm(own, axis=1), 1.0, atol=2e-3)


def test_token_signs_are_those_of_the_token_vectors(embedder: Embedder) -> None:
    _, signs = embedder.embed_documents_with_tokens(TEXTS[:1])
    _, tokens = embedder.embed_queries_with_tokens(TEXTS[:1])
    assert (signs is None) == (tokens is None)
    if signs is not None and tokens is not None:
        agreeing = np.unpackbits(signs[0], axis=1) == (tokens[0] > 0)
        assert agreeing.mean() > 0.99


def test_an_empty_batch_has_no_tokens(embedder: Embedder) -> None:
    for embed in (embedder.embed_documents_with_tokens, embedder.embed_queries_with_tokens):
        vectors, tokens = embed([])
        assert vectors.shape == (0, embedder.dimension)
        assert not tokens


def test_the_generation_names_the_dimension_and_stays(embedder: Embedder) -> None:
    assert str(embedder.dimension) in embedder.generation
    assert embedder.generation == embedder.generation
    assert embedder.window > 0


def test_threads_get_their_own_answers(embedder: Embedder) -> None:
    questions = [f"Where was Ada in the year {year}?" for year in range(2000, 2024)]
    alone = embedder.embed_queries(questions)
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda question: embedder.embed_queries([question])[0], questions))
    assert_alike(np.stack(together), alone)
