"""The one scoring step: base, priors, anchors and decay, each a named part of the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate with its score, as the sum of named parts, and what the question's anchors say about it."""

    row: int
    parts: Mapping[str, float]
    match: AnchorMatch
    weight: float
    """Temporal weight w."""

    @property
    def score(self) -> float:
        return sum(self.parts.values())

    @property
    def score_without_decay(self) -> float:
        return self.score - self.parts.get("decay", 0.0)

    @property
    def contradicted(self) -> bool:
        """An anchor of the question's kind, unit and slot is there and none of them agrees."""
        return bool(self.match.conflicting)


def rescore(
    ask: Ask, rows: Sequence[int], parts: Mapping[str, Scores], index: IndexReader, config: AIMConfig
) -> list[Scored]:
    """The candidates with all parts, in the order of ``rows``."""
    counts = shares(ask.anchors, index)
    fading = temporal_weights(rows, index, config)
    scored = []
    for row, weight in zip(rows, fading.tolist(), strict=True):
        own = {name: float(scores[row]) for name, scores in parts.items()}
        match = compare(ask.anchors, index.anchors_of(row)) if ask.anchors else AnchorMatch()
        if ask.anchors and config.anchor_boost:
            own["anchors"] = anchored(0.0, anchor_score(ask, match, counts, config), config.anchor_boost, weight)
        if weight < 1 and config.decay_strength:
            own["decay"] = config.decay_strength * (weight - 1.0)
        scored.append(Scored(row, own, match, weight))
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
    holders = np.array([len(index.anchored(anchor.kind, anchor.key)) for anchor in wanted], np.float64)
    kinds = np.array([KIND_WEIGHTS[anchor.kind] for anchor in wanted], np.float64)
    raw = kinds * np.log1p(total / (1 + holders))
    return np.asarray(raw / raw.sum() if len(wanted) else raw)


def ages(rows: Sequence[int], index: IndexReader, config: AIMConfig) -> NDArray[np.int64]:
    """How many later writes compete with each memory: all of them, or only what superseded it."""
    if config.decay_scope == "all":
        ordinals = index.columns.ordinal
        return np.asarray(ordinals.max(initial=0) - ordinals[np.asarray(rows, np.int64)])
    return np.array([_replacements(row, index) for row in rows], np.int64)


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
