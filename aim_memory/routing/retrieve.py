"""Retrieval, top to bottom: who may be found → how the question is heard → scores → order → what is reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from aim_memory.config import AIMConfig
from aim_memory.ports import IndexReader
from aim_memory.routing.base import base
from aim_memory.routing.confidence import confidence
from aim_memory.routing.fusion import best_first
from aim_memory.routing.inertia import advance
from aim_memory.routing.ordering import current_first, share
from aim_memory.routing.plan import Plan, plan
from aim_memory.routing.scoring import Scored, rescore
from aim_memory.routing.trace import explain
from aim_memory.routing.values import Ask, Displaced, Embed, Mask, Ranked, Ranking, Scores

POOL = 64
"""Least number of candidates that anchors and decay look at; four times what is asked for, if that is more."""


def retrieve(ask: Ask, index: IndexReader, embed: Embed, config: AIMConfig) -> Ranking:
    """The memories of a namespace that answer a question, best first.

    A failing embedder leaves words and anchors. With a session, its next state is in the ranking; nothing is stored.
    """
    among = visible(ask, index)
    planned = plan(ask, index, embed, config)
    session = ask.session and advance(ask.session, ask.text, planned.own.vector, config.inertia_momentum, ask.now)
    scanned = int(among.sum())
    if not scanned:
        return Ranking((), 0.0, (), 0, len(index), session, conflicts=False)
    parts, pool = candidates(ask, planned, index, among, config)
    scored = rescore(ask, planned, index, parts, pool, config)
    ...
