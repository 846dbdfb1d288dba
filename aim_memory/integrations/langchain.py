"""LangChain: a retriever over a namespace, and a chat history that outlives the process.

retriever = AIMRetriever(memory=Client("http://127.0.0.1:8765"), namespace="user/ada", k=5)
history = AIMChatMessageHistory(memory, namespace="user/ada", session_id="monday")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ConfigDict, Field

from aim_memory.bodies import Filter, Hit
from aim_memory.extras import needs
from aim_memory.integrations.memory import Memory
from aim_memory.integrations.turns import Turn, Turns

with needs("langchain"):
    from langchain_core.callbacks import CallbackManagerForRetrieverRun
    from langchain_core.chat_history import BaseChatMessageHistory
    from langchain_core.documents import Document
    from langchain_core.messages import BaseMessage, message_to_dict, messages_from_dict
    from langchain_core.retrievers import BaseRetriever

ROLES = {"human": "user", "ai": "assistant"}
"""LangChain's kinds of messages in our words; its others ("system", "tool", ...) are the same."""


class AIMRetriever(BaseRetriever):
    """Memories that bear on a question, best first; ``invoke(question, k=3)`` asks for another number of them."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    memory: Any = Field(description="A Client or an AIMMemory.")
    namespace: str
    k: int = 10
    session_id: str | None = None
    filters: Filter | None = None

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None
    ) -> list[Document]:
        memory: Memory = self.memory
        reply = memory.query(
            query,
            namespace=self.namespace,
            top_k=self.k if k is None else k,
            session_id=self.session_id,
            filters=self.filters,
        )
        return [_document(hit) for hit in reply.results]


class AIMChatMessageHistory(BaseChatMessageHistory):
    """The messages of a conversation, in order; each is a memory of the namespace as well.

    Args:
        memory: A ``Client`` or an ``AIMMemory``.
        namespace: Whose conversation.
        session_id: Which one.
        limit: How many of its last messages ``messages`` shows; all if left out.
    """

    def __init__(self, memory: Memory, *, namespace: str, session_id: str, limit: int | None = None) -> None:
        self._turns = Turns(memory, namespace, session_id, "langchain")
        self._limit = limit

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override]
        """Read anew each time."""
        return messages_from_dict(self._turns.read(self._limit))

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        self._turns.add([_turn(message) for message in messages])

    def clear(self) -> None:
        self._turns.clear()


def _document(hit: Hit) -> Document:
    about = hit.model_dump(mode="json", include={"score", "timestamp", "speaker", "session_id", "current"})
    return Document(page_content=hit.text, id=hit.id, metadata={**hit.metadata, **about})


def _turn(message: BaseMessage) -> Turn:
    return Turn(message_to_dict(message), str(message.text), ROLES.get(message.type, message.type), message.name)
