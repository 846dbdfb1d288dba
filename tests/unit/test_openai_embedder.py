"""What the embedder over OpenAI's embeddings sends, and what it makes of bad replies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from aim_memory.errors import ConfigurationError, EmbedderError
from aim_memory.llm.openai_embedder import OpenAIEmbedder
from aim_memory.settings import EmbedderSettings
from tests.embedding_server import EmbeddingServer


@pytest.fixture
def server() -> Iterator[EmbeddingServer]:
    with EmbeddingServer() as running:
        yield running


def embedder(server: EmbeddingServer, **settings: Any) -> OpenAIEmbedder:
    given = {"url": server.url + "/", "model": "hashed", "dimension": 256} | settings
    return OpenAIEmbedder(EmbedderSettings(kind="openai", **given))


def test_questions_and_documents_are_sent_with_their_prefixes_and_the_key(server: EmbeddingServer) -> None:
    model = embedder(server, query_prefix="query: ", document_prefix="passage: ", api_key=SecretStr("s3cret"))
    model.embed_queries(["Where?"])
    model.embed_documents(["In Lisbon.", ""])
    (headers, first), (_, second) = server.requests
    assert headers["authorization"] == "Bearer s3cret"
    assert first == {"model": "hashed", "input": ["query: Where?"], "encoding_format": "float"}
    assert second["input"] == ["passage: In Lisbon.", "passage: "]
    assert model.generation == "hashed||256|query: |passage: "


def test_an_empty_text_is_sent_as_a_space(server: EmbeddingServer) -> None:
    assert embedder(server).embed_queries([""]).shape == (1, 256)
    assert server.requests[0][1]["input"] == [" "]


def test_many_texts_are_sent_in_batches_and_come_back_in_order(server: EmbeddingServer) -> None:
    model = embedder(server, batch_size=3)
    texts = [f"text number {number}" for number in range(8)]
    together = model.embed_documents(texts)
    assert [len(body["input"]) for _, body in server.requests] == [3, 3, 2]
    np.testing.assert_allclose(together[5], model.embed_documents([texts[5]])[0], atol=1e-6)


def reply(*vectors: list[float]) -> tuple[int, str]:
    items = [{"index": place, "embedding": vector} for place, vector in enumerate(vectors)]
    return 200, json.dumps({"data": items})


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ((503, "busy"), "answered 503: busy"),
        ((200, "<html>"), "not JSON"),
        ((200, '{"data": [{"index": 0}]}'), "unknown shape"),
        ((200, '{"error": "no"}'), "unknown shape"),
        ((200, "[]"), "unknown shape"),
        (reply(), "0 embeddings for 1 texts"),
        (reply([1.0, 0.0], [0.0, 1.0]), "2 embeddings for 1 texts"),
        (reply([1.0, 0.0, 0.0]), "AIM_EMBEDDER__DIMENSION=3"),
        (reply([0.0, 0.0]), "without a direction"),
        ((200, '{"data": [{"index": 0, "embedding": [NaN, 1]}]}'), "without a direction"),
    ],
)
def test_a_bad_reply_is_an_error_that_says_what_it_was(
    server: EmbeddingServer, said: tuple[int, str], complaint: str
) -> None:
    server.script = [said]
    model = embedder(server, dimension=2)
    with pytest.raises(EmbedderError, match=complaint):
        model.embed_queries(["Where?"])


def test_a_server_that_is_down_is_an_error_and_no_more() -> None:
    with EmbeddingServer() as server:
        model = embedder(server)
    with pytest.raises(EmbedderError, match="could not be reached"):
        model.embed_queries(["Where?"])


@pytest.mark.parametrize("missing", ["url", "model", "dimension"])
def test_what_is_missing_is_named(missing: str) -> None:
    given = {"url": "http://127.0.0.1:1/v1", "model": "hashed", "dimension": 256}
    del given[missing]
    with pytest.raises(ConfigurationError, match=f"AIM_EMBEDDER__{missing.upper()}"):
        OpenAIEmbedder(EmbedderSettings(kind="openai", **given))
