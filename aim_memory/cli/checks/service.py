"""The server that would run here: its port, and who could come in."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from aim_memory.cli.checks.findings import Finding
from aim_memory.clock import SystemClock
from aim_memory.errors import AIMMemoryError
from aim_memory.extras import needs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aim_memory.settings import Settings
    from aim_memory.types import ApiKey

MAKE_A_KEY = "aimem keys create NAME --role admin"


def service_findings(settings: Settings) -> Iterator[Finding]:
    yield _port(settings)
    yield from _door(settings)


def _port(settings: Settings) -> Finding:
    host, port = settings.server.host, settings.server.port
    try:
        socket.create_server((host.strip("[]"), port), family=_family(host)).close()
    except OSError as failure:
        if _ready(f"http://{host}:{port}"):
            return Finding("port", "ok", f"{port} is taken by a running AIM-Memory server")
        fix = "Stop what uses it, or choose another with AIM_SERVER__PORT."
        return Finding("port", "warning", f"{host}:{port}: {failure.strerror}", fix)
    return Finding("port", "ok", f"{host}:{port} is free")


def _door(settings: Settings) -> Iterator[Finding]:
    try:
        with needs("server"):
            from aim_memory.api.auth import is_loopback
            from aim_memory.assemble import open_store, open_vault
        before, head = open_vault(settings).revisions()
        if before != head:
            return  # looking at keys would migrate the store
        with closing(open_store(settings)) as store:
            keys = store.keys()
    except (AIMMemoryError, OSError):
        return  # the store and the extras have said it already
    host = settings.server.host
    if not keys and not is_loopback(host):
        fix = f"Make one first ({MAKE_A_KEY}), or listen on 127.0.0.1: without keys anybody could read and erase."
        yield Finding("keys", "failed", f"AIM_SERVER__HOST is {host}, beyond this machine, and there is no key", fix)
    elif keys and not _good(keys):
        found = f"all {len(keys)} have ended: the server lets nobody in"
        yield Finding("keys", "warning", found, f"Make a new one: {MAKE_A_KEY} --expires 90d")


def _good(keys: Sequence[ApiKey]) -> bool:
    now = SystemClock().now()
    return any(key.revoked_at is None and (key.expires_at is None or key.expires_at > now) for key in keys)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _ready(url: str) -> bool:
    import httpx2

    try:
        return httpx2.get(f"{url}/health/ready", timeout=2, trust_env=False).is_success
    except httpx2.HTTPError:
        return False
