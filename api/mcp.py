"""/mcp: the same memories for MCP clients, over streamable HTTP, with the keys and roles of every other route.

Stateless: each POST stands alone, so any replica can answer it and no session holds a connection open. The listening
GET of the protocol is not offered, as the server has nothing to say unasked.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote

from fastapi import FastAPI
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from aim_memory.api.auth import Caller, demand
from aim_memory.api.routes import namespaces
from aim_memory.api.service import Service
from aim_memory.api.version import VERSION
from aim_memory.api.workers import deadline
from aim_memory.bodies import (
    AnswerReply,
    AnswerRequest,
    DeleteReply,
    EraseReceipt,
    Filter,
    MemoryPage,
    MemoryView,
    NamespacePage,
    QueryReply,
    QueryRequest,
    UpdateRequest,
    WriteReply,
    WriteRequest,
)
from aim_memory.extras import needs
from aim_memory.integrations import mcp as protocol
from aim_memory.integrations.mcp_tools import DEFAULT_NAMESPACE, Door
from aim_memory.integrations.memory import Memories

with needs("mcp"):
    from mcp.server import ServerRequestContext
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

PATH = "/mcp"
NAMESPACE_HEADER = "x-aim-namespace"
"""Whose memories are meant where a tool's arguments name none; percent-encoded UTF-8."""


@dataclass(frozen=True, slots=True)
class EngineMemory:
    """The verbs for one caller, on the server's own engine: its threads, deadlines and limits, the caller's role."""

    service: Service
    caller: Caller

    async def write(self, *, namespace: str, memories: Memories | None = None) -> WriteReply:
        demand(self.caller, "writer")
        body = WriteRequest.model_validate({"namespace": namespace, "memories": memories})
        write = self.service.engine.write
        return await self.service.write(write, self.caller.tenant, body, author=self.caller.name)

    async def query(
        self,
        query: str,
        *,
        namespace: str,
        top_k: int = 10,
        session_id: str | None = None,
        filters: Filter | None = None,
        max_tokens: int | None = None,
    ) -> QueryReply:
        demand(self.caller, "reader")
        body = QueryRequest(
            namespace=namespace,
            query=query,
            top_k=top_k,
            session_id=session_id,
            filters=filters,
            max_tokens=max_tokens,
        )
        return await self.service.read(self.service.engine.query, self.caller.tenant, body)

    async def answer(
        self, query: str, *, namespace: str, session_id: str | None = None, filters: Filter | None = None
    ) -> AnswerReply:
        demand(self.caller, "reader")
        body = AnswerRequest(namespace=namespace, query=query, session_id=session_id, filters=filters)
        async with self.service.answers.place(), deadline(self.service.settings.server.answer_timeout_s):
            return await self.service.engine.answer(self.caller.tenant, body)

    async def get(self, memory_id: str, *, namespace: str | None = None) -> MemoryView:
        demand(self.caller, "reader")
        return await self.service.read(self.service.engine.get, self.caller.tenant, memory_id, namespace)

    async def list(
        self, *, namespace: str, filters: Filter | None = None, limit: int = 50, cursor: str | None = None
    ) -> MemoryPage:
        demand(self.caller, "reader")
        browse, tenant = self.service.engine.list, self.caller.tenant
        return await self.service.read(browse, tenant, namespace, filters=filters, limit=limit, cursor=cursor)

    async def update(
        self, memory_id: str, *, namespace: str | None = None, if_match: int | None = None, **changes: Any
    ) -> MemoryView:
        demand(self.caller, "writer")
        body = UpdateRequest.model_validate(changes)
        edit, tenant = self.service.engine.update, self.caller.tenant
        return await self.service.write(
            edit, tenant, memory_id, body, namespace=namespace, if_match=if_match, author=self.caller.name
        )

    async def delete(self, memory_id: str, *, namespace: str | None = None) -> DeleteReply:
        demand(self.caller, "writer")
        return await self.service.write(self.service.engine.delete, self.caller.tenant, memory_id, namespace=namespace)

    async def forget(self, namespace: str) -> EraseReceipt:
        return await namespaces.erase(namespace, self.caller, self.service)  # with its role and its note in the log

    async def namespaces(self, *, cursor: str | None = None, limit: int = 50) -> NamespacePage:
        demand(self.caller, "reader")
        return await self.service.read(self.service.engine.namespaces, self.caller.tenant, cursor=cursor, limit=limit)

    async def status(self) -> Mapping[str, Any]:
        return {"version": VERSION, **await self.service.read(self.service.engine.status)}


class Endpoint:
    """The ASGI endpoint. It answers while ``running``."""

    def __init__(self, service: Callable[[], Service]) -> None:
        self._service = service
        self._manager: StreamableHTTPSessionManager | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """For the app's lifespan, which may begin again after its end."""
        # Host and Origin were checked before anything came here.
        self._manager = StreamableHTTPSessionManager(protocol.serve(self._door), stateless=True, json_response=True)
        async with self._manager.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._manager is not None
        await self._manager.handle_request(scope, receive, send)

    def _door(self, context: ServerRequestContext[Any, Any]) -> Door:
        request = cast(Request, context.request)
        memory = EngineMemory(self._service(), request.state.caller)
        return Door(memory, unquote(request.headers.get(NAMESPACE_HEADER, DEFAULT_NAMESPACE)))


def mount(app: FastAPI) -> None:
    """Adds the route, and runs it within the app's lifespan."""
    endpoint = Endpoint(lambda: app.state.service)
    app.router.routes.append(Route(PATH, endpoint, methods=["POST"]))
    around = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with around(app), endpoint.running():
            yield

    app.router.lifespan_context = lifespan
