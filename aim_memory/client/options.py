"""What both clients share: how a connection is set up and how a call becomes a request on it."""

from __future__ import annotations

import inspect
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import update_wrapper
from typing import Any, ParamSpec, TypedDict, TypeVar

import httpx2

from aim_memory.client.calls import Call, R
from aim_memory.client.retry import Retry
from aim_memory.errors import InvalidInputError

P = ParamSpec("P")
Method = TypeVar("Method", bound=Callable[..., Any])
LOCAL_URL = "http://127.0.0.1:8765"
CONNECT_TIMEOUT_S = 5.0
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Options:
    """How patient a client is."""

    timeout_s: float
    retry: Retry

    def changed(self, timeout_s: float | None, max_retries: int | None) -> Options:
        return Options(
            self.timeout_s if timeout_s is None else timeout_s,
            self.retry if max_retries is None else replace(self.retry, limit=max_retries),
        )

    def request(self, http: httpx2.Client | httpx2.AsyncClient, call: Call[R]) -> httpx2.Request:
        timeout = httpx2.Timeout(self.timeout_s, connect=min(CONNECT_TIMEOUT_S, self.timeout_s))
        json = {"Content-Type": "application/json"} if call.content is not None else {}
        return http.build_request(
            call.method,
            call.path,
            params=call.params or None,
            content=call.content,
            headers={**json, **call.headers},
            timeout=timeout,
        )


class Connection(TypedDict):
    """Arguments of an httpx2 client."""

    base_url: str
    headers: dict[str, str]
    trust_env: bool
    verify: ssl.SSLContext | bool


def connection(url: str, api_key: str | None) -> Connection:
    """Proxies of the environment are for the world outside: this machine is reached directly.

    Certificates are loaded for https:// only; with http:// they would be half of the time it takes to set up, and the
    empty context that stands in for them trusts nobody.
    """
    address = _address(url)
    return {
        "base_url": url,
        "headers": {"Authorization": f"Bearer {api_key}"} if api_key else {},
        "trust_env": address.host not in LOOPBACK,
        "verify": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if address.scheme == "http" else True,
    }


def _address(url: str) -> httpx2.URL:
    """The parsed URL. Raises InvalidInputError."""
    try:
        address = httpx2.URL(url)
    except httpx2.InvalidURL as failure:
        raise InvalidInputError(f"{url!r} is no URL: {failure}.", field="url") from failure
    if address.scheme not in {"http", "https"} or not address.host:
        raise InvalidInputError(f"{url!r} is no URL of a server: it should look like {LOCAL_URL}.", field="url")
    return address


def like(build: Callable[P, object]) -> Callable[[Method], Method]:
    """Gives a method the documentation and the parameters of the function in ``client.calls`` that it sends."""

    def dress(method: Method) -> Method:
        update_wrapper(method, build)
        signature = inspect.signature(build)
        itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
        method.__signature__ = signature.replace(parameters=[itself, *signature.parameters.values()])  # type: ignore[attr-defined]
        return method

    return dress
