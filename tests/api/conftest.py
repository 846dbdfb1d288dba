"""The API over the real engine: a SQLite folder, the hashing embedder, extractive answers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from aim_memory import assemble
from aim_memory.api.app import create_app
from aim_memory.keys import Keyring, Role
from aim_memory.settings import EmbedderSettings, Settings

_numbers = count(1)


def settings_in(home: Path, **changes: Any) -> Settings:
    return Settings(home=home, embedder=EmbedderSettings(kind="hashing"), **changes)


def local(app: FastAPI, **more: Any) -> TestClient:
    """A client on the server's own machine."""
    return TestClient(app, base_url="http://127.0.0.1:8765", client=("127.0.0.1", 50000), **more)


@pytest.fixture
def anyio_backend() -> str:
    """Asynchronous tests run on the loop that the server runs on."""
    return "asyncio"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A server without keys; tests of one module share it, each in its own namespace."""
    with local(create_app(settings_in(tmp_path_factory.mktemp("home")))) as client:
        yield client


@pytest.fixture
def namespace() -> str:
    return f"user/{next(_numbers)}"


class Keyed:
    """A server with keys, and callers by tenant and role."""

    def __init__(self, client: TestClient, keyring: Keyring) -> None:
        self.client = client
        self.keyring = keyring
        self._headers: dict[tuple[str, Role], dict[str, str]] = {}

    def headers(self, tenant: str = "acme", role: Role = "admin") -> dict[str, str]:
        if (tenant, role) not in self._headers:
            token = self.keyring.create(tenant, f"{tenant} {role}", role).token
            self._headers[tenant, role] = {"authorization": f"Bearer {token}"}
        return self._headers[tenant, role]


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keyed]:
    settings = settings_in(tmp_path_factory.mktemp("keyed"))
    engine = assemble.open_engine(settings)
    keyring = assemble.open_keyring(settings, engine)
    with TestClient(create_app(settings, engine, keyring), base_url="http://memory.example") as client:
        server = Keyed(client, keyring)
        server.headers()
        yield server
