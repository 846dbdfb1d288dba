"""Real servers on loopback, each over a folder of its own, with the hashing embedder.

In an environment that holds one framework and our SDK alone the server is somebody else's: its address is in
AIM_TEST_SERVER, and it is shared, so tests keep to a namespace of their own.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

import pytest

from aim_memory import Client

if TYPE_CHECKING:
    from aim_memory.cli.local_server import LocalServer
    from aim_memory.integrations.memory import Memory
    from aim_memory.keys import Role
    from aim_memory.settings import Settings

_numbers = count(1)


def settings_in(home: Path) -> Settings:
    from aim_memory.settings import EmbedderSettings, Settings

    return Settings(home=home, embedder=EmbedderSettings(kind="hashing"))


class Server:
    """A running server, and keys for it by tenant and role."""

    def __init__(self, running: LocalServer) -> None:
        self.url = running.url
        self._home = running.home
        self._tokens: dict[tuple[str, Role], str] = {}

    def token(self, tenant: str, role: Role = "writer") -> str:
        from aim_memory import assemble

        if (tenant, role) not in self._tokens:
            keyring = assemble.open_keyring(settings_in(self._home))
            self._tokens[tenant, role] = keyring.create(tenant, f"{tenant} {role}", role).token
        return self._tokens[tenant, role]


def _running(home: Path) -> LocalServer:
    from aim_memory.cli.local_server import LocalServer

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIM_EMBEDDER__KIND", "hashing")
        return LocalServer(home)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server without keys."""
    if given := os.environ.get("AIM_TEST_SERVER"):
        yield given
        return
    with _running(tmp_path_factory.mktemp("server")) as running:
        running.wait_until_ready()
        yield running.url


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with keys."""
    with _running(tmp_path_factory.mktemp("keyed")) as running:
        running.wait_until_ready()
        server = Server(running)
        server.token("acme", "admin")
        yield server


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    with Client(url) as client:
        yield client


@pytest.fixture
def root() -> str:
    """A path that nobody else writes below."""
    return f"test-{token_hex(6)}-{next(_numbers)}"


@pytest.fixture(params=["server", "folder"])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Memory]:
    """A memory behind either door. Not to be waited for on an event loop."""
    if request.param == "server":
        yield OffLoop(request.getfixturevalue("client"))
        return
    pytest.importorskip("sqlalchemy", reason="pip install 'aim-memory[embedded]'")
    from aim_memory import AIMMemory

    with AIMMemory(settings=settings_in(tmp_path)) as folder:
        yield OffLoop(folder)


class OffLoop:
    """A memory that fails where a call of it would keep an event loop waiting."""

    def __init__(self, memory: Any) -> None:
        self._memory = memory

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        call = getattr(self._memory, verb)

        def run(*args: Any, **given: Any) -> Any:
            try:
                asyncio.get_running_loop()
            except RuntimeError:
                return call(*args, **given)
            raise AssertionError(f"{verb} blocks the event loop")

        return run
