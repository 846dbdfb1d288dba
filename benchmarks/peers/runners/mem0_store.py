"""mem0: ``Memory.add(infer=False)`` and ``search`` on its default store, Qdrant in this process, on disk.

Without a language model nothing is extracted from what is added, and no entities are linked. Its BM25 encoder wants a
download of stop words, its lemmatizer one of a spaCy model, so the variant ``dense`` is what an offline installation
does. In the variant ``keywords`` the encoder gets stop words from here, and mem0's own hybrid score is at work.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from mem0 import Memory as Mem0
from mem0.embeddings.base import EmbeddingBase
from mem0.utils.factory import EmbedderFactory
from peer_protocol import DEPTH, Memory, Peer, Vectors, run

STOP_WORDS = """
a about above after again all am an and any are as at be because been before being below between both but by can did
do does doing down during each few for from further had has have having he her here hers him his how i if in into is
it its just me more most my no nor not now of off on once only or other our out over own same she should so some
such than that the their them then there these they this those through to too under until up very was we were what
when where which while who whom why will with you your
"""


class Lookup(EmbeddingBase):
    """The shared vectors as a mem0 embedder."""

    vectors: Vectors

    def embed(self, text, memory_action=None):
        return self.vectors.of(text)


class Mem0Store(Peer):
    """All conversations in one collection, told apart by user_id, as its documentation does."""

    distributions = ("mem0ai", "qdrant-client", "fastembed")

    def __init__(self, home: Path, vectors: Vectors, variant: str) -> None:
        super().__init__(home, vectors, variant)
        logging.getLogger("mem0").setLevel(logging.ERROR)
        Lookup.vectors = vectors
        EmbedderFactory.provider_to_class["huggingface"] = f"{__name__}.Lookup"
        store = {"path": str(home / "qdrant"), "embedding_model_dims": vectors.dimension, "on_disk": True}
        self._memory = Mem0.from_config(
            {
                "vector_store": {"provider": "qdrant", "config": store},
                "embedder": {"provider": "huggingface", "config": {"embedding_dims": vectors.dimension}},
                "llm": {"provider": "openai", "config": {"api_key": "not used"}},
                "history_db_path": str(home / "history.db"),
            }
        )
        # False is mem0's own word for an encoder that could not be loaded.
        self._memory.vector_store._bm25_encoder = _bm25(home) if variant == "keywords" else False
        self._ids: dict[str, str] = {}

    def write(self, memory: Memory) -> None:
        self.write_batch([memory])

    def write_batch(self, memories: Sequence[Memory]) -> None:
        messages = [{"role": "user", "content": memory.told} for memory in memories]
        added = self._memory.add(messages, user_id=memories[0].namespace, infer=False)["results"]
        self._ids.update({one["id"]: memory.id for one, memory in zip(added, memories, strict=True)})

    def query(self, namespace: str, text: str) -> list[str]:
        found = self._memory.search(text, filters={"user_id": namespace}, top_k=DEPTH, threshold=0.0)
        return [self._ids[result["id"]] for result in found["results"]]

    def close(self) -> None:
        self._memory.vector_store.client.close()
        self._memory.close()


def _bm25(home: Path):
    """fastembed's BM25, which mem0 uses, without the download of its stop words."""
    from fastembed import SparseTextEmbedding

    folder = home / "bm25"
    folder.mkdir()
    (folder / "english.txt").write_text("\n".join(STOP_WORDS.split()), encoding="utf-8")
    return SparseTextEmbedding("Qdrant/bm25", specific_model_path=str(folder))


if __name__ == "__main__":
    run(Mem0Store)
