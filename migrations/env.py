"""Alembic's entry: runs migrations on the connection, and inside the transaction, that the caller holds."""

from __future__ import annotations

from alembic import context

from aim_memory.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters tables by copying them
)
with context.begin_transaction():
    context.run_migrations()
