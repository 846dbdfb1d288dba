"""How likely the memory holds an answer at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aim_memory.ports import IndexReader
from aim_memory.routing.plan import Plan
from aim_memory.text import NOTION

TOP = 3
"""Hits that are looked at."""
OF_TOKENS = (24.5, -9.3)
"""Slope and constant for the mean match of the question's tokens; a ridge fit on the practice conversations, where
questions of one conversation asked of another are told apart with a cross-validated AUROC of .93 (coverage: .80, the
vector: .88)."""
OF_MEANING = (4.0, 5.0, -3.6)
"""Of coverage, cosine and the constant, for embedders that show no tokens."""
OF_WORDS = (6.0, -1.5)
"""Of coverage and the constant, where the embedder cannot read the question or is not there."""


def confidence(planned: Plan, rows: Sequence[int], index: IndexReader) -> float:
    """A logistic of how well the best hits answer to the question's parts, in (0, 1).

    With token vectors, the mean over the question's tokens of their best match; else the share of the question's
    information (idf) that the hits' words cover, and the nearest vector. An embedder counts as far as it reads the
    question's script; the rest is coverage.
    """
    at = np.asarray(rows[:TOP], np.int64)
    if not len(at):
        return 0.0
    covered = _coverage(planned, at, index)
    by_words = _logistic(OF_WORDS[0] * covered + OF_WORDS[1])
    return planned.sight * _seen(planned, at, covered, index) + (1 - planned.sight) * by_words


def _seen(planned: Plan, at: NDArray[np.int64], covered: float, index: IndexReader) -> float:
    if planned.tokens is not None and len(planned.tokens):
        matched = float(index.late(planned.tokens, at).max(axis=0).mean())
        return _logistic(OF_TOKENS[0] * matched + OF_TOKENS[1])
    if planned.own.vector is None:
        return 0.0
    nearest = max(float(index.similarities(planned.own.vector)[at].max()), 0.0)
    return _logistic(OF_MEANING[0] * covered + OF_MEANING[1] * nearest + OF_MEANING[2])


def _coverage(planned: Plan, at: NDArray[np.int64], index: IndexReader) -> float:
    terms = [term for term in planned.own.terms if not term.startswith(NOTION)]
    rarity = index.rarity(terms)
    covered = index.covered(terms, at).any(axis=1)
    return float(rarity @ covered / rarity.sum()) if rarity.sum() > 0 else 0.0


def _logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))
