"""A chat on its way through the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aim_memory.bodies import QueryRequest
from aim_memory.engine.querying import Recalled
from aim_memory.types import EvidenceBlock


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat as it came, and what its caller says about memory."""

    body: Mapping[str, Any]
    namespace: str | None = None
    """None: it is passed on as it is."""
    session_id: str | None = None
    remember: bool = True
    fall_back: bool = True
    """Whether quotes may stand in for a model that fails."""
    max_tokens: int | None = None
    """Budget of what is recalled for one turn."""
    author: str | None = None

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        messages: Sequence[Mapping[str, Any]] = self.body["messages"]
        return messages


@dataclass(frozen=True, slots=True)
class Prepared:
    """A chat with what memory knows about it."""

    tenant: str
    chat: Chat
    body: Mapping[str, Any]
    """What the model gets."""
    request: QueryRequest | None = None
    recalled: Recalled | None = None
    listed: tuple[EvidenceBlock, ...] = ()
    """The notes in the chat, in the order of their numbers."""
    hard: bool = False
    reason: str | None = None
    """Why memory or the model did not do all it should."""
