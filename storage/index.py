"""The index of one namespace: arrays over its memories, rebuilt from SQL whenever they are lost.

Rows are memories in ordinal order; a memory keeps its row when it is edited. Its segments are numbered apart: new ones
are appended, old ones left dead until more than half are, when everything is compacted. No step of a change is O(N)
but that one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aim_memory.errors import StorageError
from aim_memory.ports import DerivedT, IndexReader, NamespaceIndex, ReadSigns
from aim_memory.storage.cells import Cells
from aim_memory.storage.columns import CodedColumn, Column, dig
from aim_memory.storage.derived import Derived
from aim_memory.storage.excerpt import Excerpt
from aim_memory.storage.held_anchors import HeldAnchors
from aim_memory.storage.packing import pack, unpack
from aim_memory.storage.postings import Postings
from aim_memory.storage.selection import BEST, best, select
from aim_memory.storage.sketches import Sketches
from aim_memory.storage.vectors import FlatVectors
from aim_memory.types import ASKS, Anchor, Columns, IndexRow, TokenBits, Vector, Vectors

_FIELDS = ("session_id", "speaker", "role", "source")


def _value(row: IndexRow, field: str) -> Any:
    return getattr(row, field) if field in _FIELDS else dig(row.metadata, field.split(".")[1:])


def _or_never(moment: datetime | None) -> float:
    return np.inf if moment is None else moment.timestamp()


def _signs(row: IndexRow) -> list[TokenBits]:
    return [segment.tokens for segment in row.segments if segment.tokens is not None and len(segment.tokens)]


_PLAIN: Mapping[str, tuple[type, Callable[[IndexRow], Any]]] = {
    "alive": (np.bool_, lambda row: True),
    "ordinal": (np.int64, lambda row: row.ordinal),
    "timestamp": (np.float64, lambda row: row.timestamp.timestamp()),
    "created_at": (np.float64, lambda row: row.created_at.timestamp()),
    "valid_from": (np.float64, lambda row: row.valid_from.timestamp()),
    "valid_until": (np.float64, lambda row: _or_never(row.valid_until)),
    "expires_at": (np.float64, lambda row: _or_never(row.expires_at)),
    "pinned": (np.bool_, lambda row: row.pinned),
    "superseded": (np.bool_, lambda row: row.superseded_by is not None),
    "question": (np.bool_, lambda row: bool(row.segments) and ASKS in row.segments[-1].terms),
    "uses": (np.float32, lambda row: row.uses),
    "length": (np.int64, lambda row: row.length),
    "event_since": (np.float64, lambda row: min((a.since.timestamp() for a in row.anchors if a.since), default=np.inf)),
    "event_until": (
        np.float64,
        lambda row: max((a.until.timestamp() for a in row.anchors if a.until), default=-np.inf),
    ),
}
"""Columns with what they read from a row."""
_LINKS = ("previous", "following")
_DERIVED = {"alive"}
_DENSE = frozenset({"vectors.codes", "vectors.exact", "cells.centres"})
"""Parts of a frozen index that do not shrink."""
_ASKED = 32
"""Columns of metadata that are kept, the newest: whoever asks may name fields without end."""
_ROW = 500
"""Bytes, about, of a row beside its columns: ids, links, the places of its segments."""
WHOLE = 16_000
"""Memories up to which all are ranked: exact, and hardly dearer than choosing among them."""
_SHARE = 16
"""Of a large index, a question's rarest words are read first as far as their postings are so many times fewer than
memories; if that does not do, so many times more."""
_GROWN = 4
"""Cells are learned anew when there are so many times the vectors that they were learned from."""


class FlatIndex(NamespaceIndex):
    """An exact index while it is small: every question is compared with every vector. What is ranked of a large one
    is an excerpt, and in a very large one cells of vectors are looked into for it.

    Args:
        dimension: Of the vectors.
        bear: Dead segments that are borne before compaction is thought of.
        whole: Memories, and segments, up to which it is small.
    """

    def __init__(self, dimension: int, bear: int = 64, whole: int = WHOLE) -> None:
        self._bear, self._whole = bear, whole
        self._cells: Cells | None = None
        self._vectors = FlatVectors(dimension)
        self._sketches = Sketches(dimension, lambda ids: {})
        self._postings = Postings()
        self._owner = Column(np.int64)
        self._segment_alive = Column(np.bool_)
        self._dead_segments = 0
        self._aligned = True  # every memory has one segment, numbered as its row
        self._plain = {name: Column(dtype) for name, (dtype, _) in _PLAIN.items()}
        self._plain |= {name: Column(np.int64) for name in _LINKS}
        self._coded = {name: CodedColumn() for name in _FIELDS}
        self._columns: Columns | None = None  # made anew after a change
        self._derived = Derived()  # so is this
        self._weight: int | None = None  # bytes without token signs; so are they
        self._ids: list[str] = []
        self._rows: dict[str, int] = {}
        self._first, self._count = Column(np.int64), Column(np.int64)  # of each memory's segments
        self._anchors = HeldAnchors()
        self._metadata: list[Mapping[str, Any]] = []
        self._superseded_by: list[str | None] = []
        self._last: dict[str, int] = {}

    # --- changes ---------------------------------------------------------------------------------------------------

    def look_up(self, signs: ReadSigns) -> None:
        self._sketches = Sketches(self._vectors.dimension, signs)

    def upsert(self, rows: Sequence[IndexRow]) -> None:
        batch = list({row.id: row for row in rows}.values())
        self._sketches.put({row.id: _signs(row) for row in batch})
        at = [self._place(row.id) for row in batch]
        self._forget()
        self._fill(np.array(at, np.int64), batch)
        for place, row in zip(at, batch, strict=True):
            self._hold(place, row)
        self._add_segments(at, batch)
        self._compact_if_worth()

    def remove(self, ids: Sequence[str]) -> None:
        self._forget()
        self._sketches.drop(ids)
        for memory_id in ids:
            at = self._rows.pop(memory_id, None)
            if at is not None:
                self._withdraw(at)
                self._unlink(at)
                self._plain["alive"][at] = False
                self._metadata[at] = {}
        self._compact_if_worth()

    def _forget(self) -> None:
        """Lets go of what was made of the rows as they were."""
        self._columns = None
        self._derived.clear()
        self._weight = None

    def __len__(self) -> int:
        return len(self._rows)

    def _place(self, memory_id: str) -> int:
        """The row of a memory: its own, emptied, or a new one at the end."""
        at = self._rows.get(memory_id)
        if at is not None:
            self._withdraw(at)
            return at
        at = self._rows[memory_id] = len(self._ids)
        self._ids.append(memory_id)
        self._anchors.grow()
        self._metadata.append({})
        self._superseded_by.append(None)
        return at

    def _fill(self, at: NDArray[np.int64], rows: Sequence[IndexRow]) -> None:
        """Writes the columns of a batch."""
        old = self._plain["alive"].view.size
        for name, column in self._plain.items():
            column.grow(self.size)
            if name in _PLAIN:
                read = _PLAIN[name][1]
                column.view[at] = [read(row) for row in rows]
        for field, coded in self._coded.items():
            coded.grow(self.size)
            coded.put(at, [_value(row, field) for row in rows])
        for place, row in zip(at.tolist(), rows, strict=True):
            if place >= old:
                self._link(place, row.session_id, row.ordinal)

    def _hold(self, at: int, row: IndexRow) -> None:
        """Keeps what is no column: metadata, links and anchors."""
        self._metadata[at] = row.metadata
        self._superseded_by[at] = row.superseded_by
        self._anchors.put(at, row.anchors)

    def _add_segments(self, at: Sequence[int], rows: Sequence[IndexRow]) -> None:
        counts = np.array([len(row.segments) for row in rows], np.int64)
        firsts = len(self._owner.view) + np.cumsum(counts) - counts
        self._aligned &= bool((counts == 1).all() and (firsts == at).all())
        for column, values in ((self._first, firsts), (self._count, counts)):
            column.grow(self.size)
            column.view[at] = values
        segments = [segment for row in rows for segment in row.segments]
        self._owner.extend(np.repeat(np.array(at, np.int64), counts))
        self._segment_alive.extend(np.ones(len(segments), np.bool_))
        self._postings.extend([segment.terms for segment in segments])
        self._vectors.append([segment.vector for segment in segments])
        self._put_into_cells(len(segments))

    def _put_into_cells(self, count: int) -> None:
        """Puts the last ``count`` segments into cells; all of them when the cells have to be learned (anew)."""
        total = len(self._vectors)
        if total <= self._whole:
            return
        learn = self._cells is None or total > _GROWN * self._cells.learned_from
        added = np.arange(0 if learn else total - count, total)
        added = added[self._vectors.filled[added] & self._segment_alive.view[added]]
        if self._cells is None or learn:
            self._cells = Cells(self._vectors.matrix[added], added) if len(added) else None
        elif len(added):
            self._cells.add(self._vectors.matrix[added], added)

    def _withdraw(self, at: int) -> None:
        """Takes a memory's words, vectors and anchors out; its row stays."""
        segments = self._span(at)
        self._segment_alive.view[segments.start : segments.stop] = False
        self._postings.withdraw(segments)
        self._dead_segments += len(segments)
        self._count[at] = 0
        self._anchors.withdraw(at)

    def _span(self, at: int) -> range:
        """The live segments of a memory."""
        first = int(self._first[at])
        return range(first, first + int(self._count[at]))

    def _link(self, at: int, session: str | None, ordinal: int) -> None:
        """Hangs a new row into its session's chain, which is in ordinal order."""
        previous, following = self._plain["previous"], self._plain["following"]
        before, after = self._last.get(session, -1) if session is not None else -1, -1
        while before >= 0 and self._plain["ordinal"][before] > ordinal:
            before, after = previous[before], before
        previous[at], following[at] = before, after
        if before >= 0:
            following[before] = at
        if after >= 0:
            previous[after] = at
        elif session is not None:
            self._last[session] = at

    def _unlink(self, at: int) -> None:
        before, after = self._plain["previous"][at], self._plain["following"][at]
        if before >= 0:
            self._plain["following"][before] = after
        if after >= 0:
            self._plain["previous"][after] = before
        session = self._coded["session_id"]
        code = session.codes[at]
        if code >= 0 and self._last.get(session.values[code]) == at:
            self._last[session.values[code]] = before

    # --- compaction ------------------------------------------------------------------------------------------------

    def _compact_if_worth(self) -> None:
        if self._dead_segments > max(self._bear, len(self._owner.view) // 2):
            self._compact()

    def _compact(self) -> None:
        self._forget()
        segments, rows = self._segment_alive.view.copy(), self._plain["alive"].view.copy()
        numbers = np.append(np.cumsum(rows) - 1, -1)
        self._vectors.keep(segments)
        if len(self._vectors) <= self._whole:
            self._cells = None  # while it is small nothing is added to them, so they would lack what comes next
        if self._cells is not None:
            filled = np.flatnonzero(self._vectors.filled)
            self._cells.keep(self._vectors.matrix[filled], filled, np.flatnonzero(segments)[filled])
        self._postings.keep(segments)
        self._owner.keep(segments)
        self._segment_alive.keep(segments)
        self._dead_segments = 0
        for column in (*self._plain.values(), self._first, self._count):
            column.keep(rows)
        for coded in self._coded.values():
            coded.keep(rows)
        for column in (self._owner, self._plain["previous"], self._plain["following"]):
            column.view[:] = numbers[column.view]
        self._first.view[:] = (np.cumsum(segments) - 1)[np.minimum(self._first.view, len(segments) - 1)]
        self._renumber(np.flatnonzero(rows))
        self._anchors.keep(np.flatnonzero(rows), numbers)
        self._aligned = np.array_equal(self._owner.view, np.arange(self.size))
        self._last = {session: int(numbers[at]) for session, at in self._last.items() if at >= 0}

    def _renumber(self, kept: NDArray[np.int64]) -> None:
        self._ids = [self._ids[at] for at in kept]
        self._rows = {memory_id: at for at, memory_id in enumerate(self._ids)}
        self._metadata = [self._metadata[at] for at in kept]
        self._superseded_by = [self._superseded_by[at] for at in kept]

    # --- frozen ----------------------------------------------------------------------------------------------------

    @property
    def nbytes(self) -> int:
        if self._weight is None:
            self._weight = self._weighed()
        return self._weight + self._sketches.nbytes

    def _weighed(self) -> int:
        columns: list[Column | CodedColumn] = [self._owner, self._segment_alive]
        columns += [*self._plain.values(), *self._coded.values()]
        parts = self._vectors.nbytes + self._postings.nbytes + self._anchors.nbytes
        return parts + sum(column.nbytes for column in columns) + _ROW * self.size

    def freeze(self, *, exact: bool = False) -> bytes:
        if self._dead_segments or len(self) < self.size:
            self._compact()
        metadata = {str(row): own for row, own in enumerate(self._metadata) if own}
        parts = {
            "ids": self._ids,
            "metadata": metadata,
            "superseded": {str(row): own for row, own in enumerate(self._superseded_by) if own is not None},
            "first": self._first.view,
            "count": self._count.view,
            **_named("plain", {name: column.view for name, column in self._plain.items() if name not in _DERIVED}),
            **{name: own for field in _FIELDS for name, own in _named(field, self._coded[field].frozen()).items()},
            **_named("anchors", self._anchors.frozen()),
            **_named("postings", self._postings.frozen()),
            **_named("vectors", self._vectors.frozen(exact=exact)),
            **_named("cells", {} if self._cells is None else self._cells.frozen()),
        }
        return pack(parts, _DENSE)

    def thaw(self, body: bytes) -> None:
        try:
            self._thaw(unpack(body))
        except (LookupError, ValueError, TypeError) as error:
            raise StorageError(f"These bytes are no index: {error!r}.") from error

    def _thaw(self, parts: Mapping[str, Any]) -> None:
        self._ids = parts["ids"]
        self._rows = {memory_id: row for row, memory_id in enumerate(self._ids)}
        self._metadata = [{}] * self.size
        self._superseded_by = [None] * self.size
        for held, kept in ((self._metadata, parts["metadata"]), (self._superseded_by, parts["superseded"])):
            for row, own in kept.items():
                held[int(row)] = own
        self._thaw_columns(parts)
        self._anchors.thaw(**_under("anchors", parts))
        self._postings.thaw(**_under("postings", parts))
        self._vectors.thaw(_under("vectors", parts))
        filled = np.flatnonzero(self._vectors.filled)
        if (cells := _under("cells", parts)) and len(filled):  # else they are learned anew when there is something
            self._cells = Cells.thaw(cells, self._vectors.matrix[filled], filled)

    def _thaw_columns(self, parts: Mapping[str, Any]) -> None:
        for name in self._plain.keys() - _DERIVED:
            self._plain[name].extend(parts[f"plain.{name}"])
        self._plain["alive"].extend(np.ones(self.size, np.bool_))
        for field in _FIELDS:
            self._coded[field].thaw(**_under(field, parts))
        self._first.extend(parts["first"])
        self._count.extend(parts["count"])
        self._owner.extend(np.repeat(np.arange(self.size), parts["count"])[np.argsort(_spread(parts), kind="stable")])
        self._segment_alive.extend(np.ones(len(self._owner.view), np.bool_))
        self._aligned = np.array_equal(self._owner.view, np.arange(self.size))
        codes, sessions = self.coded("session_id")
        ends = np.flatnonzero((self._plain["following"].view < 0) & (codes >= 0))
        self._last = {sessions[code]: row for code, row in zip(codes[ends].tolist(), ends.tolist(), strict=True)}

    # --- reading ---------------------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        return len(self._ids)

    @property
    def columns(self) -> Columns:
        if self._columns is None:
            self._columns = Columns(**{name: column.view for name, column in self._plain.items()})
        return self._columns

    def derived(self, make: Callable[[IndexReader], DerivedT]) -> DerivedT:
        return self._derived.of(self, make)

    def id_of(self, row: int) -> str:
        return self._ids[row]

    def row_of(self, memory_id: str) -> int | None:
        return self._rows.get(memory_id)

    def superseded_by(self, row: int) -> str | None:
        return self._superseded_by[row]

    def anchors_of(self, row: int) -> Sequence[Anchor]:
        return self._anchors.of(row)

    def anchored(self, kind: str, key: str) -> NDArray[np.int64]:
        return self._anchors.rows(kind, key)

    def holders(self, kind: str, key: str) -> int:
        return self._anchors.holders(kind, key)

    def excerpt(
        self,
        terms: Sequence[Mapping[str, float]],
        directions: Sequence[Vector],
        anchors: Sequence[Anchor],
        among: NDArray[np.bool_],
    ) -> IndexReader:
        if self.size <= self._whole:
            return self
        near, compared = self.nearest(directions, among)
        rows = select(self, [*(self.told(own, among) for own in terms), near], anchors, among)
        return Excerpt(self, rows, [(own, self.lexical_of(own, rows)) for own in terms], compared)

    def told(self, terms: Mapping[str, float], among: NDArray[np.bool_]) -> NDArray[np.int64]:
        """The ``BEST`` rows by words, in no order.

        Half of all memories may hold a name, and what that adds to a score is little. So the rarest terms are read
        first: once the last of the best has more than the others could add, none that holds only those is better, and
        they are looked up for the best alone (MaxScore: Turtle and Flood 1995).
        """
        most = self.size // _SHARE
        while True:
            segments, scores, rest = self._postings.rarer(terms, self._live, most)
            rows, scores = self._allowed(segments, scores, among)
            least = np.partition(scores, -BEST)[-BEST] if len(scores) > BEST else 0.0
            if not rest:
                return rows[best(scores)]
            if least >= rest:
                rows = rows[scores >= least - rest]
                return rows[best(self.lexical_of(terms, rows))]
            most *= _SHARE

    def _allowed(
        self, segments: NDArray[np.int64], scores: NDArray[np.float32], among: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The rows of segments, as far as they are ``among``, each with the score of its best."""
        owners = segments if self._aligned else self._owner.view[segments]
        kept = among[owners] if self._live is None else among[owners] & self._live[segments]
        owners, scores = owners[kept], scores[kept]
        if self._aligned:
            return owners, scores
        whole = np.zeros(self.size, np.float32)
        np.maximum.at(whole, owners, scores)
        rows = np.flatnonzero(whole)
        return rows, whole[rows]

    def nearest(self, directions: Sequence[Vector], among: NDArray[np.bool_]) -> tuple[NDArray[np.int64], int]:
        """The rows nearest to any of the directions, and how many memories were compared to find them."""
        count = int(among.sum())
        if not directions or not count:
            return np.zeros(0, np.int64), 0
        if self._cells is None or count <= self._whole:
            rows = np.flatnonzero(among)
            near = [best(self.similarities_of(direction, rows) + 1) for direction in directions]
            return rows[np.concatenate(near)], count
        free = self._live is None and count == self.size
        allowed = None if free else among[self._owner.view] & self._segment_alive.view
        segments, compared = self._cells.search(np.stack(directions), BEST, allowed)
        return segments if self._aligned else np.unique(self._owner.view[segments]), compared

    def coded(self, field: str) -> tuple[NDArray[np.int32], Sequence[Any]]:
        own = self._coded.get(field)
        if own is None:
            own, path = CodedColumn(), field.split(".")[1:]
            own.grow(self.size)
            own.put(np.arange(self.size), [dig(metadata, path) for metadata in self._metadata])
            self._coded[field] = own  # complete before others can see it
            for oldest in list(self._coded)[len(_FIELDS) : -_ASKED]:
                self._coded.pop(oldest, None)  # others may be at it, too
        return own.codes, own.values

    @property
    def embedded(self) -> float:
        alive = len(self._owner.view) - self._dead_segments
        seen = np.count_nonzero(self._segment_alive.view & self._vectors.filled)
        return seen / alive if alive else 1.0

    def similarities(self, question: Vector) -> NDArray[np.float32]:
        products = self._vectors.products(question)
        seen = self._segment_alive.view & self._vectors.filled
        if self._aligned:
            products[~seen] = -np.inf
            return products
        return _pooled(products[seen], self._owner.view[seen], self.size)

    def similarities_of(self, question: Vector, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        segments, owners = self._segments_of(rows)
        seen = self._vectors.filled[segments] & self._segment_alive.view[segments]
        if self._aligned:
            return np.where(seen, self._vectors.products_of(question, segments), np.float32(-np.inf))
        return _pooled(self._vectors.products_of(question, segments[seen]), owners[seen], len(rows))

    def _segments_of(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The live segments of rows, in their order, and for each the place of its row among ``rows``."""
        if self._aligned:
            return rows, np.arange(len(rows))
        counts = self._count.view[rows]
        first = self._first.view[rows] - (np.cumsum(counts) - counts)
        return np.repeat(first, counts) + np.arange(counts.sum()), np.repeat(np.arange(len(rows)), counts)

    def late(self, tokens: Vectors, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return self._sketches.best(tokens, [self._ids[row] for row in rows.tolist()])

    def lexical(self, terms: Mapping[str, float]) -> NDArray[np.float32]:
        scores = self._postings.bm25(terms, self._live)
        if self._dead_segments:
            scores *= self._segment_alive.view
        return scores if self._aligned else self._best(scores, 0.0)

    def lexical_of(self, terms: Mapping[str, float], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The lexical score of some rows, (len(rows),)."""
        segments, owners = self._segments_of(rows)
        scores = self._postings.bm25_of(terms, segments, self._live)
        if self._dead_segments:
            scores *= self._segment_alive.view[segments]
        if self._aligned:
            return scores
        whole = np.zeros(len(rows), np.float32)
        np.maximum.at(whole, owners, scores)
        return whole

    def rarity(self, terms: Sequence[str]) -> NDArray[np.float32]:
        return self._postings.idf(terms, self._live)

    def covered(self, terms: Sequence[str], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        segments, owners = self._segments_of(rows)
        held = np.zeros((len(terms), len(rows)), np.bool_)
        for number, term in enumerate(terms):
            held[number, owners[self._postings.holds(term, segments)]] = True
        return held

    def overlap(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        return self._postings.overlap([self._span(row) for row in rows.tolist()], self._live)

    @property
    def _live(self) -> NDArray[np.bool_] | None:
        return self._segment_alive.view if self._dead_segments else None

    def _best(self, scores: NDArray[np.float32], least: float) -> NDArray[np.float32]:
        """Per memory, the score of its best segment."""
        best = np.full(self.size, least, np.float32)
        np.maximum.at(best, self._owner.view, scores.astype(np.float32, copy=False))
        return best


def _pooled(products: NDArray[np.float32], owners: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    """Per memory, ½ the best of its segments' products, ¼ the first and ¼ their mean; −inf for none: (count,).

    Args:
        products: Of segments, those of one memory in their order.
        owners: Whose they are, in [0, count).
    """
    counts = np.bincount(owners, minlength=count)
    mean = np.bincount(owners, products, minlength=count) / np.maximum(counts, 1)
    best = np.full(count, -np.inf, np.float32)
    np.maximum.at(best, owners, products)
    first = np.full(count, -np.inf, np.float32)
    first[owners[::-1]] = products[::-1]  # of several values for one row the last written stays
    return np.asarray(best / 2 + first / 4 + np.where(counts, mean, -np.inf) / 4, np.float32)


def _named(group: str, parts: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{group}.{name}": own for name, own in parts.items()}


def _under(group: str, parts: Mapping[str, Any]) -> dict[str, Any]:
    """The parts of a group, by their own names."""
    return {name[len(group) + 1 :]: own for name, own in parts.items() if name.startswith(group + ".")}


def _spread(parts: Mapping[str, Any]) -> NDArray[np.int64]:
    """The number of each segment, memory by memory."""
    counts = parts["count"]
    return np.repeat(parts["first"] - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())
