"""What a question costs its embedder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from aim_memory.assemble import open_parts
from aim_memory.bodies import QueryRequest, WriteRequest
from aim_memory.engine import MemoryEngine
from aim_memory.llm.hashing import HashingEmbedder
from aim_memory.settings import Settings
from aim_memory.types import Vectors


class Counting(HashingEmbedder):
    """How many texts each call had."""

    def __init__(self, dimension: int) -> None:
        super().__init__(dimension)
        self.calls: list[int] = []

    def embed_queries_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, Sequence[Vectors] | None]:
        self.calls.append(len(texts))
        return super().embed_queries_with_tokens(texts)


def test_only_the_first_question_of_a_language_tries_whether_it_is_read(tmp_path: Path) -> None:
    parts = open_parts(Settings(home=tmp_path, embedder={"kind": "hashing"}))
    embedder = Counting(parts.embedder.dimension)
    engine = MemoryEngine(replace(parts, embedder=embedder))
    try:
        engine.write("t", WriteRequest.model_validate({"namespace": "n", "memories": [{"text": "The ferry is blue."}]}))
        for question in ("Which colour is the ferry?", "When does it leave?", "渡轮是什么颜色的？", "渡轮几点开？"):
            engine.query("t", QueryRequest(query=question, namespace="n"))
    finally:
        engine.close()
    assert embedder.calls == [1, 16, 1, 1, 16, 1]
