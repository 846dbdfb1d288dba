"""From scores to an order: what is current before what it replaced, and what decay moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter

from aim_memory.ports import IndexReader
from aim_memory.routing.scoring import Scored
from aim_memory.routing.values import Displaced


def by_score(scored: Sequence[Scored]) -> list[Scored]:
    return sorted(scored, key=attrgetter("score"), reverse=True)


def put_before(order: Sequence[Scored], versions: Mapping[int, int]) -> list[Scored]:
    """Puts the version of a memory that is wanted (row → row) right before it; what is ahead already stays. Nothing
    is left out.

    A version that is moved up takes the score of the one it goes before: the part "current" is what that adds.
    """
    if not versions:
        return list(order)
    by_row = {one.row: one for one in order}
    placed: dict[int, Scored] = {}
    for one in order:
        for row in reversed(_chain(one.row, versions)):
            version = by_row[row]
            lift = one.score - version.score
            placed.setdefault(row, version._replace(current=lift, score=one.score) if lift > 0 else version)
    return list(placed.values())


def _chain(row: int, versions: Mapping[int, int]) -> list[int]:
    """The row, what goes before it, what goes before that, ..."""
    chain = [row]
    while (other := versions.get(chain[-1])) is not None and other not in chain:
        chain.append(other)
    return chain


def displaced(scored: Sequence[Scored], index: IndexReader, top_k: int) -> tuple[Displaced, ...]:
    """What decay pushed down, if it is or would be among the first ``top_k``; by rank without decay."""
    if not any(one.decay for one in scored):
        return ()
    ranks = {one.row: rank for rank, one in enumerate(by_score(scored), start=1)}
    fresh = sorted(scored, key=lambda one: one.score - one.decay, reverse=True)
    return tuple(
        Displaced(index.id_of(one.row), ranks[one.row], rank, one.weight)
        for rank, one in enumerate(fresh[:top_k], start=1)
        if ranks[one.row] > rank and one.weight < 1
    )
