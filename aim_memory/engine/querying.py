"""Query: rank on the index, load what won, refill evidence, remember the session's course."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter

import numpy as np

from aim_memory import filters
from aim_memory.anchors import extract
from aim_memory.bodies import (
    AnchorReport,
    Coverage,
    EvidencePiece,
    Hit,
    QueryReply,
    QueryRequest,
    Suppressed,
    Tokens,
    Work,
)
from aim_memory.engine.parts import Parts
from aim_memory.errors import LimitExceededError
from aim_memory.evidence import Context, ModeDecision, build, choose_mode
from aim_memory.ingest import limits as check
from aim_memory.ports import Embedder, IndexReader
from aim_memory.routing import Ask, Ranked, Ranking, retrieve, visible
from aim_memory.text import question_terms
from aim_memory.types import Anchor, Space, StoredMemory, Vectors

_GLIMPSE_WORDS = 6
_MOST = 0.5


class Stopwatch:
    """Milliseconds per named step."""

    def __init__(self) -> None:
        self._laps: dict[str, float] = {}
        self._start = self._last = perf_counter()

    def lap(self, name: str) -> None:
        now = perf_counter()
        self._laps[name] = self._laps.get(name, 0.0) + 1000 * (now - self._last)
        self._last = now

    def __contains__(self, name: str) -> bool:
        return name in self._laps

    def total(self) -> dict[str, float]:
        laps = {**self._laps, "total": 1000 * (perf_counter() - self._start)}
        return {name: round(ms, 3) for name, ms in laps.items()}


@dataclass(frozen=True, slots=True)
class Recalled:
    """All that one retrieval found: what the query route shows and an answer is made from."""

    now: datetime
    anchors: tuple[Anchor, ...]
    ranking: Ranking
    found: tuple[tuple[Ranked, StoredMemory], ...]
    """The hits with their memories, best first."""
    beside: Mapping[str, Sequence[str]]
    """Ids of the turns beside a hit, by its id."""
    decision: ModeDecision
    context: Context
    watch: Stopwatch
    degraded: bool = False
    """Whether it is answered by words: only the memories with most of the question's were looked at, for the index is
    being built, or most memories wait for vectors of this embedder."""


@dataclass(frozen=True, slots=True)
class Timed:
    """The questions of an embedder, their time on a stopwatch. Equal where the embedder is: what routing has learned of
    it, at the price of many texts, is known to the next question."""

    embedder: Embedder
    watch: Stopwatch = field(compare=False)

    def __call__(self, texts: Sequence[str]) -> tuple[Vectors, Sequence[Vectors] | None]:
        self.watch.lap("rank" if "embed" in self.watch else "plan")
        try:
            return self.embedder.embed_queries_with_tokens(texts)
        finally:
            self.watch.lap("embed")


class Querying:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def query(self, tenant: str, request: QueryRequest) -> QueryReply:
        return reply(self.recall(tenant, request), request)

    def recall(self, tenant: str, request: QueryRequest, depth: int = 0) -> Recalled:
        """One retrieval, from question to context; moves the session on.

        ``depth`` hits may fill the context where that is more than ``top_k``; ``top_k`` of them are shown.
        """
        self._check(request)
        if self._parts.rereading is not None:
            depth = max(depth, self._parts.rereading.depth)
        watch = Stopwatch()
        space = Space(tenant, request.namespace)
        now = request.reference_date or self._parts.clock.now()
        anchors = extract(request.query, reference=now)
        watch.lap("anchors")
        glimpse = self._parts.keeper.glimpse(space, _words(request.query))
        ranking, beside, decision, degraded = self._rank(space, request, now, anchors, depth, glimpse, watch)
        watch.lap("rank")
        refill = decision.refill and self._parts.config.refill
        around = beside if refill else {}
        memories = self._parts.store.get(space, [*[hit.id for hit in ranking.hits], *_flat(around)])
        found = tuple([(hit, memories[hit.id]) for hit in ranking.hits if hit.id in memories])
        neighbours = {id: [memories[one] for one in ids if one in memories] for id, ids in around.items()}
        watch.lap("load")
        if self._parts.rereading is not None:
            found = self._parts.rereading.over(request.query, found)
            watch.lap("reread")
        context = build(
            request.query,
            anchors,
            [(memory, hit.score, hit.current) for hit, memory in found],
            budget_tokens=request.max_tokens or self._parts.config.context_tokens,
            refill=refill,
            neighbours=neighbours,
            summaries_only=not self._parts.config.refill,
        )
        watch.lap("refill")
        if request.session_id is not None and ranking.session is not None:
            self._parts.sessions.put(space, request.session_id, ranking.session)
        return Recalled(now, anchors, ranking, found, beside, decision, context, watch, degraded)

    def _rank(
        self,
        space: Space,
        request: QueryRequest,
        now: datetime,
        anchors: tuple[Anchor, ...],
        depth: int,
        glimpse: IndexReader | None,
        watch: Stopwatch,
    ) -> tuple[Ranking, dict[str, list[str]], ModeDecision, bool]:
        """Ranks, and once more in strict mode when what was found calls for it."""
        session = self._parts.sessions.get(space, request.session_id) if request.session_id else None
        limits = self._parts.limits
        keep = filters.parse(request.filters, conditions=limits.filter_conditions, depth=limits.filter_depth)
        decision = choose_mode(request.query, requested=request.mode, anchors=anchors)
        with self._parts.keeper.open(space) if glimpse is None else nullcontext(glimpse) as index:
            while True:
                ask = Ask(
                    text=request.query,
                    now=now,
                    mode=decision.mode,
                    top_k=max(request.top_k, depth),
                    anchors=anchors,
                    keep=keep,
                    as_of=request.as_of,
                    known_at=request.known_at,
                    threshold=request.threshold,
                    session=session,
                    explain=request.explain,
                )
                ranking = retrieve(ask, index, Timed(self._parts.embedder, watch), self._parts.config)
                settled = choose_mode(
                    request.query,
                    requested=request.mode,
                    anchors=anchors,
                    confidence=ranking.confidence,
                    conflict=ranking.conflicts,
                )
                if settled.mode == decision.mode:
                    beside = _beside(ask, index, [hit.id for hit in ranking.hits])
                    return ranking, beside, settled, glimpse is not None or index.embedded < _MOST
                decision = settled

    def _check(self, request: QueryRequest) -> None:
        limits = self._parts.limits
        check.check_namespace(request.namespace)
        check.check_text(request.query, "query", limits.query_bytes)
        if request.session_id is not None:
            check.check_id(request.session_id, "session_id", limits)
        if request.top_k > limits.top_k:
            raise LimitExceededError(f"top_k is {request.top_k}; at most {limits.top_k}.", field="top_k")


def _beside(ask: Ask, index: IndexReader, ids: Sequence[str]) -> dict[str, list[str]]:
    """The turns right before and after each hit in its session, by the hit's id; those that the question may find."""
    among = visible(ask, index)
    rows = {id: row for id in ids if (row := index.row_of(id)) is not None}
    at = np.array([*rows.values()], np.int64)
    pairs = zip(index.columns.previous[at].tolist(), index.columns.following[at].tolist(), strict=True)
    return {
        id: [index.id_of(one) for one in pair if one >= 0 and among[one]] for id, pair in zip(rows, pairs, strict=True)
    }


