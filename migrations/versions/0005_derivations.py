"""Which memories a language model made of which, and which it has read for facts.

On PostgreSQL derivations are divided as memories are, and stand behind the wall between tenants.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_EVERYONE_S = "(SELECT current_setting('aim.reach', true)) = 'every tenant'"
_NAMESPACE_S = "EXISTS (SELECT FROM namespaces WHERE namespaces.id = {part}.namespace_id)"


def upgrade() -> None:
    op.add_column("memories", sa.Column("read_at", sa.BigInteger()))
    parts = _create_derivations()
    if op.get_bind().dialect.name == "postgresql":
        for part in parts:
            own = _NAMESPACE_S.format(part=part)
            op.execute(f"CREATE POLICY of_tenant ON {part} USING ({_EVERYONE_S} OR ({own}))")
            op.execute(f"ALTER TABLE {part} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    """What was derived stays, as what an assistant said: it no longer goes with what it was made of."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SELECT set_config('aim.reach', 'every tenant', true)")
    op.execute("UPDATE memories SET trust = 'assistant' WHERE trust = 'derived'")
    op.drop_table("derivations")
    op.drop_column("memories", "read_at")


def _create_derivations() -> list[str]:
    """The table and its partitions, as many as memories have."""
    partitions = _partitions("memories")
    divided: dict[str, Any] = {"postgresql_partition_by": "HASH (namespace_id)"} if partitions else {}
    memory = ["memories.namespace_id", "memories.id"]
    op.create_table(
        "derivations",
        sa.Column("namespace_id", _ROW_ID, nullable=False),
        sa.Column("memory_id", _TEXT, nullable=False),
        sa.Column("origin_id", _TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["namespace_id", "memory_id"], memory, name=op.f("fk_derivations_memories"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["namespace_id", "origin_id"], memory, name=op.f("fk_derivations_origins"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("namespace_id", "memory_id", "origin_id", name=op.f("pk_derivations")),
        **divided,
    )
    parts = [f"derivations_{number}" for number in range(partitions)]
    for number, part in enumerate(parts):
        place = f"WITH (MODULUS {partitions}, REMAINDER {number})"
        op.execute(f"CREATE TABLE {part} PARTITION OF derivations FOR VALUES {place}")
    op.create_index(op.f("ix_derivations_namespace_id_origin_id"), "derivations", ["namespace_id", "origin_id"])
    return ["derivations", *parts]


def _partitions(table: str) -> int:
    if op.get_bind().dialect.name != "postgresql":
        return 0
    children = "SELECT count(*) FROM pg_inherits WHERE inhparent = CAST(:table AS regclass)"
    return int(op.get_bind().execute(sa.text(children), {"table": table}).scalar_one())
