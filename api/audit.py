"""What administrators do over the API is noted in the audit log, whether it is done or refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import run_sync

from aim_memory.api.auth import Caller, demand
from aim_memory.api.service import Service
from aim_memory.clock import SystemClock
from aim_memory.errors import AIMMemoryError
from aim_memory.keys import Role
from aim_memory.types import AuditEntry

_CLOCK = SystemClock()


@asynccontextmanager
async def audited(
    service: Service, caller: Caller, action: str, target: str | None = None, *, role: Role = "admin"
) -> AsyncIterator[None]:
    """Lets a caller who has the role do something, and notes what came of it. Raises PermissionDeniedError."""
    try:
        demand(caller, role)
        yield
    except AIMMemoryError as error:
        await _note(service, caller, action, target, error.code)
        raise
    except BaseException:
        await _note(service, caller, action, target, AIMMemoryError.code)
        raise
    await _note(service, caller, action, target, "ok")


async def _note(service: Service, caller: Caller, action: str, target: str | None, outcome: str) -> None:
    entry = AuditEntry(_CLOCK.now(), caller.tenant, caller.key_id, caller.name, action, target, outcome)
    await run_sync(service.engine.store.note, entry)