def _words(question: str) -> list[str]:
    """What a question is found by as long as there is no index: its longest words, for reading costs by the word."""
    return sorted(question_terms(question, 0.0), key=len, reverse=True)[:_GLIMPSE_WORDS]


def _flat(groups: Mapping[str, Sequence[str]]) -> list[str]:
    return [one for group in groups.values() for one in group]


def reply(recalled: Recalled, request: QueryRequest) -> QueryReply:
    """What the query route shows of a retrieval."""
    context, ranking = recalled.context, recalled.ranking
    hits = [hit_view(hit, memory, explain=request.explain) for hit, memory in recalled.found[: request.top_k]]
    return QueryReply(
        results=hits,
        mode=recalled.decision.mode,
        context=context.text,
        evidence=[
            EvidencePiece(memory_id=block.memory_id, text=block.text, start=block.start, end=block.end)
            for block in context.pieces
        ],
        coverage=Coverage(
            anchors=[anchor.text for anchor in context.coverage], missing=[anchor.text for anchor in context.missing]
        ),
        confidence=round(ranking.confidence, 4),
        suppressed=_suppressed(ranking) if request.explain else None,
        tokens=Tokens(context=context.tokens, full_text=context.full_text_tokens),
        degraded=recalled.degraded,
        work=Work(scanned=ranking.scanned, stored=ranking.stored),
        timings_ms=recalled.watch.total(),
        explanation={"reasons": list(recalled.decision.reasons), **(ranking.explanation or {})}
        if request.explain
        else None,
    )


def hit_view(hit: Ranked, memory: StoredMemory, *, explain: bool) -> Hit:
    return Hit(
        id=memory.id,
        text=memory.text,
        summary=memory.summary,
        score=round(hit.score, 6),
        timestamp=memory.timestamp,
        speaker=memory.speaker,
        role=memory.role,
        session_id=memory.session_id,
        metadata=dict(memory.metadata),
        current=hit.current,
        superseded_by=hit.superseded_by,
        derived_from=list(memory.derived_from) or None,
        scores={name: round(value, 6) for name, value in hit.parts.items()} if explain else None,
        anchors=_anchor_report(hit) if explain or hit.conflicting else None,
    )


def _anchor_report(hit: Ranked) -> AnchorReport:
    return AnchorReport(matched=list(hit.matched), missing=list(hit.missing), conflicting=list(hit.conflicting))


def _suppressed(ranking: Ranking) -> list[Suppressed]:
    return [
        Suppressed(id=one.id, rank=one.rank, rank_without_decay=one.rank_without_decay, weight=round(one.weight, 4))
        for one in ranking.suppressed
    ]
