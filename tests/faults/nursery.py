"""Servers that are forked from a process that has imported everything: a start takes a tenth of the time.

They are processes of their own, killed and started again like any other; but a thousand kills are not mostly imports.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO


class Forked:
    """What a test needs of a process that is not its own child."""

    def __init__(self, pid: int, stderr: IO[str]) -> None:
        self.pid = pid
        self.stderr = stderr

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def wait(self) -> None:
        """Returns when it is gone."""
        while Path(f"/proc/{self.pid}").exists():
            time.sleep(0.01)

    def kill(self) -> None:
        try:
            self.send_signal(signal.SIGKILL)
        except ProcessLookupError:
            return


class Nursery:
    """Forks servers. Thread-safe."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.faults.nursery"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._lock = threading.Lock()

    @contextmanager
    def start(self, arguments: list[str], environment: Mapping[str, str]) -> Iterator[Forked]:
        """A server as ``aimem`` starts one with these arguments; killed at the end."""
        with tempfile.TemporaryDirectory() as folder:
            pipe = str(Path(folder, "stderr"))
            os.mkfifo(pipe)
            pid = self._ask({"arguments": arguments, "environment": dict(environment), "stderr": pipe})
            with Path(pipe).open(encoding="utf-8") as stderr:
                forked = Forked(pid, stderr)
                try:
                    yield forked
                finally:
                    forked.kill()

    def _ask(self, wanted: Mapping[str, object]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(wanted) + "\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


def _serve(wanted: Mapping[str, object]) -> None:
    from aim_memory.cli.main import main

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    stderr = os.open(str(wanted["stderr"]), os.O_WRONLY)
    os.dup2(stderr, 2)
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(2, 1)  # what is said on stdout is no answer of the nursery's
    os.environ.update(wanted["environment"])  # type: ignore[call-overload]
    sys.argv = ["aimem", *wanted["arguments"]]  # type: ignore[misc]
    main()


def _main() -> None:
    import httptools  # noqa: F401
    import psycopg  # noqa: F401
    import uvloop  # noqa: F401

    import aim_memory.api.mcp
    import aim_memory.api.serve
    import aim_memory.cli.commands
    import aim_memory.cli.serving
    import aim_memory.llm.hashing
    import aim_memory.mirror
    import aim_memory.storage.migrate  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _serve(json.loads(line))
            os._exit(0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _main()
