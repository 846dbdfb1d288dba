"""What is known of a memory before its content is compared: who said it, and whether it says or asks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aim_memory.config import AIMConfig
from aim_memory.ports import IndexReader
from aim_memory.routing.neighbours import USUAL, asking
from aim_memory.routing.plan import Plan
from aim_memory.routing.roles import assistants, where
from aim_memory.routing.values import Scores


def priors(plan: Plan, index: IndexReader, config: AIMConfig) -> Mapping[str, Scores]:
    """Named parts, each (rows,)."""
    return {
        "speaker": config.speaker_bonus * _said_by(plan.named, index),
        "assistant": -config.assistant_penalty * _assistant(index),
        "asks": -config.question_penalty * asking(index.columns),
    }


def _said_by(names: tuple[str, ...], index: IndexReader) -> Scores:
    """1 where one of the participants named is the speaker."""
    return where(index, "speaker", names.__contains__).astype(np.float32)


def _assistant(index: IndexReader) -> Scores:
    """0 for what people said; for an assistant's turn 1 and more, with the log of its length: long ones restate."""
    growing = 1 + np.log2(1 + index.columns.length / USUAL)
    return np.where(assistants(index), growing, 0.0).astype(np.float32)
