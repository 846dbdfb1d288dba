"""In which order memories are written into the prompts of one session: so that a prompt begins like the one before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aim_memory.answer.prompt import in_time
from aim_memory.types import EvidenceBlock

Place = tuple[str, int, int]
"""(memory id, start, end): which stretch of which memory a block is."""


def place(block: EvidenceBlock) -> Place:
    return block.memory_id, block.start, block.end


def arranged(
    before: Sequence[EvidenceBlock],
    blocks: Sequence[EvidenceBlock],
    *,
    slack: float,
    cost: Callable[[str], float],
) -> tuple[EvidenceBlock, ...]:
    """The blocks of this turn in the order of the turn before, new ones after them, oldest first.

    Blocks that this turn does without stay where they are as long as all cost no more than ``slack`` times what this
    turn calls for; beyond it they go, the last one first, for everything after one that goes has to be computed anew.

    Args:
        before: What the last prompt of the session listed, as it reads now.
        blocks: What this turn's question calls for; all of it is kept.
        slack: At or below 1, nothing stays that is not called for.
        cost: Of a text.
    """
    wanted = {place(block): block for block in blocks}
    kept = {place(block): wanted.get(place(block), block) for block in before}
    fresh = [block for block in blocks if place(block) not in kept]
    most = slack * sum(cost(block.text) for block in blocks)
    excess = sum(cost(block.text) for block in (*kept.values(), *fresh)) - most
    for key in [key for key in reversed(kept) if key not in wanted]:
        if excess <= 0:
            break
        excess -= cost(kept.pop(key).text)
    return (*kept.values(), *in_time(fresh))
