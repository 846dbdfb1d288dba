"""A cross-encoder's second opinion, given by a double that reads for one word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from aim_memory.assemble import open_parts, open_rereading
from aim_memory.bodies import QueryReply, QueryRequest, WriteRequest
from aim_memory.engine import MemoryEngine
from aim_memory.engine.rereading import Rereading
from aim_memory.errors import ConfigurationError, EmbedderError
from aim_memory.ports import Reranker
from aim_memory.settings import RerankerSettings, Settings

TEXTS = [
    "The ferry leaves at noon.",
    "The ferry to the island is blue.",
    "A ferry ticket costs 12 euros.",
    "We took the ferry with Tom.",
]


class Reader(Reranker):
    def __init__(self, word: str) -> None:
        self.word = word
        self.read: list[int] = []

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        self.read.append(len(texts))
        return np.array([float(self.word in text) for text in texts], np.float32)


class Broken(Reranker):
    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        raise EmbedderError("the reranker failed: out of memory")


def asked(home: Path, rereading: Rereading | None, memories: Sequence[dict[str, str]], question: str) -> QueryReply:
    parts = open_parts(Settings(home=home, embedder={"kind": "hashing"}))
    engine = MemoryEngine(replace(parts, rereading=rereading))
    try:
        engine.write("t", WriteRequest.model_validate({"namespace": "n", "memories": memories}))
        request = {"namespace": "n", "query": question, "explain": True}
        return engine.query("t", QueryRequest.model_validate(request))
    finally:
        engine.close()


def ferries() -> list[dict[str, str]]:
    return [{"text": text} for text in TEXTS]


@pytest.mark.parametrize("word", ["Tom", "blue"])
def test_what_the_model_prefers_comes_first_and_parts_still_sum_to_the_score(tmp_path: Path, word: str) -> None:
    reply = asked(tmp_path, Rereading(Reader(word), 32, 10.0), ferries(), "the ferry")
    assert word in reply.results[0].text
    for hit in reply.results:
        assert hit.scores is not None
        assert sum(hit.scores.values()) == pytest.approx(hit.score, abs=1e-4)
    assert [hit.score for hit in reply.results] == sorted((hit.score for hit in reply.results), reverse=True)


def test_only_the_best_are_read_and_the_rest_stay_behind(tmp_path: Path) -> None:
    reader = Reader("Tom")
    plain = asked(tmp_path / "a", None, ferries(), "When does the ferry leave?")
    reply = asked(tmp_path / "b", Rereading(reader, 2, 10.0), ferries(), "When does the ferry leave?")
    assert reader.read == [2]
    assert {hit.text for hit in reply.results[:2]} == {hit.text for hit in plain.results[:2]}
    assert [hit.text for hit in reply.results[2:]] == [hit.text for hit in plain.results[2:]]
    assert [hit.score for hit in reply.results] == sorted((hit.score for hit in reply.results), reverse=True)


def test_a_model_that_fails_leaves_the_ranking_as_it_is(tmp_path: Path) -> None:
    plain = asked(tmp_path / "a", None, ferries(), "the ferry")
    reply = asked(tmp_path / "b", Rereading(Broken(), 32, 10.0), ferries(), "the ferry")
    assert [(hit.text, hit.score) for hit in reply.results] == [(hit.text, hit.score) for hit in plain.results]


def test_the_current_version_stays_first_whatever_the_model_prefers(tmp_path: Path) -> None:
    jobs = [
        {"text": "I work at Northlight Studio.", "speaker": "Ada", "timestamp": "2026-01-01T00:00:00Z"},
        {"text": "New job: I work at Harrow Tea now.", "speaker": "Ada", "timestamp": "2026-05-01T00:00:00Z"},
    ]
    reply = asked(tmp_path, Rereading(Reader("Northlight"), 32, 10.0), jobs, "Where does Ada work?")
    assert ["Harrow" in hit.text for hit in reply.results] == [True, False]
    assert [hit.current for hit in reply.results] == [True, False]


def test_without_a_model_there_is_no_rereading_and_a_wrong_one_is_named() -> None:
    assert open_rereading(RerankerSettings()) is None
    with pytest.raises(ConfigurationError, match="nowhere/to/be/found"):
        open_rereading(RerankerSettings(model="/nowhere/to/be/found"))


@pytest.mark.real_embedder
def test_a_real_cross_encoder_is_loaded_from_a_folder_and_reads_pairs(tmp_path: Path) -> None:
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

    words = "where is the ferry key island".split()
    (tmp_path / "vocab.txt").write_text("\n".join(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words)))
    BertTokenizer(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path)
    config = BertConfig(
        vocab_size=5 + len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        num_labels=1,
    )
    BertForSequenceClassification(config).save_pretrained(tmp_path)
    rereading = open_rereading(RerankerSettings(model=str(tmp_path), device="cpu"))
    assert rereading is not None
    found = rereading.reranker.scores("where is the key", ["the island", "the ferry", "key"])
    assert found.shape == (3,)
    assert len(set(found.tolist())) == 3
