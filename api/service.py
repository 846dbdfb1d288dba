"""What the routes work with, and how they reach the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, ParamSpec, TypeVar

from fastapi import Depends, Request

from aim_memory.api.admission import Admission
from aim_memory.api.workers import Gate, Workers
from aim_memory.engine import MemoryEngine
from aim_memory.keys import Keyring
from aim_memory.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True)
class Service:
    """One running server."""

    settings: Settings
    engine: MemoryEngine
    keyring: Keyring
    workers: Workers
    answers: Admission
    chores: Gate = field(default_factory=lambda: Gate(2))
    """Work for administrators that takes long, such as a backup: at most two at once."""
    draining: bool = False
    """True from the first signal to stop: not ready any more, but finishing what was begun."""

    async def read(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs a call of the engine in the pool, within the time of a query."""
        return await self.workers.run(self.settings.server.query_timeout_s, call, *args, **kwargs)

    async def write(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs a call of the engine in the pool, within the time of a write."""
        return await self.workers.run(self.settings.server.write_timeout_s, call, *args, **kwargs)


def build(settings: Settings, engine: MemoryEngine, keyring: Keyring) -> Service:
    server = settings.server
    answers = Admission(server.answers, server.answers_waiting, server.answers_wait_s)
    return Service(settings, engine, keyring, Workers(server.threads, server.backlog), answers)


async def _of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


ServiceDep = Annotated[Service, Depends(_of)]
