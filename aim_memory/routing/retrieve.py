"""Retrieval, top to bottom: how the question is heard → who may be found → a first look at all, a closer one at the
best → order → what is reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from aim_memory.config import AIMConfig
from aim_memory.ports import IndexReader
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
from aim_memory.routing.scoring import Scored, rescore
from aim_memory.routing.trace import explain
from aim_memory.routing.values import Ask, Embed, Mask, Ranked, Ranking, Scores
from aim_memory.routing.versions import versions
from aim_memory.routing.weighing import unread, weighed, weights
from aim_memory.routing.when import when
from aim_memory.types import SessionState


def retrieve(ask: Ask, index: IndexReader, embed: Embed, config: AIMConfig) -> Ranking:
    """The memories of a namespace that answer a question, best first.

    A failing embedder leaves words and anchors. With a session, its next state is in the ranking; nothing is stored.
    """
    planned = plan(ask, index, embed, config)
    index, among = focus(ask, planned, index)
    parts, moving = scores(ask, planned, index, among, config)
    sums = total(parts)
    scored = rescore(ask, candidates(ask, sums, moving, index, among, config), sums, index, config)
    vetoed = [one for one in scored if one.contradicted] if ask.mode == "strict" else []
    kept = [one for one in scored if not one.contradicted] if vetoed else scored
    order = arrange(ask, kept, index, config)
    shown = order[: ask.top_k]
    hits = [report(one, named, ask, index) for one, named in zip(shown, named_parts(shown, parts), strict=True)]
    hits = [hit for hit in hits if ask.threshold is None or hit.score >= ask.threshold]
    return Ranking(
        hits=tuple(hits),
        confidence=confidence(ask, planned, [one.row for one in order], index),
        suppressed=displaced(kept, index, ask.top_k),
        scanned=index.compared(among),
        stored=len(index),
        session=_next(ask, planned, config),
        conflicts=any(hit.conflicting or not hit.current for hit in hits),
        vetoed=tuple(index.id_of(one.row) for one in vetoed),
        explanation=explain(planned) if ask.explain else None,
    )


def scores(
    ask: Ask, planned: Plan, index: IndexReader, among: Mask, config: AIMConfig
) -> tuple[Mapping[str, Scores], Scores | None]:
    """Named parts of every row's score, before anchors and decay; and the base score in the session's direction."""
    first = first_look(ask, planned, index, among, config)
    sums, by = total(first.parts), weights(config)
    rows = pool(ask, sums, index, among)
    if not len(rows):
        return first.parts, first.moving
    parts = weighed({**first.parts, **closer(planned, first, rows, index, among, config)}, by)
    return {**parts, "unread": unread(sums, total(parts), rows, among)}, first.moving


def first_look(ask: Ask, planned: Plan, index: IndexReader, among: Mask, config: AIMConfig) -> FirstLook:
    """What is cheap enough to be had of every row."""
    own = base(planned.own, index, among, config)
    parts = {**own.parts, **priors(planned, index, config), **when(ask, index, among, config)}
    if planned.moving is None:
        return FirstLook(parts, own.bond)
    alone, moving = total(own.parts), total(base(planned.moving, index, among, config).parts)
    leaning = lean(ask.text, planned.own, alone, moving, index, among)
    return FirstLook({**parts, "inertia": leaning * (moving - alone)}, own.bond, moving, leaning)


def arrange(ask: Ask, kept: Sequence[Scored], index: IndexReader, config: AIMConfig) -> list[Scored]:
    """By score; of several versions of a fact the one that the question wants goes first."""
    order = by_score(kept)
    return put_before(order, versions(ask, order, index, config)) if config.supersession else order


def report(one: Scored, parts: Mapping[str, float], ask: Ask, index: IndexReader) -> Ranked:
    closer = index.superseded_by(one.row)
    return Ranked(
        id=index.id_of(one.row),
        score=one.score,
        parts=parts,
        matched=tuple(anchor.text for anchor in one.match.matched),
        missing=tuple(anchor.text for anchor in one.match.missing),
        conflicting=tuple(anchor.text for anchor in one.match.conflicting),
        current=closer is None or not _in_force(one.row, closer, ask, index),
        superseded_by=closer,
        weight=one.weight,
    )


def named_parts(shown: Sequence[Scored], parts: Mapping[str, Scores]) -> list[Mapping[str, float]]:
    """Of each score the parts that are not zero; they sum to the score."""
    rows = np.array([one.row for one in shown], np.int64)
    names = (*parts, "anchors", "decay", "current")
    read = np.stack([scores[rows] for scores in parts.values()], axis=1).tolist()
    values = [(*own, one.anchors, one.decay, one.current) for one, own in zip(shown, read, strict=True)]
    return [{name: value for name, value in zip(names, own, strict=True) if value} for own in values]


def _in_force(row: int, closer: str, ask: Ask, index: IndexReader) -> bool:
    """Had the supersession happened, and was it known, at the moment that is asked about?"""
    later = index.row_of(closer)
    told = ask.known_at is None or later is None or index.columns.created_at[later] <= ask.known_at.timestamp()
    return bool(told and (ask.as_of is None or index.columns.valid_until[row] <= ask.as_of.timestamp()))


def _next(ask: Ask, planned: Plan, config: AIMConfig) -> SessionState | None:
    if ask.session is None:
        return None
    return advance(ask.session, ask.text, planned.own.vector, config.inertia_momentum, ask.now)
