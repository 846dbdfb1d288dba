"""OpenAPI links: what the reply to one operation lets a caller do next."""

from __future__ import annotations

from typing import Any

_WRITTEN = {"memory_id": "$response.body#/results/0/id", "namespace": "$request.body#/namespace"}
_TALKED = {"session_id": "$request.body#/session_id", "namespace": "$request.body#/namespace"}
_NAMESPACE = {"namespace": "$request.body#/namespace"}
_STARTED = {"job_id": "$response.body#/id"}

LINKS: dict[str, dict[str, dict[str, str]]] = {
    "write_memories": {
        **dict.fromkeys(("get_memory", "update_memory", "delete_memory", "get_history", "get_evidence"), _WRITTEN),
        **dict.fromkeys(
            ("list_memories", "list_sessions", "erase_namespace", "admin_stats", "admin_export"), _NAMESPACE
        ),
    },
    "query": dict.fromkeys(("get_session", "reset_session"), _TALKED),
    "answer": dict.fromkeys(("get_session", "reset_session"), _TALKED),
    "admin_reindex": dict.fromkeys(("admin_job", "admin_cancel_job"), _STARTED),
    "admin_create_key": {"admin_revoke_key": {"key_id": "$response.body#/id"}},
}
"""By operation: the operations that may follow, and from where each takes its parameters."""


def link(operation: dict[str, Any]) -> None:
    """Puts its links into the reply of an operation that has any."""
    following = LINKS.get(operation["operationId"])
    if following is not None:
        operation["responses"]["200"]["links"] = {
            name: {"operationId": name, "parameters": parameters} for name, parameters in following.items()
        }
