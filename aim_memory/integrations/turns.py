"""The turns of a conversation that a framework keeps: its own values, in order, beside a text that can be searched.

Each turn is a memory of the session, so what was said in one conversation is found in all others of the namespace.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from aim_memory.bodies import MemoryItem, MemoryView
from aim_memory.errors import NotFoundError
from aim_memory.integrations.memory import Memory
from aim_memory.integrations.payloads import batches, kept, pack, safe_id, unpack

PAGE = 200


@dataclass(frozen=True, slots=True)
class Turn:
    value: Any
    """JSON, given back as it is."""
    text: str
    role: str
    speaker: str | None = None


class Turns:
    """Reads, adds and takes back turns.

    Args:
        memory: A ``Client`` or an ``AIMMemory``.
        namespace: Whose conversation.
        session: Its name.
        own: The framework's name: only turns that came through its own door are its history.
    """

    def __init__(self, memory: Memory, namespace: str, session: str, own: str) -> None:
        self._memory = memory
        self._namespace = namespace
        self._session = safe_id(session)
        self._own = own

    def read(self, limit: int | None = None) -> list[Any]:
        """The values, oldest first; with a limit the last so many."""
        return [unpack(self._own, view) for view in deque(self._views(), limit)]

    def add(self, turns: Sequence[Turn]) -> None:
        """Adds turns, many to a commit. Raises InvalidInputError for those refused, once the others are written."""
        for items in batches(map(self._item, turns)):
            kept(self._memory.write(namespace=self._namespace, memories=items))

    def pop(self) -> Any:
        """Takes back the last turn and returns its value; None if there is none."""
        while last := deque(self._views(), 1):
            if self._delete(last[0]):
                return unpack(self._own, last[0])
        return None

    def clear(self) -> None:
        """Takes back every turn of the conversation."""
        for view in list(self._views()):
            self._delete(view)

    def _views(self) -> Iterator[MemoryView]:
        cursor: str | None = None
        while True:
            page = self._memory.list(
                namespace=self._namespace,
                session_id=self._session,
                filters={"source": {"eq": self._own}},
                limit=PAGE,
                cursor=cursor,
            )
            yield from page.items
            if (cursor := page.next_cursor) is None:
                return

    def _item(self, turn: Turn) -> MemoryItem:
        text, metadata = pack(self._own, turn.value, turn.text)
        return MemoryItem(
            id=token_hex(16),  # of its own, so that saying "yes" twice is two turns
            text=text,
            metadata=metadata,
            role=turn.role,
            speaker=turn.speaker,
            session_id=self._session,
            source=self._own,
        )

    def _delete(self, view: MemoryView) -> bool:
        try:
            return self._memory.delete(view.id, namespace=self._namespace).deleted > 0
        except NotFoundError:  # somebody else was faster
            return False
