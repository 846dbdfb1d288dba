"""What is known of a memory before its content is compared: who said it, and whether it says or asks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aim_memory.config import AIMConfig
from aim_memory.ports import IndexReader
from aim_memory.routing.plan import Plan
from aim_memory.routing.values import Scores
from aim_memory.text import fold

ASSISTANTS = frozenset({"assistant", "ai", "bot", "model", "助手"})
USUAL = 400
"""Characters of a usual turn; an assistant's longer ones restate much and are preferred less."""


def priors(plan: Plan, index: IndexReader, config: AIMConfig) -> Mapping[str, Scores]:
    """Named parts, each (rows,)."""
    return {
        "speaker": config.speaker_bonus * _said_by(plan.named, index),
        "assistant": -config.assistant_penalty * _assistant(index),
        "asks": -config.question_penalty * _asks(index),
    }


def _said_by(names: tuple[str, ...], index: IndexReader) -> Scores:
    """1 where one of the participants named is the speaker."""
    codes, speakers = index.coded("speaker")
    return _lookup(codes, [speaker in names for speaker in speakers])


def _assistant(index: IndexReader) -> Scores:
    """0 for what people said; for an assistant's turn 1 and more, with the logarithm of its length."""
    codes, roles = index.coded("role")
    theirs = _lookup(codes, [fold(role) in ASSISTANTS for role in roles])
    return theirs * (1 + np.log2(1 + index.columns.length / USUAL)).astype(np.float32)


def _asks(index: IndexReader) -> Scores:
    """1 for a bare question, less the longer the memory is: a long one says something before it asks."""
    columns = index.columns
    return (columns.question * USUAL / (USUAL + columns.length)).astype(np.float32)


def _lookup(codes: np.ndarray[tuple[int], np.dtype[np.int32]], truth: list[bool]) -> Scores:
    return np.array([*truth, False], np.float32)[codes]  # code −1, absent, reads the last entry
