"""Stored values as the public bodies show them."""

from __future__ import annotations

import numpy as np

from aim_memory.bodies import AnchorView, MemoryView, SessionView, VersionView
from aim_memory.types import SessionState, Space, StoredMemory, Version


def memory_view(space: Space, memory: StoredMemory, weight: float | None = None) -> MemoryView:
    return MemoryView(
        id=memory.id,
        namespace=space.namespace,
        text=memory.text,
        summary=memory.summary,
        session_id=memory.session_id,
        speaker=memory.speaker,
        role=memory.role,
        timestamp=memory.timestamp,
        created_at=memory.created_at,
        updated_at=memory.updated_at,
        metadata=dict(memory.metadata),
        pinned=memory.pinned,
        expires_at=memory.expires_at,
        source=memory.source,
        trust=memory.trust,
        derived_from=list(memory.derived_from),
        version=memory.version,
        current=memory.superseded_by is None,
        valid_from=memory.valid_from,
        valid_until=memory.valid_until,
        superseded_by=memory.superseded_by,
        anchors=[AnchorView(kind=a.kind, text=a.text, key=a.key, start=a.start, end=a.end) for a in memory.anchors],
        indexing="pending" if memory.pending else "ready",
        weight=None if weight is None else round(weight, 4),
    )


def version_view(version: Version) -> VersionView:
    return VersionView(version=version.version, kind=version.kind, at=version.at, text=version.text, by=version.by)


def session_view(space: Space, session_id: str, state: SessionState) -> SessionView:
    return SessionView(
        id=session_id,
        namespace=space.namespace,
        turns=state.turns,
        recent=list(state.recent),
        inertia=0.0 if state.direction is None else float(np.linalg.norm(state.direction)),
        updated_at=state.updated_at,
    )
