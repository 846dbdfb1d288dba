"""The one scoring step: base, priors, anchors and decay, each a named part of the score."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from aim_memory.anchors.match import AnchorMatch, compare
from aim_memory.config import AIMConfig
from aim_memory.mirror import weights
from aim_memory.ports import IndexReader
from aim_memory.routing.standing import standing
from aim_memory.routing.values import Ask, Scores
from aim_memory.types import Anchor

KIND_WEIGHTS: Mapping[str, float] = {
    "number": 3.0,
    "identifier": 3.0,
    "date": 3.0,
    "symbol": 2.5,
    "name": 2.0,
    "definition": 1.5,
}
"""numbers > symbols > names > definitions as described; dates and identifiers decide like numbers."""


_Amount = TypeVar("_Amount", float, NDArray[np.float64])


def anchored(base: _Amount, anchor_score: _Amount, boost: float, weight: _Amount) -> _Amount:
    """score = base + anchor_score·η·w, of one memory or of many."""
    return base + anchor_score * boost * weight


class Scored(NamedTuple):
    """A candidate: score = base + anchors + decay (+ current, when it was moved before what it superseded)."""

    row: int
    score: float
    base: float
    anchors: float
    decay: float
    weight: float
    """Temporal weight w."""
    match: AnchorMatch
    """What the question's anchors say about it."""
    current: float = 0.0

    @property
    def contradicted(self) -> bool:
        """It has an anchor of the kind, unit and slot of one in the question, and none such agrees with it."""
        return bool(self.match.conflicting)


def rescore(ask: Ask, rows: Sequence[int], base: Scores, index: IndexReader, config: AIMConfig) -> list[Scored]:
    """The candidates with anchors and decay, in the order of ``rows``."""
    at = np.asarray(rows, np.int64)
    weights = temporal_weights(at, index, config)
    decays = config.decay_strength * (weights.astype(np.float64) - 1.0)
    matches, overlaps = zip(*_anchored(ask, rows, index, config), strict=True) if rows else ((), ())
    gains = anchored(np.zeros(len(rows)), np.array(overlaps), config.anchor_boost, weights.astype(np.float64))
    sums = base[at] + gains + decays
    parts = (own.tolist() for own in (sums, base[at], gains, decays, weights))
    return list(map(Scored, rows, *parts, matches))


def _anchored(
    ask: Ask, rows: Sequence[int], index: IndexReader, config: AIMConfig
) -> Iterator[tuple[AnchorMatch, float]]:
    """What each row's anchors say, and its anchor score."""
    counts = shares(ask.anchors, index)
    kinds, nothing = {anchor.kind for anchor in ask.anchors}, AnchorMatch(missing=ask.anchors)
    without = nothing, anchor_score(ask, nothing, counts, config) if kinds else 0.0
    for row in rows:
        # Anchors of other kinds neither agree nor contradict, and most memories hold none of the kinds asked for.
        held = [anchor for anchor in index.anchors_of(row) if anchor.kind in kinds] if kinds else ()
        match = compare(ask.anchors, held) if held else nothing
        yield (match, anchor_score(ask, match, counts, config)) if match.matched or match.conflicting else without


def anchor_score(ask: Ask, match: AnchorMatch, counts: Sequence[float], config: AIMConfig) -> float:
    """The share of the question's anchors that agree, in [0, 1]; below ``anchor_threshold`` none does.

    A contradiction costs half a share. Strict mode takes the missing share off, so that a memory without the anchors
    ranks behind those that have them.
    """
    overlap = sum(count for anchor, count in zip(ask.anchors, counts, strict=True) if anchor in match.matched)
    overlap = overlap if overlap >= config.anchor_threshold else 0.0
    missing = 1.0 - overlap if ask.mode == "strict" else 0.0
    return float(overlap - missing - (0.5 if match.conflicting else 0.0))


def shares(wanted: Sequence[Anchor], index: IndexReader) -> list[float]:
    """What each anchor of a question counts: kind weight × rarity in the namespace, summing to 1."""
    total = max(len(index), 1)
    raw = [
        KIND_WEIGHTS[anchor.kind] * math.log1p(total / (1 + index.holders(anchor.kind, anchor.key)))
        for anchor in wanted
    ]
    whole = sum(raw)
    return [own / whole for own in raw]


def ages(at: NDArray[np.int64], index: IndexReader, config: AIMConfig) -> NDArray[np.int64]:
    """How many later writes compete with each memory: all of them, or only what superseded it."""
    if config.decay_scope == "all":
        return np.asarray(index.derived(standing).latest - index.columns.ordinal[at])
    found = np.zeros(len(at), np.int64)
    for place in np.flatnonzero(index.columns.superseded[at]).tolist():
        found[place] = _replacements(int(at[place]), index)
    return found


def _replacements(row: int, index: IndexReader) -> int:
    seen, at = {row}, index.superseded_by(row)
    while at is not None:
        later = index.row_of(at)
        if later is None or later in seen:
            break
        seen.add(later)
        at = index.superseded_by(later)
    return len(seen) - 1


def temporal_weights(at: NDArray[np.int64], index: IndexReader, config: AIMConfig) -> NDArray[np.float32]:
    """w per row, from the mirror."""
    columns, own = index.columns, ages(at, index, config)
    if not own.any():
        return np.ones(len(at), np.float32)
    return weights(
        own,
        gamma=config.weight_decay_gamma,
        floor=config.decay_floor,
        pinned=columns.pinned[at],
        uses=columns.uses[at],
    )
