"""Exports of other programs in their own shapes, made up here: each with sixty turns worth keeping, and with what an
export holds besides, broken parts included."""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

KEPT = 60
START = datetime(2025, 5, 1, 9, 0, tzinfo=UTC)
Json = Any


def at(number: int) -> datetime:
    return START + timedelta(minutes=number)


def words(number: int) -> str:
    told = (
        "My dentist is Dr. Okafor",
        "The launch moved to 14 May",
        "发布会的预算是三万欧元",
        "Rent is 1,250 euros",
        "😀 café",
    )
    return f"{told[number % len(told)]} (number {number})."


# --- ChatGPT -------------------------------------------------------------------------------------------------------


def _node(id: str, parent: str | None, children: list[str], message: Json) -> Json:
    return {"id": id, "parent": parent, "children": children, "message": message}


def _said(id: str, role: str, content: Json, number: int, **more: Json) -> Json:
    return {
        "id": id, "author": {"role": role, "name": None, "metadata": {}}, "create_time": at(number).timestamp(),
        "update_time": None, "content": content, "status": "finished_successfully", "end_turn": True, "weight": 1.0,
        "metadata": {"model_slug": "gpt-4o"}, "recipient": "all", "channel": None, **more,
    }  # fmt: skip


def _text(number: int) -> Json:
    return {"content_type": "text", "parts": [words(number)]}


def chatgpt_conversation(number: int, turns: int = 20) -> Json:
    """A chain of turns from a root and an empty system message; the second turn was asked again in other words."""
    name = f"{number:08}-aaaa-4bbb-8ccc-123456789012"
    ids = [f"m{number}-{index}" for index in range(turns)]
    mapping = {
        "root": _node("root", None, ["sys"], None),
        "sys": _node("sys", "root", [ids[0]], _said("sys", "system", {"content_type": "text", "parts": [""]}, 0)),
    }
    for index, id in enumerate(ids):
        role = "user" if index % 2 == 0 else "assistant"
        following = [ids[index + 1]] if index + 1 < turns else []
        said = _said(id, role, _text(number * turns + index), number * turns + index)
        mapping[id] = _node(id, ids[index - 1] if index else "sys", following, said)
    return {
        "title": f"Trip {number}", "create_time": at(0).timestamp(), "update_time": at(999).timestamp(),
        "mapping": mapping, "moderation_results": [], "current_node": ids[-1], "conversation_id": name, "id": name,
        "is_archived": False, "default_model_slug": "gpt-4o",
    }  # fmt: skip


def chatgpt() -> Json:
    """Three conversations with sixty turns; in the first is also what is no turn, in the last a replaced branch."""
    first, second, third = (chatgpt_conversation(number) for number in range(3))
    inner = {
        "thought": _said("thought", "assistant", {"content_type": "thoughts", "thoughts": []}, 1),
        "call": _said("call", "assistant", {"content_type": "code", "language": "python", "text": "1+1"}, 1),
        "tool": _said("tool", "tool", {"content_type": "execution_output", "text": "2"}, 1),
        "asks": _said("asks", "assistant", {"content_type": "text", "parts": ["{}"]}, 1, recipient="dalle.text2im"),
        "picture": _said("picture", "user", {"content_type": "multimodal_text", "parts": [{"asset_pointer": "x"}]}, 1),
        "about": _said("about", "user", {"content_type": "user_editable_context", "user_profile": "p"}, 1),
        "blank": _said("blank", "assistant", {"content_type": "text", "parts": [""]}, 1),
    }
    for id, message in inner.items():
        first["mapping"][id] = _node(id, "m0-0", [], message)
    last = third["mapping"]["m2-1"]
    last["children"].append("m2-19")  # as if the last turn were an older answer to the second
    third["mapping"]["m2-18"]["children"] = []
    third["mapping"]["m2-19"]["parent"] = "m2-1"
    third["current_node"] = "m2-18"
    spoken = {"content_type": "audio_transcription", "text": words(3), "direction": "in"}
    first["mapping"]["m0-3"]["message"]["content"] = {"content_type": "multimodal_text", "parts": [spoken, {}]}
    broken = {"title": "Broken", "id": "nothing"}
    return [first, second, third, broken]


CHATGPT_LEFT_OUT = {
    "a system message": 3, "reasoning": 1, "a call of a tool": 2, "output of a tool": 1, "custom instructions": 1,
    "a picture or file without words": 1, "empty": 1,
}  # fmt: skip


# --- Claude --------------------------------------------------------------------------------------------------------


