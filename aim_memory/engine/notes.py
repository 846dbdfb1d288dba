"""Which memories stand before which turns of a chat: once placed they stay, so that a chat that comes back begins as it
did before and a model server need not compute it anew."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from aim_memory.answer import in_time
from aim_memory.answer.chat import asked_at, text_of
from aim_memory.answer.order import place
from aim_memory.engine.courses import Courses, still
from aim_memory.engine.parts import Parts
from aim_memory.engine.querying import Recalled
from aim_memory.evidence import count_tokens
from aim_memory.types import EvidenceBlock, Space

BUDGETS = 2
"""What all turns of a chat may hold together, in budgets of one turn; beyond, the notes of earlier turns go."""
TURNS = 32_768
_Message = Mapping[str, Any]


class Notes:
    """Remembers placements by what the chat said up to that turn, so no session need be named. In this process only."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._courses: Courses[str] = Courses(TURNS)

    def placed(self, space: Space, messages: Sequence[_Message], recalled: Recalled, budget: int) -> Placement:
        """Notes by the place of a user turn: earlier ones where they stood, for the last turn what was recalled for it
        and neither stands before an earlier turn nor was said in the chat itself."""
        prints = turn_prints(messages)
        asked = asked_at(messages)
        assert asked is not None, "what was recalled for a turn needs the turn"
        notes = self._earlier(space, prints, recalled)
        if asked not in notes:
            known = {place(block) for blocks in notes.values() for block in blocks}
            said = [text_of(message.get("content")) for message in messages]
            fresh = [block for block in recalled.context.pieces if not any(block.text in text for text in said)]
            new = [block for block in fresh if place(block) not in known]
            if _cost([*new, *(block for blocks in notes.values() for block in blocks)]) > BUDGETS * budget:
                for earlier in notes:
                    self._courses.put(space, prints[earlier], ())
                notes, new = {}, fresh
            notes[asked] = list(in_time(new))
            self._courses.put(space, prints[asked], notes[asked])
        return notes

    def forget(self, space: Space) -> None:
        self._courses.drop(space)

    def _earlier(self, space: Space, prints: Mapping[int, str], recalled: Recalled) -> Placement:
        kept = {turn: blocks for turn, own in prints.items() if (blocks := self._courses.get(space, own)) is not None}
        ids = {block.memory_id for blocks in kept.values() for block in blocks}
        memories = self._parts.store.get(space, sorted(ids)) if ids else {}
        return {turn: still(blocks, memories, recalled.now) for turn, blocks in kept.items()}


Placement = dict[int, list[EvidenceBlock]]


def turn_prints(messages: Sequence[_Message]) -> dict[int, str]:
    """By the place of each user turn: a digest of all that was said up to and with it."""
    said = hashlib.sha256()
    prints = {}
    for turn, message in enumerate(messages):
        said.update(json.dumps(message, sort_keys=True).encode() + b"\n")
        if message.get("role") == "user":
            prints[turn] = said.hexdigest()
    return prints


def _cost(blocks: Sequence[EvidenceBlock]) -> int:
    return sum(count_tokens(block.text) for block in blocks)
