"""What is particular to each embedder and wrapper; the shared promises are in the conformance suite."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from aim_memory.errors import ConfigurationError, EmbedderError
from aim_memory.llm.batching import BatchingEmbedder
from aim_memory.llm.cached import CachedEmbedder
from aim_memory.llm.devices import choose_device
from aim_memory.llm.hashing import HashingEmbedder
from aim_memory.llm.lazy import Identity, LazyEmbedder
from aim_memory.llm.packaged import PACKAGED_SHA256
from aim_memory.settings import EmbedderSettings
from aim_memory.types import Vectors
from tests.interrupting import interrupted_when

PRECISIONS: tuple[Literal["float32", "bfloat16"], ...] = ("float32", "bfloat16")


class CountingEmbedder(HashingEmbedder):
    """Keeps the batches it was given; refuses texts that say "bad"; may be held until ``go`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[str]] = []
        self.began = threading.Event()
        self.go = threading.Event()
        self.go.set()

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        self.batches.append(list(texts))
        self.began.set()
        assert self.go.wait(10)
        if "bad" in texts:
            raise EmbedderError("bad text")
        return super().embed_documents(texts)


# --- devices -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("present", "wanted", "expected"),
    [
        ({"cuda", "mps"}, None, "cuda"),
        ({"mps", "xpu"}, None, "xpu"),
        ({"npu", "hpu"}, None, "hpu"),
        ({"mps"}, None, "mps"),
        (set(), None, "cpu"),
        ({"cuda"}, "cpu", "cpu"),
        ({"cuda"}, "cuda:1", "cuda:1"),
    ],
)
def test_the_first_device_there_is_chosen(present: set[str], wanted: str | None, expected: str) -> None:
    assert choose_device(wanted, present.__contains__) == expected


@pytest.mark.parametrize("wanted", ["cuda", "cuda:0", "abacus"])
def test_a_device_that_is_not_there_is_refused_by_name(wanted: str) -> None:
    with pytest.raises(ConfigurationError, match=f"'{wanted}'.*mps, cpu"):
        choose_device(wanted, {"mps"}.__contains__)


# --- hashing -----------------------------------------------------------------------------------------------------


def test_hashing_is_the_same_everywhere() -> None:
    [vector] = HashingEmbedder(dimension=8).embed_documents(["Ada moved to Lisbon 里斯本"])
    expected = [0.3442, 0.0, 0.2327, -0.2910, 0.3143, -0.2715, 0.0, 0.7551]
    np.testing.assert_allclose(vector, expected, atol=1e-3)


def test_width_and_case_do_not_matter_to_hashing() -> None:
    one, other = HashingEmbedder().embed_documents(["ADA paid １２５０ euros", "ada paid 1250 EUROS"])
    np.testing.assert_allclose(one, other)


@pytest.mark.parametrize("text", ["", "   ", "?!", "🙂", "\ud800", "\x00"])
def test_no_text_hashes_to_nothing(text: str) -> None:
    assert np.linalg.norm(HashingEmbedder().embed_queries([text])) == pytest.approx(1.0)


# --- cached ------------------------------------------------------------------------------------------------------


def test_a_vector_is_computed_once_across_restarts(tmp_path: Path) -> None:
    first = CountingEmbedder()
    cached = CachedEmbedder(first, tmp_path)
    before = cached.embed_documents(["one", "two", "one"])
    cached.close()
    assert first.batches == [["one", "two"]]

    second = CountingEmbedder()
    cached = CachedEmbedder(second, tmp_path)
    np.testing.assert_array_equal(cached.embed_documents(["two", "one", "one"]), before[[1, 0, 2]])
    cached.embed_documents(["three", "one"])
    cached.close()
    assert second.batches == [["three"]]


def test_queries_and_documents_are_kept_apart(tmp_path: Path) -> None:
    inner = CountingEmbedder()
    cached = CachedEmbedder(inner, tmp_path)
    cached.embed_documents(["one"])
    cached.embed_queries(["one"])
    cached.close()
    assert inner.batches == [["one"], ["one"]]


def test_generations_do_not_share_vectors(tmp_path: Path) -> None:
    for dimension in (16, 32):
        cached = CachedEmbedder(HashingEmbedder(dimension), tmp_path)
        assert cached.embed_documents(["one"]).shape == (1, dimension)
        cached.close()


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    cached = CachedEmbedder(CountingEmbedder(), tmp_path)
    expected = cached.embed_documents(["one"])
    cached.close()
    [file] = tmp_path.glob("*.sqlite3")
    file.write_bytes(b"not a database at all, but long enough to be taken for one" * 100)

    inner = CountingEmbedder()
    cached = CachedEmbedder(inner, tmp_path)
    for _ in range(2):
        np.testing.assert_array_equal(cached.embed_documents(["one"]), expected)
    cached.close()
    assert inner.batches == [["one"]]


def test_a_damaged_row_is_embedded_again(tmp_path: Path) -> None:
    cached = CachedEmbedder(CountingEmbedder(), tmp_path)
    expected = cached.embed_documents(["one"])
    cached.close()
    [file] = tmp_path.glob("*.sqlite3")
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE vectors SET vector = zeroblob(length(vector))")
    connection.close()

    inner = CountingEmbedder()
    cached = CachedEmbedder(inner, tmp_path)
    np.testing.assert_array_equal(cached.embed_documents(["one"]), expected)
    cached.close()
    assert inner.batches == [["one"]]


def test_a_file_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    inner = CountingEmbedder()
    cached = CachedEmbedder(inner, tmp_path)
    cached.close()
    [file] = tmp_path.glob("*.sqlite3")
    file.unlink()
    file.mkdir()
    for _ in range(2):
        assert cached.embed_documents(["one"]).shape == (1, inner.dimension)
    assert len(inner.batches) == 2


def test_a_folder_that_cannot_be_made_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ConfigurationError, match="AIM_EMBEDDER__CACHE_DIR"):
        CachedEmbedder(HashingEmbedder(), tmp_path / "taken" / "below")


# --- batching ----------------------------------------------------------------------------------------------------


def _ask_while_the_model_is_busy(
    inner: CountingEmbedder, texts: list[str], max_texts: int = 64
) -> list[Future[Vectors]]:
    """Holds the model with one question, lets the others gather behind it, then lets go."""
    batching = BatchingEmbedder(inner, max_texts)
    with ThreadPoolExecutor(len(texts) + 1) as pool:
        inner.go.clear()
        leader = pool.submit(batching.embed_queries, ["first"])
        assert inner.began.wait(10)
        followers = [pool.submit(batching.embed_queries, [text]) for text in texts]
        while batching.queued < len(texts):
            time.sleep(0)
        inner.go.set()
        leader.result(10)
    return followers


def test_a_lone_question_is_asked_at_once_and_alone() -> None:
    inner = CountingEmbedder()
    BatchingEmbedder(inner).embed_queries(["alone"])
    assert inner.batches == [["alone"]]


def test_questions_that_gather_are_one_call() -> None:
    inner = CountingEmbedder()
    texts = [f"question {number}" for number in range(6)]
    answers = _ask_while_the_model_is_busy(inner, texts)
    assert [sorted(batch) for batch in inner.batches] == [["first"], texts]
    together = np.concatenate([answer.result() for answer in answers])
    np.testing.assert_array_equal(together, HashingEmbedder().embed_queries(texts))


def test_a_batch_has_a_largest_size() -> None:
    inner = CountingEmbedder()
    _ask_while_the_model_is_busy(inner, [f"question {number}" for number in range(7)], max_texts=3)
    assert [len(batch) for batch in inner.batches] == [1, 3, 3, 1]


def test_who_is_interrupted_while_a_question_waits_keeps_nobody_waiting() -> None:
    asked, go = threading.Event(), threading.Event()

    class Held(HashingEmbedder):
        def embed_queries(self, texts: Sequence[str]) -> Vectors:
            asked.set()
            assert go.wait(30)
            return super().embed_queries(texts)

    batching = BatchingEmbedder(Held())

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(batching.embed_queries, ["first"])
        assert asked.wait(30)
        with interrupted_when(lambda: batching.queued), pytest.raises(KeyboardInterrupt):
            batching.embed_queries(["second"])
        go.set()
        assert len(first.result(timeout=30)) == 1
        assert len(pool.submit(batching.embed_queries, ["third"]).result(timeout=10)) == 1


def test_one_bad_text_does_not_fail_its_neighbours() -> None:
    answers = _ask_while_the_model_is_busy(CountingEmbedder(), ["good", "bad", "fine"])
    assert [isinstance(answer.exception(), EmbedderError) for answer in answers] == [False, True, False]


# --- lazy --------------------------------------------------------------------------------------------------------


def test_nothing_is_loaded_before_the_first_embedding_and_then_once() -> None:
    loads: list[str] = []

    def load() -> HashingEmbedder:
        loads.append("load")
        return HashingEmbedder()

    lazy = LazyEmbedder(Identity("hashing-1|256", 256, 256), load)
    assert (lazy.generation, lazy.dimension, lazy.window, loads) == ("hashing-1|256", 256, 256, [])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: lazy.embed_queries([str(number)]), range(8)))
    assert loads == ["load"]


def test_an_embedder_that_is_not_the_one_announced_is_refused() -> None:
    lazy = LazyEmbedder(Identity("hashing-1|256", 256, 256), lambda: HashingEmbedder(dimension=64))
    with pytest.raises(ConfigurationError, match=r"hashing-1\|64.*not.*hashing-1\|256"):
        lazy.embed_documents(["one"])


# --- the packaged model ------------------------------------------------------------------------------------------


@pytest.mark.real_embedder
def test_other_weights_than_the_released_ones_are_refused(tmp_path: Path) -> None:
    from aim_memory.llm.sentence_transformers import check_digest

    weights = tmp_path / "model.safetensors"
    with pytest.raises(ConfigurationError, match="is missing"):
        check_digest(weights, PACKAGED_SHA256)
    weights.write_bytes(b"almost the released ones")
    with pytest.raises(ConfigurationError, match=r"damaged.*pip install"):
        check_digest(weights, PACKAGED_SHA256)


@pytest.mark.real_embedder
def test_a_model_that_is_not_there_is_a_configuration_error(tmp_path: Path) -> None:
    from aim_memory.llm.sentence_transformers import SentenceTransformersEmbedder

    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ConfigurationError, match="AIM_EMBEDDER__MODEL"):
        SentenceTransformersEmbedder(EmbedderSettings(model=str(tmp_path)))


@pytest.mark.real_embedder
def test_prefixes_reach_the_model_and_the_generation() -> None:
    from aim_memory.llm.sentence_transformers import SentenceTransformersEmbedder

    plain = SentenceTransformersEmbedder(EmbedderSettings(precision="float32"))
    prefixed = SentenceTransformersEmbedder(
        EmbedderSettings(precision="float32", query_prefix="query: ", document_prefix="passage: ")
    )
    assert plain.generation != prefixed.generation
    np.testing.assert_allclose(prefixed.embed_queries(["x"]), plain.embed_queries(["query: x"]), atol=1e-5)
    np.testing.assert_allclose(prefixed.embed_documents(["x"]), plain.embed_documents(["passage: x"]), atol=1e-5)


@pytest.mark.real_embedder
def test_precisions_may_be_compared() -> None:
    from aim_memory.llm.sentence_transformers import SentenceTransformersEmbedder

    texts = ["Ada moved to Lisbon.", "The invoice of 1,250 euros is due on Friday.", "小明每天早上在公园跑步。"]
    exact, fast = (
        SentenceTransformersEmbedder(EmbedderSettings(precision=precision)).embed_documents(texts)
        for precision in PRECISIONS
    )
    assert np.sum(exact * fast, axis=1).min() > 0.9995
