"""A question that asks several things. It is heard as a whole and, besides, each of its questions by itself; a memory
counts as for whichever it answers best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from aim_memory.config import AIMConfig
from aim_memory.ports import IndexReader
from aim_memory.routing.scoring import Scored, anchored, rescore
from aim_memory.routing.values import Ask, Scores
from aim_memory.text import questions


def parts(ask: Ask) -> list[Ask]:
    """The questions that one text asks, in order, each with the anchors in it; none if it asks one only."""
    spans = questions(ask.text)
    return [_part(ask, start, end) for start, end in spans] if len(spans) > 1 else []


def _part(ask: Ask, start: int, end: int) -> Ask:
    within = tuple([anchor for anchor in ask.anchors if start <= anchor.start and anchor.end <= end])
    return replace(ask, text=ask.text[start:end], anchors=within)


def compared(
    asks: Sequence[Ask],
    heard: Sequence[Scores],
    rows: Sequence[int],
    base: Scores,
    index: IndexReader,
    config: AIMConfig,
) -> list[Scored]:
    """The candidates with anchors and decay, in the order of ``rows``.

    What is asked in May and what in June are two questions: a memory is held against the anchors of the one that it
    answers best.

    Args:
        asks: The whole question, then its parts, if there are any.
        heard: The scores of all rows for each.
        base: The best of those.
    """
    if len(asks) == 1:
        return rescore(asks[0], rows, base, index, config)
    at = np.asarray(rows, np.int64)
    nearest = winners(heard[1:], at)
    found: dict[int, Scored] = {}
    for place, part in enumerate(asks[1:]):
        scored = rescore(part, at[nearest == place].tolist(), base, index, config)
        if part.mode == "strict" and asks[0].anchors and not part.anchors:
            scored = [_behind(one, config) for one in scored]
        found |= {one.row: one for one in scored}
    return [found[row] for row in rows]


def _behind(one: Scored, config: AIMConfig) -> Scored:
    """Strict mode puts what lacks a question's anchors behind what has them. What answers another part of the text, one
    that names nothing, goes as far behind: it would go before all the rest else."""
    lack = anchored(0.0, -1.0, config.anchor_boost, one.weight)
    return one._replace(score=one.score + lack, anchors=lack)


def winners(heard: Sequence[Scores], at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which of several scores is the highest, by place, for each of the rows ``at``; the first of equals."""
    return np.asarray(np.argmax([scores[at] for scores in heard], axis=0))
