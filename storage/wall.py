"""The second wall between tenants: PostgreSQL shows a transaction the rows of those it works for, and no others.

The first wall are the conditions of the queries. Were one forgotten, row-level security would still hide what belongs
to other tenants. A transaction that does not say for whom it works sees no tenant's rows.
"""

from __future__ import annotations

from enum import Enum

import sqlalchemy as sa
from sqlalchemy.engine import Connection

_SHOW = "SELECT set_config(%s, %s, true)"  # to the end of the transaction: pooled connections keep nothing of it
_SHOW_AND_HURRY = "SELECT set_config(%s, %s, true), set_config('synchronous_commit', 'off', true)"
_BYPASSES = sa.text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")


class Everyone(Enum):
    """Not a string: no tenant can be called so."""

    EVERY_TENANT = "every tenant"


EVERY_TENANT = Everyone.EVERY_TENANT
"""For the service's own work: looking up keys, finding what is pending or expired, counting."""
Whose = str | Everyone | None
"""A tenant, every tenant, or nobody: what belongs to no tenant is always seen."""


def opening(whose: Whose, *, synced: bool = True) -> tuple[str, tuple[str, str]] | None:
    """The statement that begins a transaction's work on PostgreSQL, with its parameters; None if there is none."""
    if whose is None and synced:
        return None
    shown = ("aim.reach", whose.value) if isinstance(whose, Everyone) else ("aim.tenant", whose or "")
    return (_SHOW if synced else _SHOW_AND_HURRY), shown


def posture(connection: Connection) -> dict[str, str]:
    """What ``check`` says of the wall; nothing on SQLite, which has none."""
    if connection.dialect.name != "postgresql":
        return {}
    bypassed = connection.execute(_BYPASSES).scalar_one()
    return {"row_security": "bypassed by this role; connect as one that is no superuser" if bypassed else "on"}
