"""Failures in the shape that OpenAI's clients read, on the routes that are OpenAI's."""

from __future__ import annotations

from typing import Any

PATHS = ("/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/models")
_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    405: "invalid_request_error",
    413: "invalid_request_error",
    415: "invalid_request_error",
    429: "rate_limit_error",
}
"""OpenAI's word for what went wrong, by status; all others are ``api_error``."""


def spoken_at(path: str) -> bool:
    """Whether a path is one of OpenAI's."""
    return path in PATHS or path.startswith("/v1/models/")


def status_of(status: int) -> int:
    """OpenAI says 400 where we say 422."""
    return 400 if status == 422 else status


def error_of(problem: dict[str, Any]) -> dict[str, Any]:
    """The fields of one of our problems as ``{"error": {message, type, param, code, request_id}}``."""
    return {
        "error": {
            "message": problem["detail"],
            "type": _KINDS.get(status_of(problem["status"]), "api_error"),
            "param": problem.get("field"),
            "code": problem["code"],
            "request_id": problem.get("request_id"),
        }
    }
