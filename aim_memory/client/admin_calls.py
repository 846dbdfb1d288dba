"""The verbs of administration, each a function from arguments to the request it stands for; see ``client.calls``."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from aim_memory.bodies import (
    AuditPage,
    EmbedderOutlook,
    ExtractPreview,
    ExtractPreviewRequest,
    ExtractRequest,
    IssuedKeyView,
    JobPage,
    JobView,
    KeyPage,
    KeyRequest,
    KeyView,
    ReindexRequest,
    RollbackRequest,
    StatsReply,
    VerifyReply,
)
from aim_memory.client.calls import Call, encoded, given, path_segment

_ROOT = "/v1/admin"


def stats(*, namespace: str | None = None) -> Call[StatsReply]:
    """Rows by kind: of the key's tenant, or of one of its namespaces."""
    return Call("GET", f"{_ROOT}/stats", StatsReply, given(namespace=namespace))


def verify() -> Call[VerifyReply]:
    """Has every row of the service read, and names what must not be. Takes an operator's key, and time."""
    return Call("POST", f"{_ROOT}/verify", VerifyReply)


def reindex(to: str | None = None, *, prune: bool = False) -> Call[JobView]:
    """Begins a job that embeds what waits for vectors, moves to another embedder, or drops the vectors of all but the
    one in use. Takes an operator's key."""
    return Call("POST", f"{_ROOT}/reindex", JobView, content=encoded(ReindexRequest, given(to=to, prune=prune)))


def outlook(to: str | None = None) -> Call[EmbedderOutlook]:
    """What a reindexing would find to do, for the embedder in use or another one. Takes an operator's key."""
    return Call("GET", f"{_ROOT}/reindex", EmbedderOutlook, given(to=to))


def rollback(*, dry_run: bool = False) -> Call[EmbedderOutlook]:
    """Goes back to the embedder before, as servers do from their next start. Takes an operator's key."""
    content = encoded(RollbackRequest, {"dry_run": dry_run})
    return Call("POST", f"{_ROOT}/reindex/rollback", EmbedderOutlook, content=content, repeatable=False)


def extract(
    namespace: str, *, what: Literal["facts", "summaries", "profile"] = "facts", session_id: str | None = None
) -> Call[JobView]:
    """Begins a job in which a language model reads memories and writes down facts, summaries or a profile."""
    fields: dict[str, Any] = given(namespace=namespace, what=what, session_id=session_id)
    return Call("POST", f"{_ROOT}/extract", JobView, content=encoded(ExtractRequest, fields))


def preview_extraction(
    namespace: str,
    *,
    what: Literal["facts", "summaries", "profile"] = "facts",
    session_id: str | None = None,
    limit: int = 1,
) -> Call[ExtractPreview]:
    """What extraction would keep and refuse of the next ``limit`` stretches of conversation. Writes nothing."""
    fields: dict[str, Any] = given(namespace=namespace, what=what, session_id=session_id, limit=limit)
    return Call("POST", f"{_ROOT}/extract/preview", ExtractPreview, content=encoded(ExtractPreviewRequest, fields))


def jobs(*, limit: int = 50, before: str | None = None) -> Call[JobPage]:
    """Jobs, the newest first."""
    return Call("GET", f"{_ROOT}/jobs", JobPage, given(limit=str(limit), before=before))


def job(job_id: str) -> Call[JobView]:
    """How far a job is, what came out, or why it failed."""
    return Call("GET", f"{_ROOT}/jobs/{path_segment(job_id)}", JobView)


def cancel_job(job_id: str) -> Call[JobView]:
    """Ends a job after its present step."""
    return Call("DELETE", f"{_ROOT}/jobs/{path_segment(job_id)}", JobView, repeatable=False)


def keys() -> Call[KeyPage]:
    """The tenant's keys, revoked ones included."""
    return Call("GET", f"{_ROOT}/keys", KeyPage)


def create_key(
    name: str,
    role: Literal["auditor", "reader", "writer", "admin", "operator"] = "writer",
    *,
    tenant: str | None = None,
    expires_at: datetime | None = None,
) -> Call[IssuedKeyView]:
    """Makes a key. Its secret is in the reply and nowhere else."""
    fields: dict[str, Any] = given(name=name, role=role, tenant=tenant, expires_at=expires_at)
    return Call("POST", f"{_ROOT}/keys", IssuedKeyView, content=encoded(KeyRequest, fields), repeatable=False)


def revoke_key(key_id: str) -> Call[KeyView]:
    """Ends a key at once."""
    return Call("DELETE", f"{_ROOT}/keys/{path_segment(key_id)}", KeyView, repeatable=False)


def audit(*, limit: int = 50, before: int | None = None) -> Call[AuditPage]:
    """What administrators did or tried, the newest first."""
    last = None if before is None else str(before)
    return Call("GET", f"{_ROOT}/audit", AuditPage, given(limit=str(limit), before=last))


def export(*, namespace: str | None = None) -> Call[str]:
    """Memories, one a line."""
    return Call("GET", f"{_ROOT}/export", str, given(namespace=namespace))


def backup() -> Call[bytes]:
    """The whole service as an archive. Takes an operator's key."""
    return Call("POST", f"{_ROOT}/backup", bytes)
