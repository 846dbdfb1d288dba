"""One run of ``vllm serve``: started on its leash, looked at, stopped. Nothing of it outlives this process."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from aim_memory.errors import ConfigurationError

LEASH = Path(__file__).with_name("vllm_leash.py")
SWEEP_S = 5.0
"""What the leash may take, after the program's own time to stop, to clear up."""
HOST = "127.0.0.1"
PORTS = range(18_000, 30_000)
"""Below those that outgoing connections are given."""


class Child:
    """The program, its leash and its log.

    Args:
        command: Program and arguments.
        environment: Its whole environment.
        log: Where its words go.
        log_bytes: How long the log may grow.
        stop_timeout_s: How long it may take to stop before it is killed.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        log_bytes: int,
        stop_timeout_s: float,
    ) -> None:
        self._stop_timeout_s = stop_timeout_s
        leash = [sys.executable, "-I", "-S", str(LEASH), str(log), str(log_bytes), str(stop_timeout_s)]
        self._leash = subprocess.Popen(
            [*leash, *command],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us, who then stop it in order
        )
        assert self._leash.stdout is not None
        said = self._leash.stdout.readline()
        self.pid = int(said) if said else None
        """Of the program; None when it could not be run at all."""

    def exit_code(self) -> int | None:
        """None while it runs; 128 + n for signal n."""
        code = self._leash.poll()
        if code is None:
            return None
        self._release()
        return code if code >= 0 else 128 - code

    def stop(self, *, at_once: bool) -> None:
        """Lets go of the leash and returns when nothing is left. At once: it is killed, and not asked."""
        if self.exit_code() is not None:
            return
        assert self._leash.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            if at_once:
                self._leash.stdin.write(b"!")
            self._leash.stdin.close()
        try:
            self._leash.wait(self._stop_timeout_s + SWEEP_S)
        except subprocess.TimeoutExpired:
            self._leash.kill()
            self._leash.wait()
        self._release()

    def _release(self) -> None:
        """Closes what we hold, and kills what a leash that was itself killed has left."""
        for pipe in (self._leash.stdin, self._leash.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        if self.pid is not None and self._leash.returncode < 0:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)


def free_port(start: int) -> int:
    """The first port of ``PORTS``, from its ``start``-th on and round, that nobody listens on.

    Raises ConfigurationError.
    """
    free = (port for step in range(len(PORTS)) if is_free(port := PORTS[(start + step) % len(PORTS)]))
    if (found := next(free, None)) is None:
        raise ConfigurationError(f"no port of {HOST} from {PORTS.start} to {PORTS.stop} is free for the model server.")
    return found


def is_free(port: int) -> bool:
    """Whether nobody listens on a port of loopback."""
    try:
        socket.create_server((HOST, port)).close()
    except OSError:
        return False
    return True
