"""The one scoring step: base, priors, anchors and decay, each a named part of the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aim_memory.anchors.match import AnchorMatch, compare
from aim_memory.config import AIMConfig
from aim_memory.mirror import weights
from aim_memory.ports import IndexReader
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


def anchored(base: float, anchor_score: float, boost: float, weight: float) -> float:
    """score = base + anchor_score·η·w."""
    return base + anchor_score * boost * weight


class Scored(NamedTuple):
    """A candidate: score = base + anchors + decay (+ current, when it was moved before what it superseded)."""

    row: int
    base: float
    anchors: float
    decay: float
    weight: float
    """Temporal weight w."""
    match: AnchorMatch
    """What the question's anchors say about it."""
    current: float = 0.0

    @property
    def score(self) -> float:
        return self.base + self.anchors + self.decay + self.current

    @property
    def contradicted(self) -> bool:
        """It has an anchor of the kind, unit and slot of one in the question, and none such agrees with it."""
        return bool(self.match.conflicting)


def rescore(ask: Ask, rows: Sequence[int], base: Scores, index: IndexReader, config: AIMConfig) -> list[Scored]:
    """The candidates with anchors and decay, in the order of ``rows``."""
    counts = shares(ask.anchors, index)
    fading = temporal_weights(rows, index, config).tolist()
    kinds, nothing = {anchor.kind for anchor in ask.anchors}, AnchorMatch(missing=ask.anchors)
    without = anchor_score(ask, nothing, counts, config) if kinds else 0.0
    scored = []
    for row, weight, start in zip(rows, fading, base[np.asarray(rows, np.int64)].tolist(), strict=True):
        # Anchors of other kinds neither agree nor contradict, and most memories hold none of the kinds asked for.
        held = [anchor for anchor in index.anchors_of(row) if anchor.kind in kinds] if kinds else ()
        match = compare(ask.anchors, held) if held else nothing
        overlap = anchor_score(ask, match, counts, config) if held else without
        gain = anchored(0.0, overlap, config.anchor_boost, weight)
        scored.append(Scored(row, start, gain, config.decay_strength * (weight - 1.0), weight, match))
    return scored


def anchor_score(ask: Ask, match: AnchorMatch, counts: NDArray[np.float64], config: AIMConfig) -> float:
    """The share of the question's anchors that agree, in [0, 1]; below ``anchor_threshold`` none does.

    A contradiction costs half a share. Strict mode takes the missing share off, so that a memory without the anchors
    ranks behind those that have them.
    """
    overlap = sum(count for anchor, count in zip(ask.anchors, counts, strict=True) if anchor in match.matched)
    overlap = overlap if overlap >= config.anchor_threshold else 0.0
    missing = 1.0 - overlap if ask.mode == "strict" else 0.0
    return float(overlap - missing - (0.5 if match.conflicting else 0.0))


def shares(wanted: Sequence[Anchor], index: IndexReader) -> NDArray[np.float64]:
    """What each anchor of a question counts: kind weight × rarity in the namespace, summing to 1."""
    total = max(len(index), 1)
    holders = np.array([index.holders(anchor.kind, anchor.key) for anchor in wanted], np.float64)
    kinds = np.array([KIND_WEIGHTS[anchor.kind] for anchor in wanted], np.float64)
    raw = kinds * np.log1p(total / (1 + holders))
    return np.asarray(raw / raw.sum() if len(wanted) else raw)


def ages(rows: Sequence[int], index: IndexReader, config: AIMConfig) -> NDArray[np.int64]:
    """How many later writes compete with each memory: all of them, or only what superseded it."""
    at = np.asarray(rows, np.int64)
    if config.decay_scope == "all":
        ordinals = index.columns.ordinal
        return np.asarray(ordinals.max(initial=0) - ordinals[at])
    superseded = index.columns.superseded[at]
    return np.array(
        [_replacements(row, index) if old else 0 for row, old in zip(rows, superseded, strict=True)], np.int64
    )


def _replacements(row: int, index: IndexReader) -> int:
    seen, at = {row}, index.superseded_by(row)
    while at is not None:
        later = index.row_of(at)
        if later is None or later in seen:
            break
        seen.add(later)
        at = index.superseded_by(later)
    return len(seen) - 1


def temporal_weights(rows: Sequence[int], index: IndexReader, config: AIMConfig) -> NDArray[np.float32]:
    """w per row, from the mirror."""
    columns, at = index.columns, np.asarray(rows, np.int64)
    return weights(
        ages(rows, index, config),
        gamma=config.weight_decay_gamma,
        floor=config.decay_floor,
        pinned=columns.pinned[at],
        uses=columns.uses[at],
    )
