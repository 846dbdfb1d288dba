"""A model of another kind and size in the place of the packaged one: its own dimension, and prefixes by role."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aim_memory.embedded import AIMMemory
from aim_memory.settings import EmbedderSettings, Settings

WORDS = "query : passage where is the key on hook by door bread oven ada".split()


def tiny_model(folder: Path, dimension: int, prompts: dict[str, str]) -> Path:
    """A BERT of one layer that knows a dozen words, with random weights, saved as any model of the hub is."""
    from sentence_transformers import SentenceTransformer
    from transformers import BertConfig, BertModel, BertTokenizer

    bare = folder / "bare"
    bare.mkdir(parents=True)
    (bare / "vocab.txt").write_text("\n".join(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS)))
    BertTokenizer(str(bare / "vocab.txt")).save_pretrained(bare)
    config = BertConfig(
        vocab_size=5 + len(WORDS),
        hidden_size=dimension,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(bare)
    SentenceTransformer(str(bare), prompts=prompts, device="cpu").save(str(folder / "whole"))
    return folder / "whole"


@pytest.mark.real_embedder
def test_prefixes_that_a_model_declares_reach_it_unless_the_settings_say_others(tmp_path: Path) -> None:
    from aim_memory.llm.sentence_transformers import SentenceTransformersEmbedder

    path = str(tiny_model(tmp_path, 16, {"query": "query : ", "passage": "passage : "}))
    own = SentenceTransformersEmbedder(EmbedderSettings(model=path, precision="float32"))
    other = SentenceTransformersEmbedder(
        EmbedderSettings(model=path, precision="float32", query_prefix="key ", document_prefix="door ")
    )
    assert own.dimension == 16
    assert "query : |passage : " in own.generation
    assert not np.allclose(own.embed_queries(["bread"]), own.embed_documents(["bread"]), atol=1e-4)
    assert not np.allclose(own.embed_queries(["bread"]), other.embed_queries(["bread"]), atol=1e-4)
    assert own.generation != other.generation


LONG = " ".join(f"Bread number {number} is in the oven." for number in range(80))
"""Cut into fewer pieces for a window of 256 tokens than for one of 64."""


@pytest.mark.real_embedder
def test_a_folder_moves_to_a_model_of_another_dimension_and_window(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with AIMMemory(home, settings=Settings(embedder=EmbedderSettings(kind="hashing"))) as memory:
        memory.write("the key is on the hook by the door", namespace="n")
        memory.write(LONG, namespace="n")
    model = tiny_model(tmp_path / "model", 20, {})  # no multiple of the eight signs in a byte
    with AIMMemory(home, settings=Settings(embedder=EmbedderSettings(model=str(model)))) as memory:
        assert memory.query("where is the key", namespace="n").results
        assert memory.engine.upkeep()["embedded"] == 2
        memory.write("ada bread is in the oven", namespace="n")
        assert memory.engine.upkeep()["embedded"] == 0
    with AIMMemory(home, settings=Settings(embedder=EmbedderSettings(model=str(model)))) as memory:
        assert memory.query("where is the key", namespace="n").results[0].text.startswith("the key")


def test_prefixes_come_from_the_environment_with_their_last_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIM_EMBEDDER__QUERY_PREFIX", "query: ")
    monkeypatch.setenv("AIM_EMBEDDER__DOCUMENT_PREFIX", "passage: ")
    settings = Settings().embedder
    assert (settings.query_prefix, settings.document_prefix) == ("query: ", "passage: ")
