"""A closer look at the best memories: token matches, and what the turns beside them contain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aim_memory.config import AIMConfig
from aim_memory.ports import IndexReader
from aim_memory.routing.fusion import spread
from aim_memory.routing.late import late
from aim_memory.routing.neighbours import leaning
from aim_memory.routing.plan import Plan
from aim_memory.routing.standing import Standing, standing
from aim_memory.routing.values import Mask, Scores
from aim_memory.text import NOTION

LEAST_SPREAD = 0.1
NEARBY = 4.0
"""Turns after which a memory of the same session speaks for another e times less."""
CONVERSATION = 0.5
"""Correlation of neighbours from which on sessions are conversations through and through."""
FEW = 50
"""Memories among which all parts but token matches are believed half: a dozen are too few to tell a better one from a
lucky one by what is around it."""


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What the first look at all memories gave."""

    parts: Mapping[str, Scores]
    """Named parts of the score, each over all rows."""
    sums: Scores
    """What they add up to, (rows,)."""
    bond: float
    """How far neighbouring turns speak of the same, in [0, 1]."""
    moving: Scores | None = None
    """The base score in the session's direction."""
    lean: float = 0.0
    """How far the question leans on its session, in [0, 1]."""


def closer(
    planned: Plan,
    first: FirstLook,
    rows: NDArray[np.int64],
    index: IndexReader,
    among: Mask,
    config: AIMConfig,
) -> Mapping[str, Scores]:
    """Named parts of ``rows``, each (len(rows),). Token matches aside, they count less among ``FEW`` memories."""
    lasting = index.derived(standing)
    talk = _conversation(first.bond, lasting, among) if config.neighbour_weight else 0.0
    beside = _beside(rows, index) if config.neighbour_weight else ()
    found = {
        **_tokens(planned, rows, beside, talk, index, config),
        **_words(planned, first.lean, rows, beside, index),
    }
    if talk:
        found["chatter"] = np.float32(talk) * first.parts["lexical"][rows]
        found["session"] = np.float32(talk) * _session(first.sums[rows], rows, index)
    if lasting.asking is not None and lasting.restating is not None:
        found["told"] = lasting.asking[rows]
    count = int(np.count_nonzero(among))
    believed = np.float32(count / (count + FEW))
    return {name: values if name == "late" else believed * values for name, values in found.items()}


def _conversation(bond: float, lasting: Standing, among: Mask) -> float:
    """How far the sessions are conversations, where turns answer one another, and no collections of notes: 0 to ½."""
    return min(float(leaning(bond, lasting.sociable, among, 1.0).max(initial=0.0)), CONVERSATION)


def _beside(rows: NDArray[np.int64], index: IndexReader) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The places among ``rows`` of the turn before each and of the turn after it; −1 where it is not among them."""
    places = np.full(index.size + 1, -1, np.int64)  # row −1, beyond the end, reads the last entry
    places[rows] = np.arange(len(rows))
    return places[index.columns.previous[rows]], places[index.columns.following[rows]]


def _tokens(
    planned: Plan,
    rows: NDArray[np.int64],
    beside: tuple[NDArray[np.int64], ...],
    talk: float,
    index: IndexReader,
    config: AIMConfig,
) -> Mapping[str, Scores]:
    """Late interaction, as far as the embedder reads the question's script."""
    tokens, weight = planned.tokens, config.late_weight * planned.sight
    if tokens is None or not len(tokens) or len(rows) < 2 or not weight:
        return {}
    found = late(index.late(tokens, rows), beside, index.columns.length[rows])
    weights = dict.fromkeys(found, weight) | {"evenly": weight * talk}
    return {name: np.float32(weights[name]) * values for name, values in found.items()}


def _words(
    planned: Plan, lean: float, rows: NDArray[np.int64], beside: tuple[NDArray[np.int64], ...], index: IndexReader
) -> Mapping[str, Scores]:
    """Shares of the question's words (by idf) and notions that the memories hold themselves, and that only the turns
    beside them do, as far as memories are terse. The words count by themselves only where the embedder is blind."""
    words = planned.words
    notions = [term for term in planned.own.terms if term.startswith(NOTION)]
    own = index.covered([*words, *notions], rows)
    terse = np.float32(planned.terse)
    found = {"notions": terse * own[len(words) :].mean(axis=0, dtype=np.float32)} if notions else {}
    own = own[: len(words)]
    if beside:
        held = np.zeros((len(words), len(rows) + 1), np.bool_)  # place −1 holds nothing
        held[:, :-1] = own
        before, after = (held[:, places] for places in beside)
        found["beside"] = terse * (_shares(planned.rarities(words)) @ ((before | after) & ~own))
    if planned.sight < 1:
        found["covered"] = (1 - planned.sight) * _covered(planned, lean, rows, index)
    return found


def _covered(planned: Plan, lean: float, rows: NDArray[np.int64], index: IndexReader) -> Scores:
    """The share of the question's words that memories hold, those of the turns before it counting as far as it leans
    on them."""
    carried = planned.moving.terms if planned.moving is not None else {}
    wanted = {**{term: lean * weight for term, weight in carried.items()}, **dict.fromkeys(planned.own.terms, 1.0)}
    words = {term: weight for term, weight in wanted.items() if not term.startswith(NOTION)}
    telling = planned.rarities(words) * np.array([*words.values()], np.float32)
    return np.asarray(_shares(telling) @ index.covered([*words], rows), np.float32)


def _shares(telling: NDArray[np.float32]) -> NDArray[np.float32]:
    return telling / max(float(telling.sum()), 1e-6)


def _session(first: Scores, rows: NDArray[np.int64], index: IndexReader) -> Scores:
    """What the other memories of a session among ``rows`` say for one: their scores above the least, fading with the
    turns between."""
    scores = spread(first, LEAST_SPREAD)
    scores -= scores.min(initial=0.0)
    sessions, turns = index.codes("session_id")[rows], index.columns.ordinal[rows]
    together = (sessions[:, None] == sessions) & (sessions >= 0)
    together.flat[:: len(rows) + 1] = False
    one, other = together.nonzero()
    near = np.exp(np.abs(turns[one] - turns[other]) / -NEARBY) * scores[other]
    return np.asarray(np.bincount(one, near, minlength=len(rows)) / (2 * NEARBY), np.float32)
