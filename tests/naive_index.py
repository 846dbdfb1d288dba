"""An index that keeps its rows as they are and computes everything plainly: the exact model of FlatIndex."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aim_memory.ports import NamespaceIndex
from aim_memory.types import ASKS, Anchor, Columns, IndexRow, Segment, TokenBits, Vector, Vectors


class NaiveIndex(NamespaceIndex):
    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._rows: dict[str, IndexRow] = {}

    def upsert(self, rows: Sequence[IndexRow]) -> None:
        self._rows |= {row.id: row for row in rows}

    def remove(self, ids: Sequence[str]) -> None:
        for memory_id in ids:
            self._rows.pop(memory_id, None)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def _ordered(self) -> list[IndexRow]:
        return sorted(self._rows.values(), key=lambda row: row.ordinal)

    @property
    def size(self) -> int:
        return len(self._rows)

    def id_of(self, row: int) -> str:
        return self._ordered[row].id

    def row_of(self, memory_id: str) -> int | None:
        ids = [row.id for row in self._ordered]
        return ids.index(memory_id) if memory_id in ids else None

    def superseded_by(self, row: int) -> str | None:
        return self._ordered[row].superseded_by

    def anchors_of(self, row: int) -> Sequence[Anchor]:
        return self._ordered[row].anchors

    def anchored(self, kind: str, key: str) -> NDArray[np.int64]:
        held = [[(anchor.kind, anchor.key) for anchor in row.anchors] for row in self._ordered]
        return np.array([at for at, pairs in enumerate(held) if (kind, key) in pairs], np.int64)

    def coded(self, field: str) -> tuple[NDArray[np.int32], Sequence[Any]]:
        values: list[Any] = []
        codes = []
        for row in self._ordered:
            value = self._value(row, field)
            if value is not None and not any(_same(value, known) for known in values):
                values.append(value)
            codes.append(next((at for at, known in enumerate(values) if _same(value, known)), -1))
        return np.array(codes, np.int32), values

    @staticmethod
    def _value(row: IndexRow, field: str) -> Any:
        if not field.startswith("metadata."):
            return getattr(row, field)
        value: Any = row.metadata
        for step in field.split(".")[1:]:
            value = value.get(step) if isinstance(value, dict) else None
        return value

    @property
    def columns(self) -> Columns:
        rows = self._ordered
        before, after = self._chain(rows)
        return Columns(
            alive=np.ones(len(rows), np.bool_),
            ordinal=np.array([row.ordinal for row in rows], np.int64),
            timestamp=np.array([row.timestamp.timestamp() for row in rows]),
            created_at=np.array([row.created_at.timestamp() for row in rows]),
            valid_from=np.array([row.valid_from.timestamp() for row in rows]),
            valid_until=np.array([row.valid_until.timestamp() if row.valid_until else math.inf for row in rows]),
            expires_at=np.array([row.expires_at.timestamp() if row.expires_at else math.inf for row in rows]),
            pinned=np.array([row.pinned for row in rows], np.bool_),
            superseded=np.array([row.superseded_by is not None for row in rows], np.bool_),
            question=np.array([bool(row.segments) and ASKS in row.segments[-1].terms for row in rows], np.bool_),
            uses=np.array([row.uses for row in rows], np.float32),
            length=np.array([row.length for row in rows], np.int64),
            event_since=np.array([min(_moments(row, "since"), default=math.inf) for row in rows]),
            event_until=np.array([max(_moments(row, "until"), default=-math.inf) for row in rows]),
            previous=np.array(before, np.int64),
            following=np.array(after, np.int64),
        )

    @staticmethod
    def _chain(rows: Sequence[IndexRow]) -> tuple[list[int], list[int]]:
        before, after, last = [-1] * len(rows), [-1] * len(rows), {}
        for at, row in enumerate(rows):
            if row.session_id in last:
                before[at] = last[row.session_id]
                after[before[at]] = at
            if row.session_id is not None:
                last[row.session_id] = at
        return before, after

    def similarities(self, question: Vector) -> NDArray[np.float32]:
        return np.array([_pooled([s.vector for s in row.segments], question) for row in self._ordered], np.float32)

    def late(self, tokens: Vectors, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        ordered = self._ordered
        best = [[_matches(s.tokens, tokens) for s in ordered[at].segments if s.tokens is not None] for at in rows]
        nothing = np.zeros(len(tokens), np.float32)
        return np.array([max(own, key=np.sum, default=nothing) for own in best], np.float32).reshape(-1, len(tokens))

    def lexical(self, terms: Mapping[str, float]) -> NDArray[np.float32]:
        rarity = dict(zip(terms, self.rarity(list(terms)).tolist(), strict=True))
        scores = [[self._bm25(segment, terms, rarity) for segment in row.segments] for row in self._ordered]
        return np.array([max(own, default=0.0) for own in scores], np.float32)

    def _bm25(self, segment: Segment, terms: Mapping[str, float], rarity: Mapping[str, float]) -> float:
        lengths = [sum(other.terms.values()) for row in self._ordered for other in row.segments]
        mean = sum(lengths) / len(lengths) or 1.0
        damping = 1.2 * (1 - 0.75 + 0.75 * sum(segment.terms.values()) / mean)
        counts = {term: segment.terms.get(term, 0) for term in terms}
        return sum(terms[term] * rarity[term] * n * 2.2 / (n + damping) for term, n in counts.items() if n)

    def rarity(self, terms: Sequence[str]) -> NDArray[np.float32]:
        segments = [segment for row in self._ordered for segment in row.segments]
        holders = [sum(term in segment.terms for segment in segments) for term in terms]
        return np.array([math.log1p((len(segments) - df + 0.5) / (df + 0.5)) for df in holders], np.float32)

    def covered(self, terms: Sequence[str], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        ordered = self._ordered
        held = [[any(term in s.terms for s in ordered[row].segments) for row in rows] for term in terms]
        return np.array(held, np.bool_).reshape(len(terms), len(rows))

    def overlap(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        held = [{term for segment in self._ordered[row].segments for term in segment.terms} for row in rows]
        return np.array([[self._shared(one, other) for other in held] for one in held], np.float32)

    def _shared(self, one: set[str], other: set[str]) -> float:
        both, either = (float(self.rarity(sorted(terms)).sum()) for terms in (one & other, one | other))
        return both / either if either else 0.0


def _pooled(vectors: Sequence[Vector | None], question: Vector) -> float:
    cosines = [float(vector @ question) for vector in vectors if vector is not None]
    return max(cosines) / 2 + cosines[0] / 4 + sum(cosines) / len(cosines) / 4 if cosines else -math.inf


def _matches(signs: TokenBits, tokens: Vectors) -> NDArray[np.float32]:
    flags = np.unpackbits(signs, axis=1, count=tokens.shape[1]).astype(np.float32)
    return np.asarray(((2 * flags - 1) @ tokens.T).max(axis=0) / math.sqrt(tokens.shape[1]), np.float32)


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _moments(row: IndexRow, edge: str) -> list[float]:
    return [moment.timestamp() for anchor in row.anchors if (moment := getattr(anchor, edge)) is not None]
