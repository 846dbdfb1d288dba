"""What is installed: which version, and which extra brings what is not.

A missing library becomes an error that names the command to install it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aim_memory.errors import MissingExtraError


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Around imports of optional libraries. Raises MissingExtraError instead of ModuleNotFoundError."""
    try:
        yield
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package in {"", "aim_memory"}:
            raise
        raise MissingExtraError(extra, package) from missing


def installed_version() -> str:
    """Of AIM-Memory; "0+source" when it runs from a source tree that was never installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("aim-memory")
    except PackageNotFoundError:
        return "0+source"
