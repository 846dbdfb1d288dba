"""What is said of an erasure: what went, by whom, and how long copies made before may last."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aim_memory.bodies import EraseReceipt
from aim_memory.settings import RetentionSettings
from aim_memory.types import Space

_STATEMENTS = {
    "sqlite": "Erased from the store, its index and its write-ahead log: no byte of it is left in the data folder.",
    "postgresql": (
        "Erased from the store and its index. PostgreSQL may keep bytes of it in free space of pages until it is "
        "used again or VACUUM FULL rewrites the tables, and its write-ahead log for as long as it is set to."
    ),
}
_OWED = (
    "Erased from the store and its index. Somebody was reading an old state: the write-ahead log is emptied when that "
    "ends, after the next commit."
)
_FOREVER = "for as long as somebody keeps them; no limit is set (AIM_RETENTION__{name})"


def namespace_digest(space: Space) -> str:
    """What the audit log calls a namespace: who knows the name can look it up, and nobody can read it there."""
    return f"namespace:{hashlib.sha256(json.dumps([space.tenant, space.namespace]).encode()).hexdigest()[:32]}"


def receipt(
    space: Space,
    erased: Mapping[str, int],
    at: datetime,
    by: str | None,
    health: Mapping[str, Any],
    kept: RetentionSettings,
) -> EraseReceipt:
    """``health``: what the store's ``check`` says after it."""
    database = health["database"]
    days = {"backups": "backups_days", "exports": "exports_days"}
    if database == "postgresql":
        days["archived logs"] = "log_archives_days"
    made = EraseReceipt(
        namespace=space.namespace,
        erased=dict(erased),
        erased_at=at,
        statement=_OWED if "erased_bytes" in health else _STATEMENTS.get(database, "Erased."),
        by=by,
        target=namespace_digest(space),
        retention={what: _told(getattr(kept, name), name) for what, name in days.items()},
    )
    return made.model_copy(update={"sha256": receipt_digest(made)})


def receipt_digest(made: EraseReceipt) -> str:
    """SHA-256 (hex) of a receipt without its ``sha256``, as JSON with sorted names and no spaces."""
    fields = made.model_dump(mode="json", exclude={"sha256"})
    return hashlib.sha256(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _told(days: int | None, name: str) -> str:
    return _FOREVER.format(name=name.upper()) if days is None else f"{days} days"
