"""The ASGI app: routes inside, and around them, from the outside in, envelope, authentication and body limits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from importlib.util import find_spec

from fastapi import FastAPI

from aim_memory import assemble
from aim_memory.api import openapi, problems
from aim_memory.api.accounting import Accounting
from aim_memory.api.auth import Authentication
from aim_memory.api.envelope import Envelope
from aim_memory.api.limits import BodyGuard
from aim_memory.api.metrics import Metrics
from aim_memory.api.routes import (
    admin,
    answer,
    console,
    feedback,
    health,
    mem0,
    memories,
    namespaces,
    openai,
    query,
    responses,
    sessions,
)
from aim_memory.api.service import Service, build
from aim_memory.api.version import VERSION
from aim_memory.clock import SystemClock
from aim_memory.engine import MemoryEngine
from aim_memory.errors import AIMMemoryError
from aim_memory.keys import Keyring
from aim_memory.settings import Settings

ROUTERS = (memories, query, answer, openai, responses, sessions, namespaces, feedback, admin, health, mem0, console)
_log = logging.getLogger("aim_memory.api")


def create_app(settings: Settings, engine: MemoryEngine | None = None, keyring: Keyring | None = None) -> FastAPI:
    """The server's app. Its lifespan owns the engine: opens it unless given, and closes it in any case."""
    app = FastAPI(
        title="AIM-Memory",
        version=VERSION,
        lifespan=_lifespan(settings, engine, keyring),
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # its spans hold paths, queries and messages
    )
    server = settings.server
    # The one added last is the outermost.
    app.add_middleware(
        BodyGuard,
        body_bytes=settings.limits.body_bytes,
        json_depth=settings.limits.json_depth,
        timeout_s=server.write_timeout_s,
        by_path={"/v1/chat/completions": server.chat_bytes, "/v1/responses": server.chat_bytes},
        streamed=("/v1/admin/import",),
    )
    app.add_middleware(
        Authentication,
        keyring=lambda: app.state.service.keyring,
        allowed_hosts=server.allowed_hosts,
        files=console.PATHS,
    )
    app.state.metrics = Metrics()
    app.add_middleware(Accounting, metrics=app.state.metrics, log=settings.log)
    app.add_middleware(Envelope, clock=SystemClock())
    problems.install(app)
    for module in ROUTERS:
        app.include_router(module.router)
    app.openapi = openapi.describe_with(app, settings.limits)  # type: ignore[method-assign]
    if find_spec("mcp") is not None:  # the extra [mcp]
        from aim_memory.api import mcp

        mcp.mount(app)
    return app


def _lifespan(
    settings: Settings, engine: MemoryEngine | None, keyring: Keyring | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if (running := engine) is None:
            open_engine = partial(assemble.open_engine, settings, ready=True, at_once=assemble.AT_ONCE)
            running = await asyncio.to_thread(open_engine)
            running.start(_log.info)
        service = build(settings, running, keyring or assemble.open_keyring(settings, running))
        app.state.service = service
        running.observe(app.state.metrics)
        app.state.metrics.follow(running, service.answers, settings.database_file)
        upkeep = asyncio.create_task(_keep_up(service))
        stopped = asyncio.Event()
        jobs = asyncio.create_task(_work_off(service, stopped))
        try:
            yield
        finally:
            service.draining = True
            stopped.set()
            upkeep.cancel()
            with suppress(asyncio.CancelledError):
                await upkeep
            await jobs  # it ends after its present step, and what is begun lies in the store
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


async def _work_off(service: Service, stopped: asyncio.Event) -> None:
    """Works on the jobs of the store, one after the other, in a thread of its own, until the server stops."""
    while not service.draining:
        worked = False
        try:
            worked = await asyncio.to_thread(service.engine.work, lambda: service.draining)
        except AIMMemoryError as error:
            _log.warning("jobs could not be looked for and will be again: %s", error)
        if not worked:
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), service.settings.server.jobs_interval_s)
