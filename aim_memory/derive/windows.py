"""Memories cut into stretches that a language model reads at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aim_memory.evidence import count_tokens
from aim_memory.types import EvidenceBlock, StoredMemory


@dataclass(frozen=True, slots=True)
class Window:
    """Memories that belong together, in the order in which they were written."""

    memories: tuple[StoredMemory, ...]

    @property
    def blocks(self) -> tuple[EvidenceBlock, ...]:
        """As they are shown, numbered from 1 in this order."""
        return tuple(map(_block, self.memories))

    @property
    def ids(self) -> list[str]:
        return [memory.id for memory in self.memories]


def windows(memories: Iterable[StoredMemory], most_tokens: int) -> Iterator[Window]:
    """Stretches of one session each, of at most so many tokens; a longer memory is one of its own."""
    held: list[StoredMemory] = []
    left = 0
    for memory in memories:
        cost = count_tokens(memory.text)
        if held and (memory.session_id != held[-1].session_id or cost > left):
            yield Window(tuple(held))
            held = []
        left = (left if held else most_tokens) - cost
        held.append(memory)
    if held:
        yield Window(tuple(held))


def _block(memory: StoredMemory) -> EvidenceBlock:
    return EvidenceBlock(
        memory.id,
        memory.text,
        0,
        len(memory.text),
        0.0,
        memory.timestamp,
        speaker=memory.speaker,
        current=memory.superseded_by is None,
        role=memory.role,
        session_id=memory.session_id,
        ordinal=memory.ordinal,
    )
