"""The outermost layer: every response carries ``x-request-id``, and a crash becomes a clean 500."""

from __future__ import annotations

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aim_memory.api import problems
from aim_memory.errors import AIMMemoryError
from aim_memory.ports import Clock

_SANE = re.compile(r"[A-Za-z0-9._:-]{1,128}")


class Envelope:
    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._request_id(scope)
        scope["state"] = {**scope.get("state", {}), "request_id": request_id}
        started = False

        async def stamped(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, stamped)
        except Exception as error:  # noqa: BLE001  the last one who can answer this caller; the server must survive
            crash = AIMMemoryError(str(error)).with_traceback(error.__traceback__)
            crash.__cause__ = error
            refusal = problems.respond(crash, scope)
            if not started:
                await refusal(scope, receive, stamped)

    def _request_id(self, scope: Scope) -> str:
        """The caller's own, if it is a sane one, or a fresh one."""
        given = Headers(scope=scope).get("x-request-id", "")
        return given if _SANE.fullmatch(given) else self._clock.new_id()
