"""Failures as mem0's clients read them: ``{"detail": …}``, and 400 where we say 422."""

from __future__ import annotations

from typing import Any

PREFIX = "/mem0/"


def spoken_at(path: str) -> bool:
    """Whether a path is one of mem0's."""
    return path.startswith(PREFIX)


def status_of(status: int) -> int:
    return 400 if status == 422 else status


def error_of(problem: dict[str, Any]) -> dict[str, Any]:
    """The fields of one of our problems as mem0's, with ours beside them."""
    named = ("detail", "code", "field", "request_id")
    return {name: problem[name] for name in named if problem.get(name) is not None}
