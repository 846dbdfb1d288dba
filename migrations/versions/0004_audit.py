"""The audit log, which can only be added to.

On PostgreSQL it stands behind the wall between tenants. SQLite loses triggers when a table is copied to alter it: a
migration that alters this one makes them again.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_REFUSAL = "the audit log can only be added to"
_SQLITE = "CREATE TRIGGER audit_no_{event} BEFORE {event} ON audit BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
_POSTGRESQL = f"""
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$;
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
CREATE POLICY of_tenant ON audit USING ((SELECT current_setting('aim.reach', true)) = 'every tenant'
    OR tenant = (SELECT current_setting('aim.tenant', true)));
ALTER TABLE audit ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY
"""


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, _TEXT, nullable=False) for name in ("tenant", "key_id", "name", "action")),
        sa.Column("target", _TEXT),
        sa.Column("outcome", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_audit_tenant_id"), "audit", ["tenant", "id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_POSTGRESQL)
    else:
        for event in ("UPDATE", "DELETE"):
            op.execute(_SQLITE.format(event=event, refusal=_REFUSAL))


def downgrade() -> None:
    op.drop_table("audit")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_audit_change()")
