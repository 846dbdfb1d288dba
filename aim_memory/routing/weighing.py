"""How much each part of the score counts: fitted on conversations with known evidence, or plain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from aim_memory.config import AIMConfig
from aim_memory.routing.values import Mask, Scores

PARTS = (
    *("lexical", "dense", "neighbours", "reply", "speaker", "assistant", "asks", "when", "inertia"),
    *("late", "evenly", "together", "covered", "beside", "notions", "chatter", "session", "told"),
)
"""The parts that have a weight: those of the first look, then those of the closer look."""
PLAIN: Mapping[str, float] = {name: float(name in PARTS[: PARTS.index("late") + 1]) for name in PARTS}
"""Weights without a fit: the first look and late interaction as they are. A fit departs from them where it pays."""


def weights(config: AIMConfig) -> Mapping[str, float]:
    """The weight of each of ``PARTS`` under a configuration."""
    if isinstance(config.fusion, str):
        return fitted() if config.fusion == "fitted" else PLAIN
    given = dict(config.fusion)
    return {name: given.get(name, 0.0) for name in PARTS}


@lru_cache(maxsize=1)
def fitted() -> Mapping[str, float]:
    """The weights that are shipped; fitted.json says what they were fitted on."""
    kept = json.loads(files(__package__).joinpath("fitted.json").read_text("utf-8"))
    return {name: float(kept["weights"][name]) for name in PARTS}


def weighed(parts: Mapping[str, Scores], by: Mapping[str, float]) -> Mapping[str, Scores]:
    return {name: np.float32(by[name]) * values for name, values in parts.items()}


def behind(first: Scores, scores: Scores, rows: NDArray[np.int64], among: Mask) -> Scores:
    """The scores of all rows, (size,), given those of the ``rows`` that were looked at closely, (len(rows),).

    The others ``among`` come behind them in the order of the first look.
    """
    others = np.where(among, first, np.float32(-np.inf))
    others[rows] = -np.inf
    best = others.max(initial=-np.inf)
    whole = first + (scores.min() - best) if best > -np.inf else np.zeros_like(first)
    whole[rows] = scores
    return whole
