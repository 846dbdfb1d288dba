"""Memories, blocks and anchors for tests of evidence and answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aim_memory.anchors import extract
from aim_memory.evidence import summarise
from aim_memory.types import Anchor, EvidenceBlock, StoredMemory

NOON = datetime(2025, 3, 6, 12, tzinfo=UTC)


def stored(id: str, text: str, *, at: datetime = NOON, ordinal: int = 0, **fields: object) -> StoredMemory:
    """A memory as the store would hold it."""
    given: dict[str, object] = {
        "session_id": "s",
        "speaker": "Ada",
        "role": "user",
        "valid_until": None,
        "superseded_by": None,
        **fields,
    }
    return StoredMemory(
        id=id,
        ordinal=ordinal,
        text=text,
        summary=summarise(text),
        digest=id,
        timestamp=at,
        created_at=at,
        updated_at=at,
        source=None,
        trust="user",
        author=None,
        metadata={},
        pinned=False,
        expires_at=None,
        version=1,
        evidence_id=id,
        valid_from=at,
        anchors=extract(text, reference=at),
        pending=False,
        **given,  # type: ignore[arg-type]
    )


def block(id: str, text: str, *, days: int = 0, start: int = 0, score: float = 1.0, **fields: object) -> EvidenceBlock:
    """A block that is the whole of what is offered of its memory."""
    return EvidenceBlock(
        memory_id=id,
        text=text,
        start=start,
        end=start + len(text),
        score=score,
        timestamp=NOON + timedelta(days=days),
        **{"speaker": "Ada", "role": "user", **fields},  # type: ignore[arg-type]
    )


def anchors(text: str) -> tuple[Anchor, ...]:
    """The anchors of a question asked at noon."""
    return extract(text, reference=NOON)
