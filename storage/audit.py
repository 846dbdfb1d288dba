"""The audit log: rows are added and read, and nothing else."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aim_memory.storage.tables import audit
from aim_memory.types import AuditEntry

_A = audit.c
_COLUMNS = (_A.at, _A.tenant, _A.key_id, _A.name, _A.action, _A.target, _A.outcome)


def add(connection: Connection, entry: AuditEntry) -> None:
    connection.execute(sa.insert(audit), [{column.name: getattr(entry, column.name) for column in _COLUMNS}])


def listed(connection: Connection, tenant: str | None, before: int | None, limit: int) -> list[AuditEntry]:
    """Newest first."""
    query = sa.select(*_COLUMNS, _A.id).order_by(_A.id.desc()).limit(limit)
    query = query if tenant is None else query.where(_A.tenant == tenant)
    query = query if before is None else query.where(_A.id < before)
    return [AuditEntry(*row) for row in connection.execute(query)]
