"""A cross-encoder's second opinion on the best memories, where one is configured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aim_memory.errors import EmbedderError
from aim_memory.ports import Reranker
from aim_memory.routing import Ranked
from aim_memory.routing.fusion import spread
from aim_memory.types import StoredMemory

LEAST_SPREAD = 1e-3
Found = tuple[tuple[Ranked, StoredMemory], ...]


@dataclass(frozen=True, slots=True)
class Rereading:
    """Who rereads, how many, and what that counts."""

    reranker: Reranker
    depth: int
    weight: float

    def over(self, question: str, found: Found) -> Found:
        """The best ``depth`` in a new order, the rest behind them as before.

        The part "reread" is weight × the z-score of what the model says; a version that superseded another stays before
        it. A reranker that fails changes nothing: the ranking stands on its own.
        """
        head, rest = found[: self.depth], found[self.depth :]
        if len(head) < 2:
            return found
        try:
            said = self.reranker.scores(question, [memory.text for _, memory in head])
        except EmbedderError:
            return found
        added = (self.weight * spread(said, LEAST_SPREAD)).tolist()
        moved = [(_raised(hit, gain), memory) for (hit, memory), gain in zip(head, added, strict=True)]
        moved.sort(key=lambda pair: pair[0].score, reverse=True)
        return (*_current_first(moved), *_below(moved, rest))


def _raised(hit: Ranked, gain: float) -> Ranked:
    return hit._replace(score=hit.score + gain, parts={**hit.parts, "reread": gain})


def _current_first(moved: Sequence[tuple[Ranked, StoredMemory]]) -> list[tuple[Ranked, StoredMemory]]:
    """What superseded a memory goes before it if it was before it; of those that fell behind, with its score."""
    order = list(moved)
    for hit, _ in moved:
        places = {one.id: place for place, (one, _) in enumerate(order)}
        later = places.get(hit.superseded_by or "")
        if not hit.current and later is not None and later > places[hit.id]:
            closer, memory = order.pop(later)
            lift = hit.score - closer.score
            order.insert(places[hit.id], (_raised_by(closer, "current", lift), memory))
    return order


def _below(moved: Sequence[tuple[Ranked, StoredMemory]], rest: Found) -> Found:
    """The others, none above the last that was reread."""
    if not rest:
        return rest
    gap = min(0.0, moved[-1][0].score - rest[0][0].score)
    return tuple((_raised_by(hit, "unread", gap), memory) for hit, memory in rest)


def _raised_by(hit: Ranked, part: str, gain: float) -> Ranked:
    if not gain:
        return hit
    return hit._replace(score=hit.score + gain, parts={**hit.parts, part: hit.parts.get(part, 0.0) + gain})
