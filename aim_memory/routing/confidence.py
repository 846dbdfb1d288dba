"""How likely the memory holds an answer at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from aim_memory.ports import IndexReader
from aim_memory.routing.plan import Plan, View
from aim_memory.routing.values import Ask
from aim_memory.text import NOTION, analyse

TOP = 3
"""Hits that are looked at."""
ENOUGH = 100
"""Memories at which what nobody has said counts half: a few of them cannot have said much."""
_NOBODY_SAYS = "\0"
"""No term of any text."""


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
    heard = planned.moving or planned.own
    held = len(index) / (len(index) + ENOUGH)
    covered, unheard = _shares(heard.terms, at, index)
    return Signs(_nearest(heard, at, index), covered, held * unheard, held * _strangers(ask, index))


def _nearest(heard: View, at: NDArray[np.int64], index: IndexReader) -> float:
    if heard.vector is None:
        return 0.0
    cosines = index.similarities_of(heard.vector, at) / float(np.linalg.norm(heard.vector))
    return max(float(cosines.max()), 0.0)


def _shares(heard: Mapping[str, float], at: NDArray[np.int64], index: IndexReader) -> tuple[float, float]:
    """How much of the weight of all terms the hits hold, and how much nobody does."""
    terms = [term for term in heard if not term.startswith(NOTION)]
    weights = np.array([heard[term] for term in terms]) * index.rarity(terms)
    if weights.sum() <= 0:
        return 0.0, 0.0
    share = weights / weights.sum()
    return float(share @ index.covered(terms, at).any(axis=1)), float(share @ ~_said(terms, index))


def _strangers(ask: Ask, index: IndexReader) -> float:
    names = [terms for anchor in ask.anchors if anchor.kind == "name" and (terms := list(analyse(anchor.text)))]
    return float(np.mean([not _said(terms, index).any() for terms in names])) if names else 0.0


def _said(terms: Sequence[str], index: IndexReader) -> NDArray[np.bool_]:
    """Whether any memory, or the name of its speaker, holds a term."""
    rarity = index.rarity([*terms, _NOBODY_SAYS])
    return np.asarray(rarity[:-1] < rarity[-1])


def _logistic(weights: Sequence[float], found: Signs) -> float:
    return float(1 / (1 + np.exp(-np.dot(weights, [*astuple(found), 1.0]))))
