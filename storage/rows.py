"""New memories as rows, and the statements that move rows about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from aim_memory.storage import codec
from aim_memory.storage.tables import evidence, memories, statements, versions
from aim_memory.types import NewMemory, Segment, Supersession

Rows = list[dict[str, Any]]
OPEN: dict[str, Any] = {"superseded_by": None, "valid_until": None}
"""Of a memory that nothing supersedes."""
_M = memories.c
_S = statements.c


def content_row(memory: NewMemory, generation_id: int | None) -> dict[str, Any]:
    """The columns that an edit replaces."""
    return {
        "evidence_id": codec.evidence_id(memory.text),
        "start": 0,
        "end": len(memory.text),
        "summary": memory.summary,
        "digest": memory.digest,
        "timestamp": memory.timestamp,
        "valid_from": memory.timestamp,
        "session_id": memory.session_id,
        "speaker": memory.speaker,
        "role": memory.role,
        "source": memory.source,
        "trust": memory.trust,
        "author": memory.author,
        "metadata": dict(memory.metadata),
        "anchors": codec.anchors_to_text(memory.anchors),
        "pinned": memory.pinned,
        "expires_at": memory.expires_at,
        "generation_id": generation_id,
    }


def first_row(memory: NewMemory) -> dict[str, Any]:
    """The columns that stay, and the first version's."""
    birth = {"created_at": memory.created_at, "updated_at": memory.created_at}
    return {"id": memory.id, **birth, "version": 1, "kind": "write"}


def evidence_rows(added: Iterable[NewMemory]) -> Rows:
    texts = {codec.evidence_id(memory.text): memory.text for memory in added}
    return [{"id": key, "body": codec.compress(text), "chars": len(text)} for key, text in texts.items()]


def segment_rows(memory: NewMemory) -> Rows:
    """Vectors of no known generation are left out: they could never be compared."""
    known = memory.generation is not None
    return [_segment_row(memory.id, i, segment, known) for i, segment in enumerate(memory.segments)]


def _segment_row(memory_id: str, position: int, segment: Segment, keep_vector: bool) -> dict[str, Any]:
    place = {"memory_id": memory_id, "position": position, "start": segment.start, "end": segment.end}
    vector = codec.vector_to_bytes(segment.vector) if keep_vector else None
    tokens = codec.tokens_to_bytes(segment.tokens) if keep_vector else None
    return {**place, "terms": codec.terms_to_text(segment.terms), "vector": vector, "tokens": tokens}


def statement_rows(memory: NewMemory, ordinal: int) -> Rows:
    moment = {"memory_id": memory.id, "event_time": memory.timestamp, "ordinal": ordinal}
    return [
        {**moment, "position": i, "subject": stated.subject, "attribute": stated.attribute, "value": stated.value}
        for i, stated in enumerate(memory.statements)
    ]


def derivation_rows(memory: NewMemory) -> Rows:
    return [{"memory_id": memory.id, "origin_id": origin} for origin in dict.fromkeys(memory.derived_from)]


def closing(namespace_id: int) -> sa.Update:
    """Closes one statement; takes ``closing_row``."""
    which = (_S.memory_id == sa.bindparam("of"), _S.subject == sa.bindparam("who"))
    what = (_S.attribute == sa.bindparam("which"), _S.value == sa.bindparam("what"))
    ended: dict[str, Any] = {"closed_by": sa.bindparam("by"), "closed_at": sa.bindparam("ended")}
    return sa.update(statements).where(_S.namespace_id == namespace_id, *which, *what).values(ended)


def closing_row(supersession: Supersession) -> dict[str, Any]:
    old = supersession.statement
    statement = {"who": old.subject, "which": old.attribute, "what": old.value}
    return {"of": supersession.old_id, **statement, "by": supersession.new_id, "ended": supersession.at}


def under(namespace_id: int, rows: Iterable[Mapping[str, Any]]) -> Rows:
    return [{"namespace_id": namespace_id, **row} for row in rows]


def superseded_by() -> sa.ColumnElement[str | None]:
    """Who superseded a memory, for the version that says so."""
    return sa.case((_M.kind == "supersede", _M.superseded_by))


def archive(namespace_id: int, memory_id: str) -> sa.Insert:
    """Copies the present state of a memory into its history."""
    state = sa.select(
        _M.namespace_id, _M.id, _M.version, _M.kind, _M.updated_at, superseded_by(), _M.evidence_id, _M.start, _M.end
    ).where(_M.namespace_id == namespace_id, _M.id == memory_id)
    kept = ["namespace_id", "memory_id", "version", "kind", "at", "by", "evidence_id", "start", "end"]
    return sa.insert(versions).from_select(kept, state)


def orphans(namespace_id: int, ids: list[bytes]) -> sa.Delete:
    """Erases evidence that neither a memory nor a version refers to any more."""
    return sa.delete(evidence).where(
        evidence.c.namespace_id == namespace_id,
        evidence.c.id.in_(ids),
        *(
            ~sa.exists().where(table.c.namespace_id == namespace_id, table.c.evidence_id == evidence.c.id)
            for table in (memories, versions)
        ),
    )
