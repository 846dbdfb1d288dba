"""A real vLLM behind a real server, once for all tests of this folder; they run in the order of their file."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from tests.model_server import alive, until
from tests.vllm.transcript import Transcript

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 600.0
OPTIONS = ("--enforce-eager", "--kv-cache-memory-bytes", str(1 << 30))
SHOWN_URL = "http://127.0.0.1:8765"


class Served:
    """``aimem serve`` as a child; ``lines`` holds what it said."""

    def __init__(self, home: Path, *arguments: str, **settings: str) -> None:
        self.home = home
        self.lines: list[str] = []
        command = [sys.executable, "-m", "aim_memory.cli.main", "serve", "--home", str(home), "--port", "0", *arguments]
        # Two models load at once on a machine that may have other work.
        patience = {"AIM_SERVER__WRITE_TIMEOUT_S": "90", "AIM_SERVER__QUERY_TIMEOUT_S": "90"}
        self.child = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **patience, **settings}, stderr=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.url = until(lambda: self._found(r"AIM-Memory on (\S+)"), 120)
        self.http = httpx2.Client(base_url=self.url, timeout=120, trust_env=False)
        self.openai = openai.OpenAI(base_url=f"{self.url}/v1", api_key="none", max_retries=0, timeout=120)

    def status(self) -> dict[str, Any]:
        state: dict[str, Any] = self.http.get("/status").json()["vllm"]
        return state

    def until_ready(self) -> None:
        until(lambda: self.status()["state"] == "ready", READY_WITHIN_S)

    def descendants(self) -> set[int]:
        """All that runs because of it."""
        found, new = set[int](), {self.child.pid}
        while new:
            found |= new
            new = {pid for parent in new for pid in _children(parent)} - found
        return found - {self.child.pid}

    def stop(self) -> int:
        self.child.send_signal(signal.SIGTERM)
        code = self.child.wait(60)
        self.close()
        return code

    def close(self) -> None:
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        self._reader.join()
        if self.child.stderr is not None:
            self.child.stderr.close()
        self.http.close()
        self.openai.close()

    def _read(self) -> None:
        assert self.child.stderr is not None
        for line in self.child.stderr:
            self.lines.append(line.rstrip())

    def _found(self, pattern: str) -> str | None:
        assert self.child.poll() is None, "\n".join(self.lines)
        found = re.search(pattern, "\n".join(self.lines))
        return found[1] if found else None


def _children(pid: int) -> Iterator[int]:
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            yield from map(int, thread.read_text().split())


def aimem(*arguments: str) -> str:
    """Runs a command; gives all it said. It must end well."""
    command = [sys.executable, "-m", "aim_memory.cli.main", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=1800
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="session")
def transcript(request: pytest.FixtureRequest) -> Iterator[Transcript]:
    """Written at the end, if nothing failed."""
    kept = Transcript()
    yield kept
    if not request.session.testsfailed:
        kept.write(f"{os.cpu_count()} CPU cores")


@pytest.fixture(scope="session")
def environment() -> Path:
    """Where vLLM is installed, now or from an earlier run."""
    return Path(os.environ.get("AIM_VLLM__ENVIRONMENT") or ROOT / ".venv-vllm")


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model's folder, not made yet."""
    return tmp_path_factory.mktemp("model") / "tiny"


@pytest.fixture(scope="session")
def served(
    tmp_path_factory: pytest.TempPathFactory, environment: Path, model: Path, transcript: Transcript
) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("home")
    server = Served(home, "--model", str(model), "--", *OPTIONS, AIM_VLLM__ENVIRONMENT=str(environment))
    transcript.hide(server.url, SHOWN_URL)
    transcript.hide(str(home), "~/.aim-memory")
    yield server
    running = server.descendants()
    server.close()
    until(lambda: not [pid for pid in running if alive(pid)])


def shown(*arguments: str) -> str:
    return shlex.join(["aimem", *arguments])
