"""Who is calling: checked before anything else, the body unread.

With keys, every route but the two health probes asks for ``Authorization: Bearer <key>``; the tenant comes from the
key and from nowhere else. Without keys the server is for this machine alone: the peer must be loopback and not a
proxy, the Host one of ours (a web page that rebinds its name to 127.0.0.1 fails here), and the Origin, if there is
one, the very same place.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Set
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from anyio.to_thread import run_sync
from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from aim_memory.api import mem0_errors, problems
from aim_memory.embedded import LOCAL_TENANT
from aim_memory.errors import AIMMemoryError, PermissionDeniedError
from aim_memory.keys import Keyring, Role, includes

OPEN_PATHS = frozenset({"/health/live", "/health/ready"})
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_MAKE_A_KEY = "Make a key first: aimem keys create NAME."


@dataclass(frozen=True, slots=True)
class Caller:
    tenant: str
    role: str
    name: str
    """The key's name, kept as the author of what it writes."""
    key_id: str = "local"


LOCAL_CALLER = Caller(LOCAL_TENANT, "operator", "local")


class Authentication:
    """ASGI middleware that puts a Caller into the request's state, or refuses."""

    def __init__(
        self,
        app: ASGIApp,
        keyring: Callable[[], Keyring],
        allowed_hosts: tuple[str, ...],
        files: Set[str] = frozenset(),
    ) -> None:
        """``files``: paths that hold nothing but a page, open like the probes."""
        self._app = app
        self._open = OPEN_PATHS | files
        self._keyring = keyring
        self._hosts = _LOOPBACK_NAMES | {host.lower() for host in allowed_hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http" and scope["path"] not in self._open:
            try:
                scope["state"]["caller"] = await self._identify(scope)
            except AIMMemoryError as error:
                await problems.respond(error, scope)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _identify(self, scope: Scope) -> Caller:
        headers = Headers(scope=scope)
        keyring, shown = self._keyring(), _credential(scope["path"], headers)
        key = keyring.admit(shown) if keyring.local else await run_sync(keyring.admit, shown)
        if key is not None:
            return Caller(key.tenant, key.role, key.name, key.id)
        check_local(scope.get("client"), headers, self._hosts)
        return LOCAL_CALLER


def check_local(client: tuple[str, int] | None, headers: Headers, hosts: frozenset[str]) -> None:
    """Holds a server without keys to this machine. Raises PermissionDeniedError."""
    if client is None or not is_loopback(client[0]):
        raise PermissionDeniedError(f"Without keys this server answers only callers on its own machine. {_MAKE_A_KEY}")
    if any(name in headers for name in _FORWARDED):
        raise PermissionDeniedError(f"Without keys this server does not answer through a proxy. {_MAKE_A_KEY}")
    host = headers.get("host", "")
    if _host_name(host) not in hosts:
        raise PermissionDeniedError(
            "Without keys this server answers only under the names localhost, 127.0.0.1 and [::1]. "
            "Use one of them, or name yours in AIM_SERVER__ALLOWED_HOSTS."
        )
    origin = headers.get("origin")
    if origin is not None and origin.lower() not in (f"http://{host.lower()}", f"https://{host.lower()}"):
        raise PermissionDeniedError(f"Without keys this server does not answer pages of other origins. {_MAKE_A_KEY}")


def is_loopback(host: str) -> bool:
    """Whether an address, or the name localhost, is this machine and nobody else."""
    if host.lower() == "localhost":
        return True
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _credential(path: str, headers: Headers) -> str | None:
    """What a caller shows as a key; on mem0's paths also where mem0's clients show it."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    schemes = ("bearer", "token") if mem0_errors.spoken_at(path) else ("bearer",)
    if scheme.lower() in schemes:
        return token.strip()
    return headers.get("x-api-key") if mem0_errors.spoken_at(path) else None


def _host_name(host: str) -> str | None:
    """ "[::1]:8765" → "::1"; None for what is no host."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def require(role: Role) -> Callable[[Request], Awaitable[Caller]]:
    """A dependency: the caller, who must have at least this role."""

    async def caller(request: Request) -> Caller:
        known: Caller = request.state.caller
        demand(known, role)
        return known

    return caller


def demand(caller: Caller, role: Role) -> None:
    """Raises PermissionDeniedError unless the caller has at least this role."""
    if not includes(caller.role, role):
        raise PermissionDeniedError(f"This takes a key with the role {role}; this key's role is {caller.role}.")


async def _known(request: Request) -> Caller:
    known: Caller = request.state.caller
    return known


Known = Annotated[Caller, Depends(_known)]
"""Whoever has a key, whatever its role."""
Auditor = Annotated[Caller, Depends(require("auditor"))]
Reader = Annotated[Caller, Depends(require("reader"))]
Writer = Annotated[Caller, Depends(require("writer"))]
Admin = Annotated[Caller, Depends(require("admin"))]
Operator = Annotated[Caller, Depends(require("operator"))]
