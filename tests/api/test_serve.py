"""The server process: no open doors, one line about where it stands, and a stop that drops nothing."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx2
import pytest

from aim_memory import assemble
from aim_memory.api import serve
from aim_memory.api.app import create_app
from aim_memory.bodies import AnswerEvent
from aim_memory.errors import ConfigurationError
from aim_memory.settings import ServerSettings, Settings
from tests.api.conftest import settings_in
from tests.api.doubles import OpenDoor, StubEngine, events_of


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "memory.example", "", "127.0.0.1.example"])
def test_no_key_no_way_in_from_outside(host: str) -> None:
    with pytest.raises(ConfigurationError, match="aimem keys create"):
        serve.check_door(host, keyless=True)
    serve.check_door(host, keyless=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.5", "localhost", "::1", "[::1]"])
def test_this_machine_needs_no_key(host: str) -> None:
    serve.check_door(host, keyless=True)


def test_an_open_door_is_refused_before_anything_listens(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, server=ServerSettings(host="0.0.0.0", port=0))
    with pytest.raises(ConfigurationError, match="refusing to listen"):
        serve.run(settings, announce=lambda line: pytest.fail(line))
    assemble.open_engine(settings).close()  # the first one let go of the store


def test_an_address_in_use_is_told_plainly(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = settings_in(tmp_path, server=ServerSettings(port=taken.getsockname()[1]))
        with pytest.raises(ConfigurationError, match="AIM_SERVER__PORT"):
            serve.run(settings)


def test_the_posture_is_one_line(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        line = serve.posture(settings, listener, keyless=True)
        assert line.startswith(f"AIM-Memory on http://127.0.0.1:{port} · no keys: loopback only, Host and Origin")
        assert line.endswith(str(settings.home))
        assert "\n" not in line
        assert "keys required" in serve.posture(settings, listener, keyless=False)


def test_a_server_finishes_what_it_began(settings: Settings) -> None:
    asked, announced = threading.Event(), threading.Event()
    loop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def events() -> AsyncGenerator[AnswerEvent, None]:
        release = asyncio.Event()
        loop.append((asyncio.get_running_loop(), release))
        yield AnswerEvent(event="delta", body={"text": "The"})
        asked.set()
        await release.wait()
        yield AnswerEvent(event="done", body={"answer": "The end."})

    engine = StubEngine(events=events)
    app = create_app(settings, engine, OpenDoor())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = serve._Server(app, settings, announced.set)
        running = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        running.start()
        announced.wait()
        body = {"namespace": "a", "query": "how does it end?", "stream": True}
        with httpx2.stream("POST", f"{url}/v1/answer", json=body, trust_env=False) as reply:
            asked.wait()
            server.handle_exit(signal.SIGTERM, None)
            assert app.state.service.draining
            loop[0][0].call_soon_threadsafe(loop[0][1].set)
            assert events_of(reply.read().decode())[-1] == ("done", {"answer": "The end."})
        running.join()
    assert engine.closed


def test_the_process_says_where_it_is_and_ends_well(tmp_path: Path) -> None:
    command = "from aim_memory.api.serve import run; from aim_memory.settings import Settings; run(Settings())"
    environment = {
        **os.environ,
        "AIM_HOME": str(tmp_path),
        "AIM_SERVER__PORT": "0",
        "AIM_EMBEDDER__KIND": "hashing",
    }
    with subprocess.Popen([sys.executable, "-c", command], env=environment, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        line = child.stdout.readline()
        url = re.search(r"http://\S+", line)
        assert url, line
        reply = httpx2.get(f"{url[0]}/health/ready", trust_env=False)
        assert reply.json() == {"status": "ready"}
        assert "server" not in reply.headers
        child.send_signal(signal.SIGTERM)
        rest = child.stdout.read()
    assert (child.returncode, rest) == (0, "")
