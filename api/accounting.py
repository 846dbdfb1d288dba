"""Every request is counted, and may have a line in the log: its route's template, never its path, and how it went."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aim_memory import tracing
from aim_memory.api.logs import digest
from aim_memory.api.metrics import Metrics
from aim_memory.errors import OverloadedError
from aim_memory.settings import LogSettings

UNROUTED = "unrouted"
"""Stands for the route of a request that was refused before it had one, or that has none."""
_GONE = 499
"""Stands for the status where the caller went away before there was one."""
_log = logging.getLogger("aim_memory.requests")


class Accounting:
    """ASGI middleware; right within the envelope, so that it sees what authentication refuses, and ids are known."""

    def __init__(self, app: ASGIApp, metrics: Metrics, log: LogSettings) -> None:
        self._app = app
        self._metrics = metrics
        self._logged_from = {"all": 0, "failures": 500, "none": 1000}[log.requests]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = _GONE, perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            with tracing.caller(Headers(scope=scope)):
                await self._app(scope, receive, noted)
        except Exception:
            status = 500
            raise
        finally:
            self._account(scope, status, perf_counter() - began)

    def _account(self, scope: Scope, status: int, took_s: float) -> None:
        route, state = route_of(scope), scope.get("state", {})
        code: str | None = state.get("code")
        self._metrics.count_request(route, scope["method"], status, code, took_s)
        if status < self._logged_from or (code == OverloadedError.code and self._logged_from):
            return  # too much at once is counted; a line for each refusal would be more of it
        caller = state.get("caller")
        fields: dict[str, Any] = {
            "request_id": state.get("request_id"),
            "method": scope["method"],
            "route": route,
            "status": status,
            "ms": round(1000 * took_s, 3),
            "tenant": None if caller is None else digest(caller.tenant),
            "code": code,
        }
        level = logging.ERROR if status >= 500 else logging.INFO
        _log.log(level, "request", extra={"fields": fields})


def route_of(scope: Scope) -> str:
    """The template of a request's route."""
    if "endpoint" not in scope:
        return UNROUTED
    template: str | None = getattr(scope.get("route"), "path", None)
    if template is None and not scope["path_params"]:
        template = scope["path"]  # of a route without parameters: it is its own template
    return template or UNROUTED
