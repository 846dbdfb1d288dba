"""How much a database holds."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aim_memory.bodies import BackedUpNamespace
from aim_memory.storage.tables import generations, memories, metadata, namespaces

LASTING = ("generations", "audit")
"""Tables that say nothing of whether a store is empty, and that a restored backup does not replace."""


def counted(connection: Connection) -> dict[str, int]:
    """Rows by table, of the tables that are there."""
    there = set(sa.inspect(connection).get_table_names())
    return {
        table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        for table in metadata.sorted_tables
        if table.name in there
    }


def heads(connection: Connection) -> list[BackedUpNamespace]:
    """All namespaces, by tenant and name."""
    n, m = namespaces.c, memories.c
    sizes = sa.select(m.namespace_id, sa.func.count().label("size")).group_by(m.namespace_id).subquery()
    query = (
        sa.select(n.tenant, n.path, n.id, n.seq, n.ordinal, sa.func.coalesce(sizes.c.size, 0))
        .outerjoin(sizes, sizes.c.namespace_id == n.id)
        .order_by(n.tenant, n.path)
    )
    return [
        BackedUpNamespace(tenant=tenant, namespace=path, epoch=epoch, seq=seq, ordinal=ordinal, memories=size)
        for tenant, path, epoch, seq, ordinal, size in connection.execute(query)
    ]


def by_generation(connection: Connection) -> dict[str, int]:
    """Memories by the name of their vectors' generation."""
    query = (
        sa.select(generations.c.name, sa.func.count(memories.c.id))
        .outerjoin(memories, memories.c.generation_id == generations.c.id)
        .group_by(generations.c.name)
        .order_by(generations.c.name)
    )
    return dict(connection.execute(query).all())
