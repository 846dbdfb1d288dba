"""The way to a server: is it there, is it ours, does it take the key, do the clocks agree."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from aim_memory import errors
from aim_memory.cli.checks.findings import Finding
from aim_memory.clock import SystemClock
from aim_memory.extras import installed_version

if TYPE_CHECKING:
    from aim_memory.settings import Settings

SKEW = timedelta(minutes=2)
CURES: tuple[tuple[type[errors.AIMMemoryError], str], ...] = (
    (
        errors.AuthenticationError,
        "AIM_API_KEY is mistyped, revoked or has expired. On the server's machine: aimem keys list, aimem keys create",
    ),
    (errors.PermissionDeniedError, "Use a key with another role, or call the server by the name that it was given."),
    (errors.ConnectionFailedError, "Start it on its machine with aimem serve, or look at AIM_URL."),
    (errors.OverloadedError, "It is starting, stopping or busy: try again, and look at its log."),
)


def way_findings(settings: Settings) -> Iterator[Finding]:
    from aim_memory.client import Client

    key = settings.api_key
    with Client(str(settings.url), key.get_secret_value() if key else None, max_retries=0, timeout=5) as client:
        try:
            reply = client.with_raw_response.status()
            status = reply.parse()
        except errors.AIMMemoryError as failure:
            yield Finding("server", "failed", failure.message, _cure(failure))
            return
        yield _server(str(settings.url), str(status.get("version", "unknown")))
        yield from _clocks(reply.headers.get("date"))


def _server(url: str, version: str) -> Finding:
    own = installed_version()
    if version != own:
        fix = "Bring both to one version: pip install --upgrade aim-memory"
        return Finding("server", "warning", f"{url}, version {version}; here it is {own}", fix)
    return Finding("server", "ok", f"{url}, version {version}")


def _clocks(date: str | None) -> Iterator[Finding]:
    if date is None:
        return
    ahead = SystemClock().now() - parsedate_to_datetime(date).replace(tzinfo=UTC)
    if abs(ahead) > SKEW:
        found = f"this machine's is {abs(ahead)} {'ahead of' if ahead > timedelta() else 'behind'} the server's"
        yield Finding("clock", "warning", found, "Set both by a time server: expiries and relative dates go by them.")


def _cure(failure: errors.AIMMemoryError) -> str:
    known = (cure for kind, cure in CURES if isinstance(failure, kind))
    return next(known, "Look at AIM_URL: what answers there is not AIM-Memory.")
