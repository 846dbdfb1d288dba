"""What goes into a retrieval and what comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from aim_memory.filters import Filter
from aim_memory.types import Anchor, SessionState, Vectors

Scores: TypeAlias = NDArray[np.float32]
"""One score per row of the index, (rows,)."""
Mask: TypeAlias = NDArray[np.bool_]
Embed: TypeAlias = Callable[[Sequence[str]], tuple[Vectors, Sequence[Vectors] | None]]
"""Questions to unit vectors and those of their tokens: ``Embedder.embed_queries_with_tokens``. Raises EmbedderError."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to a namespace."""

    text: str
    now: datetime
    mode: Literal["fast", "strict"] = "fast"
    top_k: int = 10
    anchors: tuple[Anchor, ...] = ()
    """What the question itself names."""
    keep: Filter | None = None
    as_of: datetime | None = None
    """Valid time: what was true then."""
    known_at: datetime | None = None
    """Transaction time: what had been told by then."""
    threshold: float | None = None
    session: SessionState | None = None
    """Where the session is heading; None, no inertia."""
    explain: bool = False


class Ranked(NamedTuple):
    """A memory that was found."""

    id: str
    score: float
    """Higher is better."""
    parts: Mapping[str, float] = MappingProxyType({})
    """What it is the sum of, by name; only where an explanation is asked for."""
    matched: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    conflicting: tuple[str, ...] = ()
    current: bool = True
    superseded_by: str | None = None
    weight: float = 1.0
    """Temporal weight w; 1 is fresh."""


@dataclass(frozen=True, slots=True)
class Displaced:
    """A memory that decay pushed down. Ranks count from 1."""

    id: str
    rank: int
    rank_without_decay: int
    weight: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """The answer of the index, best first."""

    hits: tuple[Ranked, ...]
    confidence: float
    """How likely the memory holds an answer, in [0, 1]."""
    suppressed: tuple[Displaced, ...]
    scanned: int
    """Memories compared with the question."""
    stored: int
    session: SessionState | None
    """The state after this question; None when none was given."""
    conflicts: bool
    """Hits contradict the question's anchors or one another."""
    vetoed: tuple[str, ...] = ()
    """Ids that strict mode left out."""
    explanation: Mapping[str, object] | None = None
