"""Which of the best memories are versions of one fact, and which of two goes first: the later, for a question about the
past the earlier one.

Supersession says so where statements were read. Where none were, two memories of one person are taken for versions when
they say much in the same words and hold different values of the kind that is asked for, or when the later one speaks of
a change. That only orders; nothing is marked as superseded.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aim_memory.anchors import extract
from aim_memory.config import AIMConfig
from aim_memory.ports import IndexReader
from aim_memory.routing.scoring import Scored
from aim_memory.routing.values import Ask, Mask
from aim_memory.text import PEOPLE, Wanted, about_now, about_past, analyse, fold, wanted
from aim_memory.types import CHANGES, Anchor

LOOK = 12
"""Memories that are compared: the best ones."""
LEAST = 0.05
"""Overlap below which two memories speak of different matters."""
LEAST_ASKED = 0.3
"""Share of what one memory holds of the question that its version has to hold as well."""
_HOW_MANY = re.compile(r"\bhow many(?: of)?\b|多少|[几幾](?![点點号號])", re.IGNORECASE)
_SUITS: Mapping[Wanted, Collection[str]] = {
    "amount": ("number",),
    "moment": ("date",),
    "name": ("name",),
    "thing": ("number", "date", "identifier"),
}
"""Kinds of anchors that may be the value asked for."""


@dataclass(frozen=True, slots=True)
class Sought:
    """What a question wants to know."""

    past: bool
    kind: Wanted
    terms: Sequence[str]
    amount: Anchor | None
    """How the number would be read that "how many days" asks for: its unit, or what is counted."""


def versions(ask: Ask, order: Sequence[Scored], index: IndexReader, config: AIMConfig) -> Mapping[int, int]:
    """Row → the row of the version that goes before it."""
    superseding, past = _superseding(order, index), about_past(ask.text)
    if past:
        superseding = {later: row for row, later in superseding.items()}
    if not config.version_lift or not (past or about_now(ask.text)):
        return superseding
    sought = Sought(past, wanted(ask.text), list(analyse(ask.text)), _amount(ask))
    return {**_likely(order[:LOOK], sought, index, config.version_lift), **superseding}


def _amount(ask: Ask) -> Anchor | None:
    place = _HOW_MANY.search(ask.text)
    if not place:
        return None
    example = extract(f"{ask.text[: place.start()]}2{ask.text[place.end() :]}", reference=ask.now)
    return next((anchor for anchor in example if anchor.start == place.start() and anchor.kind == "number"), None)


def _superseding(order: Sequence[Scored], index: IndexReader) -> Mapping[int, int]:
    """Row → the row of what superseded it, where both are there."""
    there = {one.row: None for one in order}
    at = np.array([*there], np.int64)
    closers = ((row, index.superseded_by(row)) for row in at[index.columns.superseded[at]].tolist())
    rows = ((row, index.row_of(closer)) for row, closer in closers if closer is not None)
    return {row: later for row, later in rows if later is not None and later in there}


def _likely(best: Sequence[Scored], sought: Sought, index: IndexReader, lift: float) -> Mapping[int, int]:
    """Row → the row of its likely version, if that lies behind by no more than ``lift`` × their likeness, as a share of
    what lies between the first and the last of ``best``. Of several the one with the most to spare; no version of a
    version, since doubts add up."""
    spare: dict[int, tuple[float, int]] = {}
    if len(best) < 2 or (span := best[0].score - best[-1].score) <= 0:
        return {}
    for one, other, likeness in _alike(best, sought, index):
        left = lift * likeness - (best[one].score - best[other].score) / span
        if left >= 0:
            spare[best[one].row] = max(spare.get(best[one].row, (0.0, -1)), (left, best[other].row))
    preferred = {other for _, other in spare.values()}
    return {row: other for row, (_, other) in spare.items() if row not in preferred}


def _alike(best: Sequence[Scored], sought: Sought, index: IndexReader) -> Iterator[tuple[int, int, float]]:
    """(place, place further down, likeness) of what may be versions of one fact.

    Likeness is the overlap beyond what two of the best usually share, twice that where the values differ, as much again
    where the later one speaks of a change.
    """
    rows = np.array([one.row for one in best], np.int64)
    pairs = _told_again(rows, index, sought.past)
    if not pairs.any():
        return
    overlap = index.overlap(rows)
    usual = float(np.median(overlap[np.triu_indices(len(rows), 1)]))
    pairs &= (overlap >= max(LEAST, usual)) & _same_matter(sought.terms, rows, index)
    changes = index.covered([CHANGES], rows)[0]
    for one, other in np.argwhere(pairs).tolist():
        early, late = (other, one) if sought.past else (one, other)
        former, newer = (_values(index.anchors_of(int(rows[place])), sought) for place in (early, late))
        differ = _differ(former, newer, bool(changes[late]))
        if differ or (changes[late] and sought.kind in ("name", "thing")):
            yield one, other, (float(overlap[one, other]) - usual) * (1 + differ + bool(changes[late]))


def _same_matter(terms: Sequence[str], rows: NDArray[np.int64], index: IndexReader) -> Mask:
    """(n, n): does the second memory hold LEAST_ASKED of what the first holds of the question, by idf?"""
    if not terms:
        return np.zeros((len(rows), len(rows)), np.bool_)
    held, rarity = index.covered(terms, rows).astype(np.float64), index.rarity(terms)
    shared = (held * rarity[:, None]).T @ held
    return np.asarray(shared >= LEAST_ASKED * np.maximum(shared.diagonal()[:, None], 1e-9))


def _told_again(rows: NDArray[np.int64], index: IndexReader, past: bool) -> Mask:
    """(n, n): does the second memory, further down, come from the same person as the first, and later (earlier, for a
    question about the past)?"""
    voices, columns = _voices(rows, index), index.columns
    place = np.empty(len(rows), np.int64)
    place[np.lexsort((columns.ordinal[rows], columns.timestamp[rows]))] = np.arange(len(rows))
    told = place[:, None] > place if past else place[:, None] < place
    return np.triu(told & (voices[:, None] == voices) & (voices >= 0), 1)


def _voices(rows: NDArray[np.int64], index: IndexReader) -> NDArray[np.int64]:
    """Which person said each memory; −1 for assistants, tools and documents.

    People are known by their role. Where no role is given, speakers count as people if there are several of them: a
    single one may be the name of a library.
    """
    roles, known = index.coded("role")
    speakers, names = index.coded("speaker")
    people = np.array([fold(str(role)) in PEOPLE for role in known] + [len(names) > 1], np.bool_)
    said = people[roles[rows]] & ((roles[rows] >= 0) | (speakers[rows] >= 0))
    return np.where(said, speakers[rows] + 1, -1).astype(np.int64)


def _values(anchors: Sequence[Anchor], sought: Sought) -> Mapping[str, set[str]]:
    """What may be the value asked for, by what it compares with: times of day are moments, amounts have units."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for anchor in anchors:
        kind = "date" if anchor.unit in ("time", "clock") else anchor.kind
        if kind in _SUITS[sought.kind] and anchor.unit != "ordinal" and _counts(anchor, sought.amount):
            unit = anchor.unit if kind == "number" else anchor.slot if kind == "identifier" else None
            found[f"{kind} {unit}"].add(anchor.key)
    return found


def _counts(anchor: Anchor, amount: Anchor | None) -> bool:
    """May this be the amount asked for, by its unit or by what it counts?"""
    if amount is None or anchor.kind != "number" or not (amount.unit or amount.slot):
        return True
    return anchor.unit == amount.unit and (amount.slot is None or anchor.slot in (None, amount.slot))


def _differ(early: Mapping[str, set[str]], late: Mapping[str, set[str]], changes: bool) -> bool:
    """Does the later one hold a comparable value that is new, and the earlier one a value that is gone? Who speaks of a
    change may name both."""
    both = early.keys() & late.keys()
    return any(late[kind] - early[kind] and (changes or early[kind] - late[kind]) for kind in both)
