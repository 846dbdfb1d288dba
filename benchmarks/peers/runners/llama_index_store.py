"""LlamaIndex: a VectorStoreIndex per conversation over its own SimpleVectorStore."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.llms import MockLLM
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.schema import TextNode
from peer_protocol import DEPTH, Memory, Peer, Vectors, run
from pydantic import PrivateAttr


class Lookup(BaseEmbedding):
    """The shared vectors as a LlamaIndex embedder."""

    _vectors: Vectors = PrivateAttr()

    def __init__(self, vectors: Vectors) -> None:
        super().__init__()
        self._vectors = vectors

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._vectors.of(text)

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._vectors.of(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._vectors.of(query)


class LlamaIndex(Peer):
    """Variant ``vector``: the index alone. The others name the mode in which its BM25 is fused with it."""

    distributions = ("llama-index-core", "llama-index-retrievers-bm25")

    def __init__(self, home: Path, vectors: Vectors, variant: str) -> None:
        super().__init__(home, vectors, variant)
        self._embedder = Lookup(vectors)
        self._indexes: dict[str, VectorStoreIndex] = {}
        self._retrievers: dict[str, object] = {}

    def write(self, memory: Memory) -> None:
        self.write_batch([memory])

    def write_batch(self, memories: Sequence[Memory]) -> None:
        nodes = [TextNode(id_=memory.id, text=memory.told) for memory in memories]
        namespace = memories[0].namespace
        if namespace not in self._indexes:
            self._indexes[namespace] = VectorStoreIndex(
                [], storage_context=StorageContext.from_defaults(), embed_model=self._embedder
            )
        self._indexes[namespace].insert_nodes(nodes)

    def settle(self) -> None:
        for namespace, index in self._indexes.items():
            index.storage_context.persist(str(self.home / namespace))
            self._retrievers[namespace] = self._retriever(namespace, index)

    def query(self, namespace: str, text: str) -> list[str]:
        return [found.node.node_id for found in self._retrievers[namespace].retrieve(text)][:DEPTH]

    def _retriever(self, namespace: str, index: VectorStoreIndex):
        dense = index.as_retriever(similarity_top_k=DEPTH)
        if self.variant == "vector":
            return dense
        from llama_index.retrievers.bm25 import BM25Retriever

        words = BM25Retriever.from_defaults(docstore=index.docstore, similarity_top_k=DEPTH)
        words.persist(str(self.home / namespace / "bm25"))
        return QueryFusionRetriever(
            [dense, words],
            llm=MockLLM(),
            mode=self.variant,
            similarity_top_k=DEPTH,
            num_queries=1,  # more would be written by a language model
            use_async=False,
        )


if __name__ == "__main__":
    run(LlamaIndex)
