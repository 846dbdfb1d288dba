"""The surface and the numbers the method was first described with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from aim_memory import AIMConfig, create_aim_memory
from aim_memory.described import DescribedMemory
from aim_memory.mirror import weights
from aim_memory.settings import Settings

MODELS = [
    "The 128K-token model answers mails.",
    "The 200K-token model writes code.",
    "The 10M-token model reads whole books.",
]


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[DescribedMemory]:
    with create_aim_memory(home=tmp_path, settings=Settings(embedder={"kind": "hashing"})) as opened:
        for text in MODELS:
            opened.write_memory(text)
        yield opened


def test_the_described_numbers() -> None:
    described = AIMConfig(
        hot_window_size=256,
        local_cluster_k=32,
        inertia_strength=0.5,
        inertia_momentum=0.85,
        weight_decay_gamma=0.8,
        write_threshold=0.6,
        anchor_threshold=0.1,
        anchor_boost=2.0,
    )
    reference = AIMConfig.reference()
    assert {name: getattr(reference, name) for name in described.model_fields_set} == {
        name: getattr(described, name) for name in described.model_fields_set
    }
    faded = weights(
        np.array([0, 5]), gamma=reference.weight_decay_gamma, floor=reference.decay_floor, pinned=None, uses=None
    )
    np.testing.assert_allclose(faded, [1.0, 0.328], atol=5e-4)


def test_the_question_about_ten_million_returns_the_node_that_says_so(memory: DescribedMemory) -> None:
    nodes, _ = memory.route_memory("What does the 10M-token model do?")
    first = nodes[0]
    assert first.evidence_text == MODELS[2] == first.summary
    assert any("10M" in number for number in first.fields["numbers"])
    assert first.w == 1.0
    assert np.linalg.norm(first.proto) == pytest.approx(1.0, abs=1e-5)
    assert {node.id for node in nodes} >= set(first.links) != set()


def test_strict_routing_leaves_out_what_contradicts(memory: DescribedMemory) -> None:
    nodes, refill = memory.route_memory("What does the 10M-token model do?", mode="strict")
    assert [node.evidence_text for node in nodes] == [MODELS[2]]
    assert refill


def test_answer_tells_mode_count_and_context(memory: DescribedMemory) -> None:
    told = memory.answer("What does the 10M-token model do?", auto_mode=True)
    assert told["mode"] in ("fast", "strict")
    assert told["num_nodes_recalled"] >= 1
    assert MODELS[2] in told["context"]
    assert told["answer"].splitlines()[0] == MODELS[2]


def test_the_product_accepts_every_valid_write_and_the_described_gate_does_not(tmp_path: Path) -> None:
    settings = Settings(embedder={"kind": "hashing"})
    with create_aim_memory(AIMConfig(), home=tmp_path / "a", settings=settings) as product:
        assert product.write_memory("Ok!") is not None
    with create_aim_memory(AIMConfig.reference(), home=tmp_path / "b", settings=settings) as described:
        assert described.write_memory("Ok!") is None
        assert described.write_memory("Marta pays $1,250 rent for the Pier 9 studio from 3 May 2026.") is not None


def test_generating_with_memory_writes_both_turns_back(memory: DescribedMemory) -> None:
    said = memory.generate_with_memory("What does the 10M-token model do?")
    assert said.splitlines()[0] == MODELS[2]
    nodes, _ = memory.route_memory("10M-token model")
    texts = [node.evidence_text for node in nodes]
    assert "What does the 10M-token model do?" in texts
    assert said in texts
