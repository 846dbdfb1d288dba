"""AIM-Memory as it comes: the embedded API, the default configuration, a namespace per conversation.

It gets the speaker, the time and the session as fields, as its documentation says, and the bare text. Its vectors, and
those of the tokens, come from the vector cache in ``AIM_EMBEDDER__CACHE_DIR``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peer_protocol import DEPTH, Memory, Peer, Question, Vectors, run

from aim_memory import AIMMemory
from aim_memory.assemble import open_embedder


class AIM(Peer):
    """The project itself."""

    distributions = ("aim-memory",)

    def __init__(self, home: Path, vectors: Vectors, variant: str) -> None:
        super().__init__(home, vectors, variant)
        self._memory = AIMMemory(home)
        self._embedder = open_embedder(self._memory.settings.embedder)

    def write(self, memory: Memory) -> None:
        self.write_batch([memory])

    def write_batch(self, memories: Sequence[Memory]) -> None:
        self._memory.write(namespace=memories[0].namespace, memories=[_item(memory) for memory in memories])

    def query(self, namespace: str, text: str) -> list[str]:
        return [result.id for result in self._memory.query(text, namespace=namespace, top_k=DEPTH).results]

    def query_after(self, question: Question) -> list[str]:
        """The earlier turns were questions too: they are asked first, in a session of their own."""
        session = f"after-{question.id}"
        for turn in question.history:
            self._memory.query(turn, namespace=question.namespace, session_id=session, top_k=1, mode="fast")
        found = self._memory.query(question.text, namespace=question.namespace, session_id=session, top_k=DEPTH)
        return [result.id for result in found.results]

    def embed_memory(self, memory: Memory) -> object:
        return self._embedder.embed_documents_with_tokens([memory.text])

    def embed_question(self, text: str) -> object:
        return self._embedder.embed_queries_with_tokens([text])

    def close(self) -> None:
        self._memory.close()


def _item(memory: Memory) -> dict[str, Any]:
    return {
        "id": memory.id,
        "text": memory.text,
        "speaker": memory.speaker,
        "role": memory.speaker if memory.speaker in ("user", "assistant") else None,
        "timestamp": memory.timestamp,
        "session_id": memory.session,
    }


if __name__ == "__main__":
    run(AIM)
