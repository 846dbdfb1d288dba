"""Letta's agent files (``.af``), of several agents or, as they first were, of one: messages and memory blocks."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aim_memory.importers.turns import Found, Record, Turn, fields, left_out, listed, owner, refused, titled

FILES = re.compile(r".*\.(?:af|json)")
LISTS = ("agents", "blocks")
OTHER = ("tools", "sources", "files", "groups", "mcp_servers", "skills")
SPEAK = "send_message"
"""The tool by which agents of the first kind (``memgpt``) say something; their other words are thoughts."""


def found(records: Iterable[Record]) -> Iterator[Found]:
    blocks: list[Mapping[str, Any]] = []
    holders: defaultdict[str, list[str]] = defaultdict(list)
    for place, record in records:
        if place == "agents":
            for id in listed(record.get("block_ids")):
                holders[str(id)].append(_namespace(record))
            yield from _messages(record)
        elif place == "blocks":
            blocks.append(record)  # whose they are may be said later
        elif "messages" in record or "core_memory" in record:
            yield from _messages(record)
            yield from (
                _block(one, _namespace(record), index) for index, one in enumerate(listed(record.get("core_memory")))
            )
        elif "agents" not in record:
            yield refused("no agent file: it has neither 'agents' nor 'messages'")
        yield from _others(record if place == "" else {})
    for index, block in enumerate(blocks):
        for namespace in holders[str(block.get("id"))] or ["agent/shared"]:
            yield _block(block, namespace, index)


def _others(record: Mapping[str, Any]) -> Iterator[Found]:
    for name in OTHER:
        for _ in listed(record.get(name)):
            yield left_out(f"{name.removesuffix('s').replace('_', ' ')}: no memory")


def _namespace(agent: Mapping[str, Any]) -> str:
    return owner("agent", agent.get("name") or agent.get("id") or "unnamed")


def _block(block: Any, namespace: str, index: int) -> Found:
    """A block of core memory: always in sight there, pinned here."""
    if not isinstance(block, Mapping):
        return refused("no object", f"block {index + 1}")
    label = str(block.get("label") or index)
    if not str(block.get("value") or "").strip():
        return left_out("an empty memory block", titled("block", label))
    return Turn(
        place=titled("block", label),
        id=f"letta:{namespace}:block:{block.get('id') or label}",
        text=str(block["value"]),
        namespace=namespace,
        at=block.get("created_at"),
        metadata={"letta": {"block": label}},
        pinned=True,
    )


def _messages(agent: Mapping[str, Any]) -> Iterator[Found]:
    namespace = _namespace(agent)
    for index, message in enumerate(listed(agent.get("messages"))):
        place = f"{titled('agent', agent.get('name'))}, message {index + 1}"
        if isinstance(message, Mapping):
            yield _message(agent, message, namespace, index, place)
        else:
            yield refused("no object", place)


def _message(agent: Mapping[str, Any], message: Mapping[str, Any], namespace: str, index: int, place: str) -> Found:
    role = str(message.get("role"))
    if role not in ("user", "assistant"):
        reasons = {"system": "a system message", "tool": "output of a tool", "approval": "an approval of a tool"}
        return left_out(reasons.get(role, f"a message of the role {role}"), place)
    text = _asked(message) if role == "user" else _answered(message, str(agent.get("agent_type")))
    if text.startswith(_EVENT):
        return left_out(text.removeprefix(_EVENT), place)
    return Turn(
        place=place,
        id=f"letta:{namespace}:{message.get('id') or index}",
        text=text,
        namespace=namespace,
        role=role,
        speaker=message.get("name") or (agent.get("name") if role == "assistant" else None),
        at=message.get("created_at"),
        session=f"letta:{namespace}",
        metadata={"letta": {"message": message.get("id")}} if message.get("id") else {},
    )


_EVENT = "\x00"
"""Before a reason instead of words."""


def _asked(message: Mapping[str, Any]) -> str:
    """What the user said: agents of the first kind get it inside a JSON object, with events beside it."""
    text = _text(message)
    try:
        packed = json.loads(text) if text.lstrip().startswith("{") else None
    except (ValueError, RecursionError):
        return text
    if not isinstance(packed, dict) or "type" not in packed:
        return text
    if packed["type"] == "user_message" and isinstance(packed.get("message"), str):
        return str(packed["message"])
    return f"{_EVENT}an event of the program: {packed['type']}"


def _answered(message: Mapping[str, Any], kind: str) -> str:
    """What the agent said: by a tool if it is of the first kind, else in its words, beside which it may call tools."""
    calls = [fields(fields(call).get("function")) for call in listed(message.get("tool_calls"))]
    spoken = [_argument(call) for call in calls if call.get("name") == SPEAK]
    if spoken:
        return "\n".join(spoken)
    if calls and not (kind.startswith("letta_v1") and _text(message).strip()):
        return f"{_EVENT}a call of a tool"
    return _text(message) or f"{_EVENT}{'reasoning' if message.get('content') else 'empty'}"


def _argument(call: Mapping[str, Any]) -> str:
    try:
        given = json.loads(str(call.get("arguments") or "{}"))
    except ValueError:
        return str(call.get("arguments"))
    return str(given.get("message") or "") if isinstance(given, dict) else ""


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content", message.get("text"))
    if isinstance(content, str):
        return content
    texts = [part.get("text") for part in map(fields, listed(content)) if part.get("type", "text") == "text"]
    return "\n".join(text for text in texts if isinstance(text, str))
