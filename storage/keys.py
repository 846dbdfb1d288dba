"""Credentials. Only a hash of the secret is ever here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aim_memory.storage.tables import api_keys, moment
from aim_memory.types import ApiKey

_K = api_keys.c
_COLUMNS = (_K.id, _K.tenant, _K.name, _K.role, _K.created_at, _K.revoked_at, _K.expires_at)

BY_SECRET = sa.select(*_COLUMNS).where(_K.secret_hash == sa.bindparam("secret_hash"))
FIRST = sa.select(sa.func.min(_K.id))
"""The least id of a key; NULL when there is none."""


def add(connection: Connection, key: ApiKey, secret_hash: str) -> None:
    values = {column.name: getattr(key, column.name) for column in _COLUMNS}
    connection.execute(sa.insert(api_keys), [{**values, "secret_hash": secret_hash}])


def as_driven(row: Sequence[Any]) -> ApiKey:
    """A row as the driver gives it: its moments are numbers."""
    return ApiKey(*row[:4], *map(moment, row[4:]))


def listed(connection: Connection, tenant: str | None) -> list[ApiKey]:
    """Oldest first."""
    query = sa.select(*_COLUMNS).order_by(_K.created_at, _K.id)
    query = query if tenant is None else query.where(_K.tenant == tenant)
    return [ApiKey(*row) for row in connection.execute(query)]


def revoke(connection: Connection, key_id: str, now: datetime) -> bool:
    """Whether there was such a key, not revoked before."""
    valid = sa.and_(_K.id == key_id, _K.revoked_at.is_(None))
    return connection.execute(sa.update(api_keys).where(valid).values(revoked_at=now)).rowcount == 1
