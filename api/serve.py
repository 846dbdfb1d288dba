"""Runs the server: refuses an open door, says in one line where it stands, and stops without dropping anything."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from aim_memory import assemble
from aim_memory.api import logs
from aim_memory.api.app import create_app
from aim_memory.api.auth import is_loopback
from aim_memory.engine import MemoryEngine
from aim_memory.errors import ConfigurationError
from aim_memory.settings import Settings

SWITCH_S = 0.0005
"""For how long a thread may keep the interpreter from others. The event loop asks for it back at every token that it
passes on; at Python's own 5 ms it waits ten times as long for each while questions are looked up on other threads."""


def run(settings: Settings, announce: Callable[[str], None] | None = None) -> None:
    """Serves until SIGTERM or SIGINT. ``announce`` gets the posture line once requests are taken, and what happens to
    a model server of ours.

    Raises ConfigurationError when the address is taken, or reaches beyond this machine while there is no key, or when
    a model server is wanted that could never run.
    """
    tell = announce or _print
    engine = assemble.open_engine(settings, ready=True, at_once=assemble.AT_ONCE)
    try:
        keyring = assemble.open_keyring(settings, engine)
        open_door = keyring.empty()
        check_door(settings.server.host, open_door)
        listener = _listen(settings.server.host, settings.server.port)
    except BaseException:
        engine.close()
        raise
    app = create_app(settings, engine, keyring)
    logs.install(settings.log)
    sys.setswitchinterval(SWITCH_S)
    with listener:
        _start(engine, tell)
        line = posture(settings, listener, open_door)
        _Server(app, settings, lambda: tell(line)).run(sockets=[listener])


def _start(engine: MemoryEngine, tell: Callable[[str], None]) -> None:
    try:
        engine.start(tell)
    except ConfigurationError:
        engine.close()
        raise


def check_door(host: str, keyless: bool) -> None:
    """Raises ConfigurationError for a server that anybody could reach and nobody has to prove anything to."""
    if keyless and not is_loopback(host):
        raise ConfigurationError(
            f"refusing to listen on {host} without API keys: anybody who reaches it could read and erase memories. "
            "Make a key first (aimem keys create NAME), or listen on 127.0.0.1."
        )


def posture(settings: Settings, listener: socket.socket, keyless: bool) -> str:
    """One line: where, who may come in, where what is remembered lies."""
    host, port = listener.getsockname()[:2]
    where = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    door = "no keys: loopback only, Host and Origin checked" if keyless else "keys required"
    home = str(settings.home).replace(str(Path.home()), "~", 1)
    return f"AIM-Memory on {where} · {door} · memories in {home}"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host.strip("[]"), port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host}:{port}: {error.strerror}. Stop what uses it, or choose another with "
            "AIM_SERVER__HOST and AIM_SERVER__PORT (port 0 finds a free one)."
        ) from error


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class _Server(uvicorn.Server):
    """uvicorn that announces itself, is unready from the first signal on, and exits cleanly after a drain."""

    def __init__(self, app: FastAPI, settings: Settings, announce: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="on",
            timeout_graceful_shutdown=round(settings.server.drain_timeout_s),
        )
        super().__init__(config)
        self._app = app
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Not uvicorn's own: that raises the signal again after the drain, and a clean stop would look like a crash.
        self._app.state.service.draining = True
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True
