"""Claude's data export: ``conversations.json`` with the messages of each conversation in order, ``memories.json``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aim_memory.importers.turns import Found, Record, Turn, fields, left_out, listed, refused, titled

FILES = re.compile(r"(?:conversations|memories)\.json")
LISTS = ("conversations",)
ROLES = {"human": "user", "user": "user", "assistant": "assistant"}
NOT_SAID = {
    "thinking": "reasoning",
    "tool_use": "a call of a tool",
    "tool_result": "output of a tool",
    "token_budget": "an inner note",
    "flag": "an inner note",
}


def found(records: Iterable[Record]) -> Iterator[Found]:
    for number, (_, record) in enumerate(records, 1):
        if isinstance(record.get("chat_messages"), list):
            for index, message in enumerate(record["chat_messages"], 1):
                yield from _message(record, index, message)
        elif "conversations_memory" in record or "project_memories" in record:
            yield from _memories(record)
        else:
            title = titled("conversation", record.get("name") or number)
            yield refused("a conversation without messages: it has no 'chat_messages'", title)


def _message(conversation: Mapping[str, Any], index: int, message: Any) -> Iterator[Found]:
    whole, title = str(conversation.get("uuid") or ""), conversation.get("name")
    place = f"{titled('conversation', title or whole)}, message {index}"
    if not isinstance(message, Mapping) or str(message.get("sender")) not in ROLES:
        yield refused("no message: it has no 'sender' that is human or assistant", place)
        return
    about = {"conversation": whole} | ({"title": title} if title else {})
    said = Turn(
        place=place,
        id=f"claude:{whole}:{message.get('uuid') or index}",
        text=_text(message),
        role=ROLES[message["sender"]],
        at=message.get("created_at") or conversation.get("created_at"),
        session=whole or None,
        metadata={"claude": about},
    )
    if said.text.strip():
        yield said
    yield from _blocks(message, place, said.text)
    yield from _attachments(message, said, about)


def _text(message: Mapping[str, Any]) -> str:
    texts = [
        block["text"]
        for block in listed(message.get("content"))
        if isinstance(block, Mapping) and block.get("type", "text") == "text" and isinstance(block.get("text"), str)
    ]
    alone = message.get("text")
    return "\n\n".join(text for text in texts if text.strip()) or (alone if isinstance(alone, str) else "")


def _blocks(message: Mapping[str, Any], place: str, text: str) -> Iterator[Found]:
    kinds = [str(fields(block).get("type", "text")) for block in listed(message.get("content"))]
    for kind in kinds:
        if kind != "text":
            yield left_out(NOT_SAID.get(kind, f"content of the kind {kind}"), place)
    files = [*listed(message.get("files")), *listed(message.get("attachments"))]
    if not text.strip() and not files and not set(kinds) - {"text"}:
        yield left_out("empty", place)


def _attachments(message: Mapping[str, Any], said: Turn, about: Mapping[str, Any]) -> Iterator[Found]:
    """The words of attached documents, which the export holds; pictures it does not."""
    for number, file in enumerate(listed(message.get("attachments")), 1):
        words = fields(file).get("extracted_content")
        if isinstance(words, str) and words.strip():
            yield Turn(
                place=f"{said.place}, attachment {number}",
                id=f"{said.id}:attachment{number}",
                text=words,
                role=said.role,
                at=said.at,
                session=said.session,
                metadata={"claude": {**about, "file": str(file.get("file_name") or "")}},
            )
        else:
            yield left_out("a picture or file without words", said.place)
    for _ in listed(message.get("files")):
        yield left_out("a picture or file without words", said.place)


def _memories(record: Mapping[str, Any]) -> Iterator[Found]:
    """What Claude itself noted of all conversations, and of each project."""
    notes = {"": record.get("conversations_memory"), **fields(record.get("project_memories"))}
    for project, note in notes.items():
        if isinstance(note, str) and note.strip():
            about = {"memory": project or "conversations"}
            yield Turn(titled("memory", project or "conversations"), f"claude:memory:{project}", note,
                       role="assistant", metadata={"claude": about})  # fmt: skip
