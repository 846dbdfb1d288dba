"""Time: a question that names a time speaks for what happened or was said then; "when?" speaks for what has a date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from aim_memory.anchors.periods import names_time, periods
from aim_memory.config import AIMConfig
from aim_memory.ports import IndexReader
from aim_memory.routing.values import Ask, Mask, Scores
from aim_memory.text import asks_when, sentences
from aim_memory.types import Columns

Fits: TypeAlias = tuple[NDArray[np.int64], NDArray[np.float64]]
"""The rows that fit a time, and how well, in [0, 1]."""
SAID = 0.7
"""What it counts that a memory without a date was said then, against having happened then for certain."""
ELSEWHERE = 0.3
"""The same for a memory that names other dates."""
DATED = 0.8
"""What it counts, when a date is asked for, that a memory names one."""
DAY = 86400.0
LAG = 7 * DAY
"""Seconds: what is told so much later was e times less likely to have happened then."""
LATEST = 4 * LAG
"""What is told later still is not taken for it."""
YEARS = 20
"""Most years back in which a month without a year is looked for."""
_EPOCH = date(1970, 1, 1).toordinal()


def when(ask: Ask, index: IndexReader, among: Mask, config: AIMConfig) -> Mapping[str, Scores]:
    """The part "when", (rows,), if the question names a time or asks for one; else no part.

    Each of the two counts by how selective it is here, 1 − the share of the memories that have it, and less in a
    question of several sentences, each of which says less.
    """
    found = [*_fitting(ask, index), *_dated(ask, index)] if config.time_weight and among.any() else []
    if not found:
        return {}
    added, count = np.zeros(len(among), np.float32), int(among.sum())
    weight = config.time_weight / max(len(sentences(ask.text)), 1)
    for rows, fits in found:
        kept, fits = rows[among[rows]], fits[among[rows]]
        telling = 1 - float((fits / fits.max()).sum()) / count if len(kept) else 0.0
        added[kept] += weight * telling * fits
    return {"when": added}


def _dated(ask: Ask, index: IndexReader) -> Iterator[Fits]:
    """What names a date, if one is asked for."""
    if asks_when(ask.text):
        rows = np.flatnonzero(index.columns.event_since < index.columns.event_until)
        yield rows, np.full(len(rows), DATED)


def _fitting(ask: Ask, index: IndexReader) -> Iterator[Fits]:
    """What fits the time that the question names, if it names one."""
    if not names_time(ask.text, ask.anchors):
        return
    columns = index.columns
    best = np.zeros(len(columns.timestamp))
    for span in periods(ask.text, ask.anchors, reference=ask.now, years=_years(columns.timestamp)):
        since, until = ((day.toordinal() - _EPOCH) * DAY for day in span)
        rows = _near(since, until, columns)
        if len(rows):
            best[rows] = np.maximum(best[rows], _fits(since, until, rows, columns))
    yield (rows := np.flatnonzero(best)), best[rows]


def _years(said: NDArray[np.float64]) -> range:
    """The years that the memories speak of, roughly: from the one before the first to the one after the last."""
    first, last = (datetime.fromtimestamp(float(edge), UTC).year for edge in (said.min(), said.max()))
    return range(max(first - 1, last - YEARS), last + 2)


def _near(since: float, until: float, columns: Columns) -> NDArray[np.int64]:
    """The rows that may fit an interval of POSIX seconds at all."""
    happened = (columns.event_since < until) & (columns.event_until > since)
    told = (columns.timestamp >= since) & (columns.timestamp < until + LATEST)
    return np.flatnonzero(happened | told)


def _fits(since: float, until: float, rows: NDArray[np.int64], columns: Columns) -> NDArray[np.float64]:
    """How well each of the rows fits an interval of POSIX seconds, in [0, 1].

    A memory's dates fit by the root of their share that lies inside: "last week" counts .38 for one of its days.
    """
    begins, ends, said = columns.event_since[rows], columns.event_until[rows], columns.timestamp[rows]
    dated = begins < ends
    inside = np.clip(np.minimum(ends, until) - np.maximum(begins, since), 0.0, None)
    happened = np.sqrt(inside / np.where(dated, ends - begins, 1.0))
    told = np.where(said < since, 0.0, np.exp(np.minimum(until - said, 0.0) / LAG))
    return np.asarray(np.where(dated, np.maximum(happened, ELSEWHERE * told), SAID * told))