def _claude_message(conversation: int, number: int) -> Json:
    text = words(number)
    return {
        "uuid": f"{conversation:04}-{number:04}", "text": text, "sender": "human" if number % 2 == 0 else "assistant",
        "content": [{"type": "text", "text": text, "start_timestamp": None, "stop_timestamp": None, "citations": []}],
        "created_at": at(number).isoformat().replace("+00:00", "Z"), "updated_at": at(number).isoformat(),
        "attachments": [], "files": [],
    }  # fmt: skip


def claude() -> Json:
    """Three conversations with fifty-nine messages and an attached document; the first has what is no turn beside."""
    found = [
        {
            "uuid": f"conversation-{one}", "name": f"Plan {one}", "summary": "", "created_at": at(0).isoformat(),
            "updated_at": at(99).isoformat(), "account": {"uuid": "account"},
            "chat_messages": [_claude_message(one, one * 20 + index) for index in range(20)],
        }
        for one in range(3)
    ]  # fmt: skip
    messages = found[0]["chat_messages"]
    messages[1]["content"] += [{"type": "thinking", "thinking": "Hm."}, {"type": "tool_use", "name": "t", "input": {}}]
    messages[2]["content"] = []  # older exports have the text alone
    messages[3] |= {"text": "", "content": [{"type": "text", "text": ""}], "files": [{"file_name": "photo.jpg"}]}
    messages[4]["attachments"] = [
        {"file_name": "plan.txt", "file_type": "txt", "extracted_content": "The plan: 14 May."}
    ]
    messages.append({"uuid": "blank", "text": "", "sender": "human", "content": [], "attachments": [], "files": []})
    messages.append({"uuid": "broken", "text": "who said this?"})
    return [*found, {"uuid": "no messages", "name": "Broken"}]


CLAUDE_LEFT_OUT = {"reasoning": 1, "a call of a tool": 1, "a picture or file without words": 1, "empty": 1}


# --- mem0 ----------------------------------------------------------------------------------------------------------


def mem0() -> Json:
    memories = [
        {
            "id": f"{number:08}-0000-4000-8000-000000000000", "memory": words(number), "hash": "0", "score": None,
            "user_id": "ada" if number % 2 else "bo/b", "agent_id": None, "app_id": None, "run_id": None,
            "metadata": {"room": "kitchen"} if number % 3 else None, "categories": ["home"],
            "created_at": at(number).isoformat(), "updated_at": at(number).isoformat(),
            "expiration_date": "2999-01-01" if number == 5 else None,
        }
        for number in range(KEPT)
    ]  # fmt: skip
    broken = {"id": "broken", "user_id": "ada"}
    return {"results": [*memories, broken], "relations": [{"source": "ada", "relationship": "likes", "target": "tea"}]}


MEM0_LEFT_OUT = {"a relation of mem0's graph": 1}


# --- Zep -----------------------------------------------------------------------------------------------------------


def zep() -> list[Json]:
    """Replies of its API: a thread of the third, a session of the second, and a search of the graph."""

    def message(number: int, **who: Json) -> Json:
        return {
            "uuid": f"z{number}",
            "content": words(number),
            "created_at": at(number).isoformat(),
            "processed": True,
            **who,
        }

    thread = [message(n, role="user" if n % 2 else "assistant", name="Ada" if n % 2 else "AIM") for n in range(25)]
    session = [message(n, role="Ada", role_type="user", token_count=9, metadata={"lang": "en"}) for n in range(25, 45)]
    late = {"created_at": at(90_000).isoformat(), "reference_time": at(1).isoformat(), "thread_uuid": "u1"}
    thread[1] |= late  # as its fourth API has it
    edges = [
        {
            "uuid": f"e{number}", "fact": words(number), "name": "LIVES_AT", "created_at": at(number).isoformat(),
            "valid_at": at(number - 1000).isoformat(), "invalid_at": None, "source_node_uuid": "n1",
        }
        for number in range(45, 55)
    ]  # fmt: skip
    nodes = [
        {"uuid": f"n{n}", "name": "Ada", "summary": words(n), "created_at": at(n).isoformat()} for n in range(55, 60)
    ]
    tool = message(98, role="tool", name="search")
    return [
        {"user_id": "ada", "thread_id": "t1", "messages": [*thread, tool, "broken"], "row_count": 26},
        {"user_id": "ada", "session_id": "s1", "messages": [*session, {"uuid": "broken", "role": "user"}]},
        {"user_id": "bo", "edges": edges, "nodes": [*nodes, {"uuid": "n99", "name": "Empty", "summary": ""}]},
        {"unknown": True},
    ]


ZEP_LEFT_OUT = {"output of a tool": 1, "a node of the graph without a summary": 1}


# --- Letta ---------------------------------------------------------------------------------------------------------


