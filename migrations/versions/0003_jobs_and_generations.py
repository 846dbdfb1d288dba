"""Jobs; vectors of several generations beside each other, which of them is in use, and which a session's course is of.

On PostgreSQL spare vectors are divided as their segments are, and both tables stand behind the wall between tenants.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_EVERYONE_S = "(SELECT current_setting('aim.reach', true)) = 'every tenant'"
_TENANT_S = "tenant = (SELECT current_setting('aim.tenant', true))"
_NAMESPACE_S = "EXISTS (SELECT FROM namespaces WHERE namespaces.id = {part}.namespace_id)"


def upgrade() -> None:
    _create_jobs()
    parts = _create_spare_vectors()
    op.add_column("generations", sa.Column("embedder", _TEXT))
    op.add_column("generations", sa.Column("chosen_at", sa.BigInteger()))
    op.add_column("sessions", sa.Column("generation", _TEXT))
    if op.get_bind().dialect.name == "postgresql":
        _wall("jobs", _TENANT_S)
        for part in parts:
            _wall(part, _NAMESPACE_S.format(part=part))


def downgrade() -> None:
    op.drop_column("sessions", "generation")
    op.drop_column("generations", "chosen_at")
    op.drop_column("generations", "embedder")
    op.drop_table("spare_vectors")
    op.drop_table("jobs")


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("tenant", _TEXT),
        sa.Column("arguments", _TEXT, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger()),
        sa.Column("cursor", _TEXT, nullable=False),
        sa.Column("result", _TEXT, nullable=False),
        sa.Column("error", _TEXT),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("owner", _TEXT),
        sa.Column("lease_until", sa.BigInteger()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_state_kind"), "jobs", ["state", "kind"])


def _create_spare_vectors() -> list[str]:
    """The table and its partitions, as many as segments have."""
    partitions = _partitions("segments")
    divided: dict[str, Any] = {"postgresql_partition_by": "HASH (namespace_id)"} if partitions else {}
    own = ["namespace_id", "memory_id", "position"]
    op.create_table(
        "spare_vectors",
        sa.Column("namespace_id", _ROW_ID, nullable=False),
        sa.Column("memory_id", _TEXT, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("generation_id", _ROW_ID, nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("tokens", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["generation_id"], ["generations.id"], name=op.f("fk_spare_vectors_generations")),
        sa.ForeignKeyConstraint(
            own,
            [f"segments.{column}" for column in own],
            name=op.f("fk_spare_vectors_segments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(*own, "generation_id", name=op.f("pk_spare_vectors")),
        **divided,
    )
    parts = [f"spare_vectors_{number}" for number in range(partitions)]
    for number, part in enumerate(parts):
        place = f"WITH (MODULUS {partitions}, REMAINDER {number})"
        op.execute(f"CREATE TABLE {part} PARTITION OF spare_vectors FOR VALUES {place}")
    return ["spare_vectors", *parts]


def _partitions(table: str) -> int:
    if op.get_bind().dialect.name != "postgresql":
        return 0
    children = "SELECT count(*) FROM pg_inherits WHERE inhparent = CAST(:table AS regclass)"
    return int(op.get_bind().execute(sa.text(children), {"table": table}).scalar_one())


def _wall(table: str, own: str) -> None:
    op.execute(f"CREATE POLICY of_tenant ON {table} USING ({_EVERYONE_S} OR ({own}))")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
