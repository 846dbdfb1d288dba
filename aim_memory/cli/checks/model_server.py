"""What ``aimem doctor`` looks at when a model server of ours is to answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from aim_memory.cli.checks.findings import Finding
from aim_memory.errors import ConfigurationError
from aim_memory.extras import needs

if TYPE_CHECKING:
    from aim_memory.llm.vllm import ModelServer
    from aim_memory.llm.vllm_environment import VllmEnvironment
    from aim_memory.settings import Settings

INSTALL = "aimem model install"
OWN_BYTES = 3 << 30
"""What vLLM's processes take on a CPU beside the model's weights, the smallest useful cache of 1 GiB included."""
WEIGHTS = ("*.safetensors", "*.bin", "*.gguf")


def model_server_findings(settings: Settings) -> Iterator[Finding]:
    """Whether 'aimem serve' could run the model of the settings, one question at a time."""
    with needs("embedded"):
        from aim_memory.assemble import open_model_server
    try:
        server = open_model_server(settings)
    except ConfigurationError as failure:
        yield Finding("model", "failed", failure.message, "aimem serve --model NAME_OR_PATH, or AIM_GENERATOR__MODEL.")
        return
    if server is None:
        return
    yield _vllm(server.environment)
    yield _model(server)
    yield _model_port(server)
    if server.environment.on_cpu:
        yield _memory(server.model)
    server.close()


def _vllm(environment: VllmEnvironment) -> Finding:
    if not environment.program.is_file():
        fix = f"aimem model install --path {environment.folder}, or name another with AIM_VLLM__ENVIRONMENT."
        return Finding("vllm", "failed", f"there is none in {environment.folder}", fix)
    versions = ", ".join(f"{name} {version}" for name, version in environment.versions().items())
    if not environment.tried():
        fix = f"It may well run, but it was not tried. The tried version comes with: {INSTALL}"
        return Finding("vllm", "warning", f"{versions or 'of no known version'} in {environment.folder}", fix)
    return Finding("vllm", "ok", f"{versions} in {environment.folder}")


def _model(server: ModelServer) -> Finding:
    if trouble := server.model_trouble():
        fix = "Look at AIM_GENERATOR__MODEL; to try without a model of your own: aimem model tiny PATH."
        return Finding("model", "failed", trouble, fix)
    here = Path(server.model).expanduser().is_dir()
    where = "a folder here" if here else "by its name on the hub: loaded at the first start"
    return Finding("model", "ok", f"{server.model}, {where}")


def _model_port(server: ModelServer) -> Finding:
    if trouble := server.port_trouble():
        return Finding(
            "model port", "warning", trouble, "Stop what uses it, or set AIM_VLLM__PORT=0: a free one is found."
        )
    return Finding("model port", "ok", "free")


def _memory(model: str) -> Finding:
    """Of the CPU build; a GPU's memory is vLLM's own to count."""
    free, weights = free_memory(), _weights(Path(model).expanduser())
    if free is None:
        return Finding("memory", "ok", "not counted on this system")
    needed = weights + OWN_BYTES
    found = f"{free / 2**30:.1f} GiB free, {needed / 2**30:.1f} wanted: {weights / 2**30:.1f} of weights and vLLM's own"
    if free < needed:
        fix = "Take a smaller or quantised model, or end something else; the cache's share is --kv-cache-memory-bytes."
        return Finding("memory", "warning", found, fix)
    return Finding("memory", "ok", found)


def _weights(folder: Path) -> int:
    return sum(file.stat().st_size for pattern in WEIGHTS for file in folder.glob(pattern)) if folder.is_dir() else 0


def free_memory(report: Path = Path("/proc/meminfo")) -> int | None:
    """Bytes that could be had without swapping; None where the system does not say."""
    try:
        lines = dict(line.split(":", 1) for line in report.read_text(encoding="ascii").splitlines())
        return int(lines["MemAvailable"].split()[0]) << 10
    except (OSError, KeyError, ValueError):
        return None
