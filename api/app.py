"""The ASGI app: routes inside, and around them, from the outside in, envelope, authentication and body limits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial

from fastapi import FastAPI

from aim_memory import assemble
from aim_memory.api import openapi, problems
from aim_memory.api.auth import Authentication
from aim_memory.api.envelope import Envelope
from aim_memory.api.limits import BodyGuard
from aim_memory.api.routes import answer, feedback, health, memories, namespaces, query, sessions
from aim_memory.api.service import Service, build
from aim_memory.api.version import VERSION
from aim_memory.clock import SystemClock
from aim_memory.engine import MemoryEngine
from aim_memory.errors import AIMMemoryError
from aim_memory.keys import Keyring
from aim_memory.settings import Settings

ROUTERS = (memories, query, answer, sessions, namespaces, feedback, health)
_log = logging.getLogger("aim_memory.api")


def create_app(settings: Settings, engine: MemoryEngine | None = None, keyring: Keyring | None = None) -> FastAPI:
    """The server's app. Its lifespan owns the engine: opens it unless given, and closes it in any case."""
    app = FastAPI(
        title="AIM-Memory",
        version=VERSION,
        lifespan=_lifespan(settings, engine, keyring),
        redoc_url=None,
        redirect_slashes=False,
    )
    server = settings.server
    # The one added last is the outermost.
    app.add_middleware(
        BodyGuard,
        body_bytes=settings.limits.body_bytes,
        json_depth=settings.limits.json_depth,
        timeout_s=server.write_timeout_s,
    )
    app.add_middleware(Authentication, keyring=lambda: app.state.service.keyring, allowed_hosts=server.allowed_hosts)
    app.add_middleware(Envelope, clock=SystemClock())
    problems.install(app)
    for module in ROUTERS:
        app.include_router(module.router)
    app.openapi = openapi.describe_with(app, settings.limits)  # type: ignore[method-assign]
    return app


def _lifespan(
    settings: Settings, engine: MemoryEngine | None, keyring: Keyring | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if (running := engine) is None:
            open_engine = partial(assemble.open_engine, settings, ready=True, at_once=assemble.AT_ONCE)
            running = await asyncio.to_thread(open_engine)
        service = build(settings, running, keyring or assemble.open_keyring(settings, running))
        app.state.service = service
        upkeep = asyncio.create_task(_keep_up(service))
        try:
            yield
        finally:
            service.draining = True
            upkeep.cancel()
            with suppress(asyncio.CancelledError):
                await upkeep
            service.workers.close()
            await asyncio.to_thread(running.close)

    return lifespan


async def _keep_up(service: Service) -> None:
    """Erases what expired and embeds what waits, every now and then, for as long as the server runs."""
    while True:
        await asyncio.sleep(service.settings.server.upkeep_interval_s)
        try:
            while any((await asyncio.to_thread(service.engine.upkeep)).values()):
                pass
        except AIMMemoryError as error:
            _log.warning("upkeep failed and will be tried again: %s", error)