def _letta_message(number: int, role: str, text: str | None = None, **more: Json) -> Json:
    content = [{"type": "text", "text": words(number) if text is None else text}]
    return {"id": f"message-{number}", "role": role, "content": content, "created_at": at(number).isoformat(),
            "name": None, "agent_id": "agent-0", "tool_calls": None, "tool_call_id": None, **more}  # fmt: skip


def _spoken(number: int) -> Json:
    """An assistant of the first kind: it thinks in the content, and speaks by a tool."""
    call = {
        "id": "c",
        "type": "function",
        "function": {"name": "send_message", "arguments": json.dumps({"message": words(number)})},
    }
    return _letta_message(number, "assistant", "I should answer.", tool_calls=[call])


def letta() -> Json:
    """An agent file with fifty-eight turns and two blocks, and what is no memory beside."""
    packed = json.dumps({"type": "user_message", "message": words(0), "time": "2025-05-01 09:00:00 AM UTC+0000"})
    other = {"id": "c", "type": "function", "function": {"name": "archival_memory_search", "arguments": "{}"}}
    messages = [
        _letta_message(900, "system", "You are Letta."),
        _letta_message(0, "user", packed),
        *(_spoken(n) if n < 10 else _letta_message(n, "user" if n % 2 else "assistant") for n in range(1, 58)),
        _letta_message(901, "user", json.dumps({"type": "heartbeat", "reason": "again", "time": "…"})),
        _letta_message(902, "assistant", "Let me look.", tool_calls=[other]),
        _letta_message(903, "tool", '{"status": "OK"}', tool_call_id="c"),
        "broken",
    ]
    agent = {"id": "agent-0", "name": "Sam", "system": "…", "block_ids": ["block-0", "block-1", "block-2"],
             "agent_type": "memgpt_v2_agent", "messages": messages, "in_context_message_ids": []}  # fmt: skip
    blocks = [
        {"id": "block-0", "label": "human", "value": words(58), "limit": 5000},
        {"id": "block-1", "label": "persona", "value": words(59), "limit": 5000},
        {"id": "block-2", "label": "notes", "value": "", "limit": 5000},
    ]
    tools = [{"id": "tool-0", "name": "send_message", "source_code": "…"}]
    return {"agents": [agent], "groups": [], "blocks": blocks, "files": [], "sources": [], "tools": tools,
            "mcp_servers": [], "metadata": {"revision_id": "1"}, "created_at": at(0).isoformat()}  # fmt: skip


LETTA_LEFT_OUT = {
    "a system message": 1, "an event of the program: heartbeat": 1, "a call of a tool": 1, "output of a tool": 1,
    "an empty memory block": 1, "tool: no memory": 1,
}  # fmt: skip


def letta_of_one() -> Json:
    """As agent files first were: one agent, its messages and its core memory in it."""
    return {
        "agent_type": "memgpt_agent", "name": "Sam",
        "core_memory": [{"label": "human", "value": words(1), "limit": 5000}],
        "messages": [{"role": "user", "text": words(0), "created_at": at(0).isoformat()}, _spoken(2)], "tools": [],
    }  # fmt: skip


# --- LangGraph -----------------------------------------------------------------------------------------------------


def langgraph() -> list[Json]:
    rows = [
        {
            "namespace": ["users", "ada" if number % 2 else "bo"], "key": f"k{number}",
            "value": {"text": words(number), "tags": ["a", "b"], "number": number},
            "created_at": at(number).isoformat(), "updated_at": at(number).isoformat(), "score": None,
        }
        for number in range(KEPT)
    ]  # fmt: skip
    rows[7]["value"] = {}
    return [*rows, {"namespace": [], "key": "k", "value": {"a": 1}}]


def langgraph_file(path: Path) -> Path:
    """The file of a SqliteStore."""
    with sqlite3.connect(path) as store:
        store.execute(
            "CREATE TABLE store (prefix text NOT NULL, key text NOT NULL, value text NOT NULL, created_at TIMESTAMP, "
            "updated_at TIMESTAMP, expires_at TIMESTAMP, ttl_minutes REAL, PRIMARY KEY (prefix, key))"
        )
        for row in langgraph()[:KEPT]:
            moment = row["created_at"].replace("T", " ").removesuffix("+00:00")
            fields = (".".join(row["namespace"]), row["key"], json.dumps(row["value"]), moment, moment)
            store.execute("INSERT INTO store VALUES (?, ?, ?, ?, ?, NULL, NULL)", fields)
    store.close()
    return path


# --- as files ------------------------------------------------------------------------------------------------------


def write(path: Path, content: Json) -> Path:
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


def write_lines(path: Path, records: list[Json]) -> Path:
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records), encoding="utf-8")
    return path


def archive(path: Path, files: dict[str, bytes | Json]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content if isinstance(content, bytes) else json.dumps(content))
    return path


def archive_bytes(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return held.getvalue()
