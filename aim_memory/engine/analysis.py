"""Drafts to memories: everything that needs thinking, done before any transaction opens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import repeat

from aim_memory.anchors import extract
from aim_memory.engine.parts import Parts
from aim_memory.errors import EmbedderError
from aim_memory.evidence import summarise
from aim_memory.ingest.drafts import Draft
from aim_memory.ingest.segments import Span, passage, segment
from aim_memory.mirror import statements
from aim_memory.text import index_terms
from aim_memory.types import NewMemory, Segment, TokenBits, Vector


def memories(
    parts: Parts, authored: Sequence[tuple[Draft, str | None]], now: datetime, *, embed: bool = True
) -> list[NewMemory]:
    """One memory per draft and its author, in order. Without an embedder, or where it is not to be waited for, they
    come without vectors, pending."""
    drafts = [draft for draft, _ in authored]
    spans = [segment(draft.text, parts.embedder.window) for draft in drafts]
    passages = [
        [passage(draft.speaker, draft.text[start:end]) for start, end in cuts]
        for draft, cuts in zip(drafts, spans, strict=True)
    ]
    seen = _embedded(parts, [text for texts in passages for text in texts]) if embed else None
    generation = parts.embedder.generation if seen else None
    views = iter(seen or repeat((None, None)))
    return [
        _memory(parts, draft, tuple(_segments(cuts, texts, views)), generation, now, author)
        for (draft, author), cuts, texts in zip(authored, spans, passages, strict=True)
    ]


_View = tuple[Vector | None, TokenBits | None]
"""What the embedder shows of a segment."""


def _embedded(parts: Parts, texts: Sequence[str]) -> list[_View] | None:
    try:
        vectors, tokens = parts.embedder.embed_documents_with_tokens(texts)
    except EmbedderError:
        return None  # the write is kept and found by its words; upkeep brings the vectors
    return list(zip(vectors, tokens or repeat(None), strict=False))


def _segments(spans: Sequence[Span], texts: Sequence[str], views: Iterator[_View]) -> Iterator[Segment]:
    for (start, end), text in zip(spans, texts, strict=True):
        yield Segment(start, end, index_terms(text), *next(views))


def _memory(
    parts: Parts,
    draft: Draft,
    segments: tuple[Segment, ...],
    generation: str | None,
    now: datetime,
    author: str | None,
) -> NewMemory:
    said_at = draft.timestamp or now
    anchors = extract(draft.text, reference=said_at)
    states = parts.config.supersession
    stated = statements(draft.text, speaker=draft.speaker, role=draft.role, anchors=anchors) if states else ()
    return NewMemory(
        id=draft.id or parts.clock.new_id(),
        text=draft.text,
        summary=summarise(draft.text),
        digest=draft.digest,
        timestamp=said_at,
        created_at=now,
        session_id=draft.session_id,
        speaker=draft.speaker,
        role=draft.role,
        source=draft.source,
        trust=draft.trust,
        author=author,
        metadata=draft.metadata,
        pinned=draft.pinned,
        expires_at=draft.expires_at,
        segments=segments,
        anchors=anchors,
        statements=stated,
        generation=generation,
    )
