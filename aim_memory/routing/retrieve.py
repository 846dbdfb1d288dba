"""Retrieval, top to bottom: how the question is heard → who may be found → a first look at all, a closer one at the
best → order → what is reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from aim_memory.config import AIMConfig
from aim_memory.ports import IndexReader
from aim_memory.routing.apart import compared, parts, winners
from aim_memory.routing.base import base, total
from aim_memory.routing.candidates import candidates, pool
from aim_memory.routing.closer import FirstLook, closer
from aim_memory.routing.confidence import confidence
from aim_memory.routing.focus import focus
from aim_memory.routing.inertia import advance
from aim_memory.routing.lean import lean
from aim_memory.routing.ordering import by_score, displaced, put_before
from aim_memory.routing.plan import Plan, plan
from aim_memory.routing.priors import priors
from aim_memory.routing.scoring import Scored
from aim_memory.routing.standing import standing
from aim_memory.routing.trace import explain
from aim_memory.routing.values import Ask, Embed, Mask, Ranked, Ranking, Scores
from aim_memory.routing.versions import versions
from aim_memory.routing.weighing import behind, weighed, weights
from aim_memory.routing.when import when
from aim_memory.types import Anchor, SessionState


def retrieve(ask: Ask, index: IndexReader, embed: Embed, config: AIMConfig) -> Ranking:
    """The memories of a namespace that answer a question, best first.

    A failing embedder leaves words and anchors. With a session, its next state is in the ranking; nothing is stored.
    """
    asks = [ask, *parts(ask)] if config.each_question else [ask]
    planned, *_ = plans = plan(asks, index, embed, config)
    index, among = focus(ask, plans, index)
    looks = [look(one, own, index, among, config) for one, own in zip(asks, plans, strict=True)]
    heard = [one.scores for one in looks]
    scores = np.maximum.reduce(heard)
    rows = candidates(ask, scores, looks[0].first.moving, index, among, config)
    scored = compared(asks, heard, rows, scores, index, config)
    vetoed = [one for one in scored if one.contradicted] if ask.mode == "strict" else []
    kept = [one for one in scored if not one.contradicted] if vetoed else scored
    order = arrange(ask, kept, index, config)
    shown = order[: ask.top_k]
    named = named_parts(shown, looks) if ask.explain else repeat({})
    hits = [report(one, own, ask, index) for one, own in zip(shown, named, strict=False)]
    hits = [hit for hit in hits if ask.threshold is None or hit.score >= ask.threshold]
    return Ranking(
        hits=tuple(hits),
        confidence=confidence(ask, planned, [one.row for one in order], index),
        suppressed=displaced(kept, index, ask.top_k),
        scanned=index.compared(among),
        stored=len(index),
        session=_next(ask, planned, config),
        conflicts=any(hit.conflicting or not hit.current for hit in hits),
        vetoed=tuple([index.id_of(one.row) for one in vetoed]),
        explanation=explain(planned, asks) if ask.explain else None,
    )


@dataclass(frozen=True, slots=True)
class Look:
    """The score of every row before anchors and decay, and what it is made of."""

    scores: Scores
    first: FirstLook
    rows: NDArray[np.int64]
    """Those that were looked at closely."""
    close: Mapping[str, Scores]
    """Named parts of theirs, weighed, each (len(rows),)."""
    weights: Mapping[str, float]


def look(ask: Ask, planned: Plan, index: IndexReader, among: Mask, config: AIMConfig) -> Look:
    """A first look at all rows, a closer one at the best of them."""
    first, by = first_look(ask, planned, index, among, config), weights(config)
    rows = pool(ask, first.sums, index, among)
    if not len(rows):
        return Look(first.sums, first, rows, {}, by)
    close = weighed(closer(planned, first, rows, index, among, config), by)
    near = weighed({name: values[rows] for name, values in first.parts.items()}, by)
    scores = behind(first.sums, total({**near, **close}), rows, among)
    return Look(scores, first, rows, close, by)


def first_look(ask: Ask, planned: Plan, index: IndexReader, among: Mask, config: AIMConfig) -> FirstLook:
    """What is cheap enough to be had of every row."""
    lasting = index.derived(standing)
    own = base(planned.own, index, lasting, among, config)
    parts = {**own.parts, **priors(planned, index, lasting, config), **when(ask, index, among, config)}
    if planned.moving is None:
        return FirstLook(parts, total(parts), own.bond)
    alone, moving = total(own.parts), total(base(planned.moving, index, lasting, among, config).parts)
    leaning = lean(ask.text, planned, alone, moving, index, among)
    parts["inertia"] = np.float32(leaning) * (moving - alone)
    return FirstLook(parts, total(parts), own.bond, moving, leaning)


def arrange(ask: Ask, kept: Sequence[Scored], index: IndexReader, config: AIMConfig) -> list[Scored]:
    """By score; of several versions of a fact the one that the question wants goes first."""
    order = by_score(kept)
    return put_before(order, versions(ask, order, index, config)) if config.supersession else order


def report(one: Scored, parts: Mapping[str, float], ask: Ask, index: IndexReader) -> Ranked:
    closer, match = index.superseded_by(one.row), one.match
    return Ranked(
        id=index.id_of(one.row),
        score=one.score,
        parts=parts,
        matched=_texts(match.matched),
        missing=_texts(match.missing),
        conflicting=_texts(match.conflicting),
        current=closer is None or not _in_force(one.row, closer, ask, index),
        superseded_by=closer,
        weight=one.weight,
    )


def _texts(anchors: Sequence[Anchor]) -> tuple[str, ...]:
    return tuple([anchor.text for anchor in anchors])


def named_parts(shown: Sequence[Scored], looks: Sequence[Look]) -> list[Mapping[str, float]]:
    """Of each score the parts that are not zero, as the question was heard that gave it."""
    best = winners([one.scores for one in looks], np.array([one.row for one in shown], np.int64)).tolist()
    of_each = [_parts_of(shown, one) for one in looks]
    return [of_each[won][place] for place, won in enumerate(best)]


def _parts_of(shown: Sequence[Scored], seen: Look) -> list[Mapping[str, float]]:
    """They sum to the score. What lies behind those looked at closely has a part "unread" that says how far."""
    rows = np.array([one.row for one in shown], np.int64)
    first = weighed({name: values[rows] for name, values in seen.first.parts.items()}, seen.weights)
    values = [values.tolist() for values in first.values()]
    places = {row: place for place, row in enumerate(seen.rows.tolist())}
    named: list[Mapping[str, float]] = []
    for one, *own in zip(shown, *values, strict=True):
        parts = dict(zip(first, own, strict=True))
        if (place := places.get(one.row)) is None:
            parts["unread"] = one.base - sum(own)
        else:
            parts.update({name: float(scores[place]) for name, scores in seen.close.items()})
        parts.update(anchors=one.anchors, decay=one.decay, current=one.current)
        named.append({name: value for name, value in parts.items() if value})
    return named


def _in_force(row: int, closer: str, ask: Ask, index: IndexReader) -> bool:
    """Had the supersession happened, and was it known, at the moment that is asked about?"""
    later = index.row_of(closer)
    told = ask.known_at is None or later is None or index.columns.created_at[later] <= ask.known_at.timestamp()
    return bool(told and (ask.as_of is None or index.columns.valid_until[row] <= ask.as_of.timestamp()))


def _next(ask: Ask, planned: Plan, config: AIMConfig) -> SessionState | None:
    if ask.session is None:
        return None
    return advance(ask.session, ask.text, planned.own.vector, config.inertia_momentum, ask.now)
