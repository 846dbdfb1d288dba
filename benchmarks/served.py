"""A service with a model server of its own, for benchmarks: started, asked how it is, and looked at from outside."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.chats import Place

READY_WITHIN_S = 600.0
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Served:
    """A running ``aimem serve``."""

    url: str
    pid: int

    def status(self) -> dict[str, Any]:
        reply: dict[str, Any] = httpx2.get(f"{self.url}/status", trust_env=False, timeout=30).json()
        return reply

    def until_ready(self) -> None:
        """Returns when its model answers."""
        deadline = time.monotonic() + READY_WITHIN_S
        while self.status()["vllm"]["state"] != "ready":
            if time.monotonic() > deadline:
                raise SystemExit(f"the model was not ready in {READY_WITHIN_S:g} s: {self.status()['vllm']}")
            time.sleep(1)

    def bare(self) -> Place:
        """The model server itself. Its key is in its environment, which its owner may read."""
        state = self.status()["vllm"]
        named = Path(f"/proc/{state['pid']}/environ").read_text(encoding="utf-8").split("\0")
        key = next(one.partition("=")[2] for one in named if one.startswith("VLLM_API_KEY="))
        return Place(f"http://127.0.0.1:{state['port']}/v1", {"Authorization": f"Bearer {key}"})

    def model_pids(self) -> list[int]:
        """Of the model server and all that it has started."""
        found, new = list[int](), [int(self.status()["vllm"]["pid"])]
        while new:
            found += new
            new = [child for pid in new for child in _children(pid)]
        return found


def at_dashes(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our own arguments, and those after "--", which are vLLM's."""
    place = arguments.index("--") if "--" in arguments else len(arguments)
    return list(arguments[:place]), list(arguments[place + 1 :])


def cpu_s(pids: Sequence[int]) -> float:
    """Seconds of processor time that processes have used so far."""
    return sum(sum(map(int, _stat(pid)[11:13])) for pid in pids) / _TICKS


def resident_mib(pid: int) -> float:
    return int(_stat(pid)[21]) * _PAGE / 2**20


def handles(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()


def _children(pid: int) -> Iterator[int]:
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        yield from map(int, thread.read_text(encoding="ascii").split())


@contextmanager
def serving(home: Path, *arguments: str, **settings: str) -> Iterator[Served]:
    """``aimem serve`` on a free port, with these arguments and settings, until the end of the block."""
    command = [sys.executable, "-m", "aim_memory.cli.main", "serve", "--home", str(home), "--port", "0", *arguments]
    patience = {"AIM_SERVER__WRITE_TIMEOUT_S": "120", "AIM_SERVER__QUERY_TIMEOUT_S": "60"}  # while models are loaded
    env = {**os.environ, **patience, **settings}
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        try:
            said = next((line for line in child.stderr if "AIM-Memory on" in line), None)
            if said is None:
                raise SystemExit("the service did not start")
            found = re.search(r"http://\S+", said)
            assert found is not None
            yield Served(found[0], child.pid)
        finally:
            child.send_signal(signal.SIGTERM)
            child.communicate(timeout=60)
