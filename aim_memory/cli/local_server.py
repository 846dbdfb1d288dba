"""A server of one's own on this machine, for as long as a command needs it."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from aim_memory.client import Client
from aim_memory.errors import ConfigurationError

READY_WITHIN_S = 120.0
LOOK_EVERY_S = 0.1
STOP_WITHIN_S = 35.0
_ADDRESS = re.compile(rb"AIM-Memory on (http://\S+)")


class LocalServer:
    """``aimem serve`` as a child process on loopback; its own words go to ``server.log`` in the data folder."""

    def __init__(self, home: Path, port: int = 0) -> None:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.home = home
        self.url = ""
        self.log = home / "server.log"
        command = [sys.executable, "-m", "aim_memory.cli.main", "serve", "--home", str(home)]
        with self.log.open("wb") as log:
            self._child = subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--port", str(port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the command, which then stops the server in order
            )

    def wait_until_ready(self) -> None:
        """Returns when the server takes requests. Raises ConfigurationError when it cannot start."""
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            if found := _ADDRESS.search(self.log.read_bytes()):
                self.url = found[1].decode()
                return
            if self._child.poll() is not None:
                break
            time.sleep(LOOK_EVERY_S)
        said = self.log.read_text(encoding="utf-8", errors="replace").strip()
        raise ConfigurationError(f"The service did not start. It said:\n{said or 'nothing'}\nTry: aimem doctor")

    def client(self) -> Client:
        return Client(self.url)

    def wait(self) -> None:
        """Returns when the server has ended by itself."""
        self._child.wait()

    def stop(self) -> None:
        """Ends the server, giving it time to finish what it has begun."""
        self._child.terminate()
        try:
            self._child.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
