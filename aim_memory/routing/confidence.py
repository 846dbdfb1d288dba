"""How likely the memory holds an answer at all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from operator import mul

import numpy as np
from numpy.typing import NDArray

from aim_memory.ports import IndexReader
from aim_memory.routing.plan import UNSAID, Plan, View
from aim_memory.routing.values import Ask
from aim_memory.text import NOTION, tokens

TOP = 3
"""Hits that are looked at."""
ENOUGH = 100
"""Memories at which what nobody has said counts half: a few of them cannot have said much."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for an answer, each in [0, 1]. A question is heard in the direction of its session, if it has one."""

    meaning: float
    """Cosine of the question and the nearest hit."""
    covered: float
    """Share of the question's information (idf) that the hits' words hold."""
    unheard: float
    """Share of it in words that no memory holds."""
    strangers: float
    """Share of the names in it that no memory and no speaker bears."""


OF_MEANING = (11.9, 2.1, -1.2, -5.0, -3.8)
OF_WORDS = (0.0, 5.5, -2.7, -5.2, -0.3)
"""Weights of the signs and the constant, where the embedder reads the question and where it cannot, or is not there.
Ridge-fitted logistics of "asked of its own conversation, not of another one", on freely licensed sets and conversations
of our own, each set counting once; a set left out is told apart as well as one fitted on."""


def confidence(ask: Ask, planned: Plan, rows: Sequence[int], index: IndexReader) -> float:
    """A logistic of the signs, in (0, 1); an embedder counts as far as it reads the question's script."""
    at = np.asarray(rows[:TOP], np.int64)
    if not len(at):
        return 0.0
    found = signs(ask, planned, at, index)
    by_words = _logistic(OF_WORDS, found)
    if planned.own.vector is None:
        return by_words
    return planned.sight * _logistic(OF_MEANING, found) + (1 - planned.sight) * by_words


def signs(ask: Ask, planned: Plan, at: NDArray[np.int64], index: IndexReader) -> Signs:
    held = len(index) / (len(index) + ENOUGH)
    covered, unheard = _shares(planned, at, index)
    return Signs(_nearest(planned.heard, at, index), covered, held * unheard, held * _strangers(ask, planned, index))


def _nearest(heard: View, at: NDArray[np.int64], index: IndexReader) -> float:
    if heard.vector is None:
        return 0.0
    cosines = index.similarities_of(heard.vector, at) / math.sqrt(heard.vector @ heard.vector)
    return max(float(cosines.max()), 0.0)


def _shares(planned: Plan, at: NDArray[np.int64], index: IndexReader) -> tuple[float, float]:
    """How much of the weight of all terms the hits hold, and how much nobody does."""
    heard, rarity = planned.heard.terms, planned.rarity
    terms = [term for term in heard if not term.startswith(NOTION)]
    weights = [heard[term] * rarity[term] for term in terms]
    whole = sum(weights)
    if whole <= 0:
        return 0.0, 0.0
    said: list[bool] = np.logical_or.reduce(index.covered(terms, at), axis=1).tolist()
    held = sum(compress(weights, said))
    return held / whole, sum(compress(weights, [rarity[term] >= rarity[UNSAID] for term in terms])) / whole


def _strangers(ask: Ask, planned: Plan, index: IndexReader) -> float:
    """The share of the names that no memory, and no speaker, bears."""
    names = [terms for anchor in ask.anchors if anchor.kind == "name" and (terms := tokens(anchor.text))]
    if not names:
        return 0.0
    terms = [*dict.fromkeys(term for name in names for term in name)]
    said = dict(zip(terms, (index.rarity(terms) < planned.rarity[UNSAID]).tolist(), strict=True))
    return sum(not any(said[term] for term in name) for name in names) / len(names)


def _logistic(weights: Sequence[float], found: Signs) -> float:
    seen = (found.meaning, found.covered, found.unheard, found.strangers, 1.0)
    return 1 / (1 + math.exp(-sum(map(mul, weights, seen))))
