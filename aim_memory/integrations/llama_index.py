"""LlamaIndex: a memory block for agents, and a retriever for query engines.

block = AIMMemoryBlock(memory=Client("http://127.0.0.1:8765"), namespace="user/ada")
memory = Memory.from_defaults(session_id="monday", memory_blocks=[block])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aim_memory.bodies import Filter, Hit, MemoryItem
from aim_memory.extras import needs
from aim_memory.integrations.memory import awaited
from aim_memory.integrations.payloads import batches, kept, pieces, safe_id
from aim_memory.integrations.recalled import asked, noticed

with needs("llama-index"):
    from llama_index.core.base.llms.types import ChatMessage
    from llama_index.core.bridge.pydantic import Field
    from llama_index.core.memory import BaseMemoryBlock
    from llama_index.core.retrievers import BaseRetriever
    from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
    from llama_index.core.utils import get_tokenizer

OWN = "llama-index"


class AIMMemoryBlock(BaseMemoryBlock[str]):
    """What leaves an agent's short-term memory is remembered here, and what bears on its last question is recalled.

    A message is a memory of the namespace, so what one session said is recalled in all others.
    """

    name: str = Field(default="long_term_memory", description="The block's tag in the prompt.")
    memory: Any = Field(description="A Client, an AsyncClient or an AIMMemory.", exclude=True)
    namespace: str
    k: int = Field(default=10, description="How many memories are recalled, at most.")
    max_tokens: int | None = Field(
        default=None, description="Budget of what is recalled; the memory's own if left out."
    )

    async def _aget(self, messages: list[ChatMessage] | None = None, **block_kwargs: Any) -> str:
        """What is known on the last thing the user said, quoted, best first; empty if nothing is."""
        question = _last_said(messages or [])
        if not question:
            return ""
        session = block_kwargs.get("session_id")
        reply = await awaited(self.memory).query(
            question,
            namespace=self.namespace,
            top_k=self.k,
            session_id=safe_id(session) if session else None,
            max_tokens=self.max_tokens,
        )
        return noticed(reply.context)

    async def _aput(self, messages: list[ChatMessage]) -> None:
        """Writes the messages that have words, in order. Raises InvalidInputError for those refused."""
        items = [_item(message, piece) for message in messages for piece in pieces(_words(message))]
        for batch in batches(items):
            kept(await awaited(self.memory).write(namespace=self.namespace, memories=batch))

    async def atruncate(self, content: str, tokens_to_truncate: int) -> str | None:
        """Whole lines leave, the last first, until that many tokens are gone; None if no memory is left."""
        count = get_tokenizer()
        heading, _, quoted = content.partition("\n\n")
        lines = quoted.splitlines()
        while lines and tokens_to_truncate > 0:
            tokens_to_truncate -= len(count(lines.pop()))
        return "\n".join([heading, "", *lines]) if lines else None


class AIMRetriever(BaseRetriever):
    """Memories that bear on a question, best first, as nodes.

    Args:
        memory: A ``Client`` or an ``AIMMemory``; an ``AsyncClient`` for ``aretrieve`` alone.
        namespace: Whose memories.
        k: How many, at most.
        session_id: The conversation that follow-up questions belong to.
        filters: What may be found.
    """

    def __init__(
        self,
        memory: Any,
        *,
        namespace: str,
        k: int = 10,
        session_id: str | None = None,
        filters: Filter | None = None,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self._memory = memory
        self._asked: dict[str, Any] = {"namespace": namespace, "top_k": k, "session_id": session_id, "filters": filters}

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return _nodes(self._memory.query(query_bundle.query_str, **self._asked).results)

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return _nodes((await awaited(self._memory).query(query_bundle.query_str, **self._asked)).results)


def _last_said(messages: Sequence[ChatMessage]) -> str:
    """By the user; by anybody where the user said nothing."""
    said = [message for message in messages if message.role.value == "user"] or messages
    return next((asked(words) for message in reversed(said) if (words := _words(message))), "")


def _words(message: ChatMessage) -> str:
    return (message.content or "").strip()


def _item(message: ChatMessage, text: str) -> MemoryItem:
    # LlamaIndex puts the session among the message's own arguments.
    session = message.additional_kwargs.get("session_id")
    return MemoryItem(
        text=text,
        role=message.role.value,
        session_id=safe_id(session) if session else None,
        source=OWN,
    )


def _nodes(hits: Sequence[Hit]) -> list[NodeWithScore]:
    about = ("timestamp", "speaker", "session_id", "current")
    return [
        NodeWithScore(
            node=TextNode(
                id_=hit.id, text=hit.text, metadata={**hit.metadata, **hit.model_dump(mode="json", include={*about})}
            ),
            score=hit.score,
        )
        for hit in hits
    ]
