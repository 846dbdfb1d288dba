"""ChatGPT's data export: ``conversations.json``, each conversation a tree of messages, in which one branch is shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aim_memory.importers.turns import Found, Record, Turn, fields, left_out, listed, refused, titled

FILES = re.compile(r"conversations(?:-\d+)?\.json")
LISTS = ("conversations",)
NOT_SAID = {
    "code": "a call of a tool",
    "execution_output": "output of a tool",
    "model_editable_context": "the model's own notes",
    "reasoning_recap": "reasoning",
    "sonic_webpage": "output of a tool",
    "system_error": "an error message",
    "tether_browsing_code": "a call of a tool",
    "tether_browsing_display": "output of a tool",
    "tether_quote": "output of a tool",
    "thoughts": "reasoning",
    "user_editable_context": "custom instructions",
}


def found(records: Iterable[Record]) -> Iterator[Found]:
    for number, (_, conversation) in enumerate(records, 1):
        if isinstance(conversation.get("mapping"), Mapping):
            yield from _messages(conversation)
        else:
            title = titled("conversation", conversation.get("title") or number)
            yield refused("a conversation without messages: it has no 'mapping'", title)


def _messages(conversation: Mapping[str, Any]) -> Iterator[Found]:
    nodes = {id: node for id, node in conversation["mapping"].items() if isinstance(node, Mapping)}
    shown = set(_upwards(nodes, conversation.get("current_node")))
    for id in _in_order(nodes):
        message = nodes[id].get("message")
        if isinstance(message, Mapping):
            yield _turn(conversation, str(message.get("id") or id), message, not shown or id in shown)


def _upwards(nodes: Mapping[str, Any], leaf: Any) -> Iterator[str]:
    seen: set[str] = set()
    while isinstance(leaf, str) and leaf in nodes and leaf not in seen:
        seen.add(leaf)
        yield leaf
        leaf = nodes[leaf].get("parent")


def _in_order(nodes: Mapping[str, Any]) -> list[str]:
    """Every node once, parents before children; those that no root leads to come last."""
    order: dict[str, None] = {}
    roots = [id for id, node in nodes.items() if str(node.get("parent")) not in nodes]
    waiting = [*reversed([*roots, *(id for id in nodes if id not in roots)])]
    while waiting:
        id = waiting.pop()
        if id in order:
            continue
        order[id] = None
        waiting += [child for child in map(str, reversed(listed(nodes[id].get("children")))) if child in nodes]
    return list(order)


def _turn(conversation: Mapping[str, Any], id: str, message: Mapping[str, Any], shown: bool) -> Found:
    whole, title = str(conversation.get("conversation_id") or conversation.get("id") or ""), conversation.get("title")
    place = f"{titled('conversation', title or whole)}, message {id}"
    role = str(fields(message.get("author")).get("role") or "")
    content = fields(message.get("content"))
    if reason := _not_said(role, message, content):
        return left_out(reason, place)
    about = {"conversation": whole, "title": title} | ({} if shown else {"branch": "replaced"})
    return Turn(
        place=place,
        id=f"chatgpt:{whole}:{id}",
        text=_text(content),
        role=role,
        at=message.get("create_time") or conversation.get("create_time"),
        session=whole or None,
        metadata={"chatgpt": {name: value for name, value in about.items() if value}},
    )


def _not_said(role: str, message: Mapping[str, Any], content: Mapping[str, Any]) -> str | None:
    """Why a message is none that a person or the model said to the other."""
    kind = content.get("content_type")
    if role not in ("user", "assistant"):
        return {"system": "a system message", "tool": "output of a tool"}.get(role, "a message of nobody")
    if isinstance(kind, str) and kind in NOT_SAID:
        return NOT_SAID[kind]
    if fields(message.get("metadata")).get("is_visually_hidden_from_conversation"):
        return "a hidden message"
    if message.get("recipient") not in (None, "all"):
        return "a call of a tool"
    if not _text(content).strip():
        return "a picture or file without words" if kind == "multimodal_text" else "empty"
    return None


def _text(content: Mapping[str, Any]) -> str:
    parts = content.get("parts")
    found = parts if isinstance(parts, list) else [content.get("text")]
    words = [part.get("text") if isinstance(part, Mapping) else part for part in found]
    return "\n".join(word for word in words if isinstance(word, str) and word)
