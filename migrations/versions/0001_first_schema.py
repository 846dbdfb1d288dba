"""The first schema.

Moments are whole microseconds since 1970 in UTC. On PostgreSQL the tables below a namespace are divided by its hash.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context, op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# In the order of code points, as on SQLite: whatever language a server sorts by, and however its rules change.
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_TABLES = (
    "namespaces",
    "generations",
    "evidence",
    "memories",
    "segments",
    "statements",
    "versions",
    "uses",
    "changes",
    "sessions",
    "idempotency",
    "api_keys",
)


def upgrade() -> None:
    _create_namespaces()
    _create_evidence()
    _create_memories()
    _create_segments()
    _create_statements()
    _create_versions()
    _create_uses()
    _create_changes()
    _create_sessions()
    _create_idempotency()
    _create_api_keys()


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)


def _create_divided(table: str, *parts: sa.schema.SchemaItem) -> None:
    """A table whose rows belong to namespaces; on PostgreSQL in as many partitions as the caller of the migration says.

    Each is vacuumed, indexed and cached apart, and an index is as deep as a partition is large.
    """
    partitions = context.config.attributes.get("partitions", 0) if op.get_bind().dialect.name == "postgresql" else 0
    divided: dict[str, Any] = {"postgresql_partition_by": "HASH (namespace_id)"} if partitions else {}
    op.create_table(table, *parts, **divided)
    for number in range(partitions):
        place = f"WITH (MODULUS {partitions}, REMAINDER {number})"
        op.execute(f"CREATE TABLE {table}_{number} PARTITION OF {table} FOR VALUES {place}")


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _row_id(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, _ROW_ID, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, _TEXT, nullable=nullable)


def _blob(name: str, *, nullable: bool = False, length: int | None = None) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(length), nullable=nullable)


_moment = _number


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def _in_namespace(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_namespaces")
    return sa.ForeignKeyConstraint(["namespace_id"], ["namespaces.id"], name=name, ondelete="CASCADE")


def _of_memory(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_memories")
    target = ["memories.namespace_id", "memories.id"]
    return sa.ForeignKeyConstraint(["namespace_id", "memory_id"], target, name=name, ondelete="CASCADE")


def _of_evidence(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_evidence")
    target = ["evidence.namespace_id", "evidence.id"]
    return sa.ForeignKeyConstraint(["namespace_id", "evidence_id"], target, name=name)


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def _create_namespaces() -> None:
    op.create_table(
        "namespaces",
        _row_id("id"),
        _text("tenant"),
        _text("path"),
        _number("seq"),
        _number("ordinal"),
        _moment("created_at"),
        _key("namespaces", "id"),
        _unique("namespaces", "tenant", "path"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "generations",
        _row_id("id"),
        _text("name"),
        _key("generations", "id"),
        _unique("generations", "name"),
    )


def _create_evidence() -> None:
    _create_divided(
        "evidence",
        _row_id("namespace_id"),
        _blob("id", length=32),
        _blob("body"),
        _number("chars"),
        _in_namespace("evidence"),
        _key("evidence", "namespace_id", "id"),
    )


def _create_memories() -> None:
    _create_divided(
        "memories",
        _row_id("namespace_id"),
        _text("id"),
        _number("ordinal"),
        _blob("evidence_id", length=32),
        _number("start"),
        _number("end"),
        _text("summary"),
        _text("digest"),
        _moment("timestamp"),
        _moment("created_at"),
        _moment("updated_at"),
        _text("session_id", nullable=True),
        _text("speaker", nullable=True),
        _text("role", nullable=True),
        _text("source", nullable=True),
        _text("trust"),
        _text("author", nullable=True),
        _text("metadata"),
        _text("anchors"),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        _moment("expires_at", nullable=True),
        _number("version"),
        _text("kind"),
        _moment("valid_from"),
        _moment("valid_until", nullable=True),
        _text("superseded_by", nullable=True),
        _row_id("generation_id", nullable=True),
        sa.ForeignKeyConstraint(["generation_id"], ["generations.id"], name=op.f("fk_memories_generations")),
        _in_namespace("memories"),
        _of_evidence("memories"),
        _key("memories", "namespace_id", "id"),
        _unique("memories", "namespace_id", "ordinal"),
    )
    _index("memories", "namespace_id", "digest")
    _index("memories", "namespace_id", "evidence_id")
    _index("memories", "id")
    _index("memories", "generation_id", "created_at")
    _index("memories", "expires_at")


def _create_segments() -> None:
    _create_divided(
        "segments",
        _row_id("namespace_id"),
        _text("memory_id"),
        sa.Column("position", sa.Integer(), nullable=False),
        _number("start"),
        _number("end"),
        _text("terms"),
        _blob("vector", nullable=True),
        _blob("tokens", nullable=True),
        _of_memory("segments"),
        _key("segments", "namespace_id", "memory_id", "position"),
    )


def _create_statements() -> None:
    _create_divided(
        "statements",
        _row_id("namespace_id"),
        _text("memory_id"),
        sa.Column("position", sa.Integer(), nullable=False),
        _text("subject"),
        _text("attribute"),
        _text("value"),
        _moment("event_time"),
        _number("ordinal"),
        _text("closed_by", nullable=True),
        _moment("closed_at", nullable=True),
        _of_memory("statements"),
        _key("statements", "namespace_id", "memory_id", "position"),
    )
    _index("statements", "namespace_id", "subject", "attribute")
    _index("statements", "namespace_id", "closed_by")


def _create_versions() -> None:
    _create_divided(
        "versions",
        _row_id("namespace_id"),
        _text("memory_id"),
        _number("version"),
        _text("kind"),
        _moment("at"),
        _text("by", nullable=True),
        _blob("evidence_id", length=32),
        _number("start"),
        _number("end"),
        _of_memory("versions"),
        _of_evidence("versions"),
        _key("versions", "namespace_id", "memory_id", "version"),
    )
    _index("versions", "namespace_id", "evidence_id")


def _create_uses() -> None:
    _create_divided(
        "uses",
        _row_id("namespace_id"),
        _text("memory_id"),
        sa.Column("amount", sa.Double(), nullable=False),
        _of_memory("uses"),
        _key("uses", "namespace_id", "memory_id"),
    )


def _create_changes() -> None:
    _create_divided(
        "changes",
        _row_id("namespace_id"),
        _number("seq"),
        _text("kind"),
        _text("memory_id"),
        _in_namespace("changes"),
        _key("changes", "namespace_id", "seq"),
    )


def _create_sessions() -> None:
    _create_divided(
        "sessions",
        _row_id("namespace_id"),
        _text("id"),
        _number("turns"),
        _blob("direction", nullable=True),
        _blob("drift", nullable=True),
        _text("recent"),
        _moment("updated_at", nullable=True),
        _in_namespace("sessions"),
        _key("sessions", "namespace_id", "id"),
    )


def _create_idempotency() -> None:
    op.create_table(
        "idempotency",
        _text("tenant"),
        _text("key"),
        _row_id("namespace_id"),
        _text("fingerprint"),
        _blob("reply"),
        _moment("created_at"),
        _in_namespace("idempotency"),
        _key("idempotency", "tenant", "key"),
    )
    _index("idempotency", "namespace_id")
    _index("idempotency", "created_at")


def _create_api_keys() -> None:
    op.create_table(
        "api_keys",
        _text("id"),
        _text("tenant"),
        _text("name"),
        _text("role"),
        _text("secret_hash"),
        _moment("created_at"),
        _moment("revoked_at", nullable=True),
        _moment("expires_at", nullable=True),
        _key("api_keys", "id"),
        _unique("api_keys", "secret_hash"),
    )
