"""The second wall between tenants: row-level security on PostgreSQL; nothing changes on SQLite.

A transaction sees the rows of the tenant named by ``SET LOCAL aim.tenant``; those of all tenants after
``SET LOCAL aim.reach = 'every tenant'``; without either, none. The owner of the tables is held to it as well, and
partitions have the policy of the table they belong to: nobody goes around it, and dumps, which read them one by one,
are whole.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_WITH_TENANT = ("namespaces", "idempotency", "api_keys")
_OF_NAMESPACE = (
    "evidence",
    "memories",
    "segments",
    "statements",
    "versions",
    "uses",
    "changes",
    "sessions",
    "idempotency",
)

# Each setting is read once per statement, not once per row.
_EVERYONE_S = "(SELECT current_setting('aim.reach', true)) = 'every tenant'"
_TENANT_S = "tenant = (SELECT current_setting('aim.tenant', true))"
# The policy of namespaces holds inside the policy of what lies in them.
_NAMESPACE_S = "EXISTS (SELECT FROM namespaces WHERE namespaces.id = {part}.namespace_id)"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in _tables():
            for part in (table, *_partitions(table)):
                op.execute(f"CREATE POLICY of_tenant ON {part} USING ({_EVERYONE_S} OR {_own(table, part)})")
                op.execute(f"ALTER TABLE {part} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in _tables():
            for part in (table, *_partitions(table)):
                op.execute(f"DROP POLICY of_tenant ON {part}")
                op.execute(f"ALTER TABLE {part} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY")


def _tables() -> list[str]:
    return list(dict.fromkeys((*_WITH_TENANT, *_OF_NAMESPACE)))


def _own(table: str, part: str) -> str:
    """Whether a row of a part of a table is the tenant's: by its own word, by its namespace, or by both."""
    by_tenant = [_TENANT_S] if table in _WITH_TENANT else []
    by_namespace = [_NAMESPACE_S.format(part=part)] if table in _OF_NAMESPACE else []
    return "(" + " AND ".join(by_tenant + by_namespace) + ")"


def _partitions(table: str) -> list[str]:
    children = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = CAST(:table AS regclass)"
    return list(op.get_bind().scalars(sa.text(children), {"table": table}))
