"""OpenAI's Responses, told as chats: what is asked becomes a chat's body, and a chat's reply becomes a response."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aim_memory.errors import InvalidInputError

Object = dict[str, Any]
_KEPT_BY_US = {"input", "instructions", "text", "tools", "tool_choice", "max_output_tokens", "reasoning", "model"}
"""Fields that a chat has by other names."""
_MEANT_FOR_OTHERS = {"store", "metadata", "include", "truncation", "stream_options", "user"}
"""Fields that no chat has, and that change nothing here: nothing is stored that could be looked up."""
_REFUSED = {
    "previous_response_id": "responses are not kept here: send the conversation as 'input'. What was said in earlier "
    "ones is recalled as memories.",
    "conversation": "conversations are not kept here: send the conversation as 'input', and name it by X-AIM-Session.",
    "background": "responses are made while you wait; send it without 'background'.",
    "prompt": "stored prompts are not known here; send 'instructions'.",
}


def chat_of(body: Mapping[str, Any]) -> Object:
    """The body of the chat that a request for a response stands for; what is unknown is passed on.

    Raises InvalidInputError for what no chat can do.
    """
    for field, why in _REFUSED.items():
        if body.get(field):
            raise InvalidInputError(why, field=field)
    passed = {
        name: value for name, value in body.items() if name not in _KEPT_BY_US | _MEANT_FOR_OTHERS | set(_REFUSED)
    }
    chat: Object = {**passed, "model": body["model"], "messages": _messages(body)}
    if body.get("max_output_tokens") is not None:
        chat["max_tokens"] = body["max_output_tokens"]
    if effort := (body.get("reasoning") or {}).get("effort"):
        chat["reasoning_effort"] = effort
    if shape := _shape(body.get("text")):
        chat["response_format"] = shape
    if body.get("tools"):
        chat["tools"] = [_tool(tool) for tool in body["tools"]]
        if body.get("tool_choice") is not None:
            chat["tool_choice"] = _choice(body["tool_choice"])
    if body.get("stream"):
        chat["stream_options"] = {"include_usage": True}
    return chat


def _messages(body: Mapping[str, Any]) -> list[Object]:
    first = [{"role": "system", "content": body["instructions"]}] if body.get("instructions") else []
    given = body["input"]
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    messages = [*first, *(_message(item) for item in items if item.get("type") != "reasoning")]
    return list(_joined(messages))


def _message(item: Mapping[str, Any]) -> Object:
    kind = item.get("type", "message")
    if kind == "function_call":
        call = {"name": item.get("name"), "arguments": item.get("arguments")}
        return {"role": "assistant", "tool_calls": [{"id": item.get("call_id"), "type": "function", "function": call}]}
    if kind == "function_call_output":
        return {"role": "tool", "tool_call_id": item.get("call_id"), "content": _content(item.get("output"))}
    if kind != "message" or not isinstance(item.get("role"), str):
        raise InvalidInputError(f"an item of the type {kind!r} is not known here.", field="input")
    return {"role": item["role"], "content": _content(item.get("content"))}


def _joined(messages: Sequence[Object]) -> Iterator[Object]:
    """Calls of one turn are one message of a chat."""
    held: Object | None = None
    for message in messages:
        if held is not None and "tool_calls" in held and "tool_calls" in message:
            held["tool_calls"] += message["tool_calls"]
            continue
        if held is not None:
            yield held
        held = message
    if held is not None:
        yield held


def _content(content: Any) -> Any:
    if not isinstance(content, list):
        return content
    return [_part(part) for part in content]


def _part(part: Any) -> Object:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in ("input_text", "output_text", "text"):
        return {"type": "text", "text": part.get("text")}
    if kind == "input_image" and part.get("image_url"):
        detail = {"detail": part["detail"]} if part.get("detail") else {}
        return {"type": "image_url", "image_url": {"url": part["image_url"], **detail}}
    raise InvalidInputError(f"content of the type {kind!r} cannot be put into a chat.", field="input")


def _shape(text: Any) -> Object | None:
    shape = text.get("format") if isinstance(text, dict) else None
    if not isinstance(shape, dict) or shape.get("type") in (None, "text"):
        return None
    if shape["type"] != "json_schema":
        return shape
    return {"type": "json_schema", "json_schema": {name: value for name, value in shape.items() if name != "type"}}


def _tool(tool: Any) -> Object:
    if not isinstance(tool, dict) or tool.get("type") != "function":
        raise InvalidInputError("only tools of the type 'function' can be called here.", field="tools")
    return {"type": "function", "function": {name: value for name, value in tool.items() if name != "type"}}


def _choice(choice: Any) -> Any:
    if isinstance(choice, dict) and choice.get("type") == "function":
        return {"type": "function", "function": {"name": choice.get("name")}}
    return choice


# --- what comes back -----------------------------------------------------------------------------------------------


class Telling:
    """One response, told as a whole or event by event.

    Args:
        body: What was asked; some of it is said again.
        id: Names the response and its items.
        created: POSIX seconds.
    """

    def __init__(self, body: Mapping[str, Any], id: str, created: int) -> None:
        self._head = {
            "id": f"resp_{id}",
            "object": "response",
            "created_at": created,
            "model": body["model"],
            "instructions": body.get("instructions"),
            "metadata": body.get("metadata") or {},
            "parallel_tool_calls": body.get("parallel_tool_calls", True),
            "previous_response_id": None,
            "temperature": body.get("temperature"),
            "text": body.get("text") or {"format": {"type": "text"}},
            "tool_choice": body.get("tool_choice") or "auto",
            "tools": body.get("tools") or [],
            "top_p": body.get("top_p"),
            "max_output_tokens": body.get("max_output_tokens"),
            "error": None,
        }
        self._id = id
        self._items: list[Object] = []
        self._calls: dict[int, int] = {}
        """By a call's index in the chat: the place of its item."""
        self._message: int | None = None
        self._cut = False
        self._more: Object = {"usage": None}
        self._count = -1

    def whole(self, reply: Mapping[str, Any]) -> Object:
        """The response that a whole reply of a chat is."""
        for _ in self.events(_as_chunk(reply)):
            pass
        for _ in self._closed():
            pass
        return self._response("incomplete" if self._cut else "completed")

    def begin(self) -> Iterator[Object]:
        yield self._event("response.created", response=self._response("in_progress"))
        yield self._event("response.in_progress", response=self._response("in_progress"))

    def events(self, chunk: Mapping[str, Any]) -> Iterator[Object]:
        """The events that a chunk of a chat makes. Of several choices the first is told."""
        if chunk.get("usage"):
            self._more["usage"] = _usage(chunk["usage"])
        if "aim_memory" in chunk:
            self._more["aim_memory"] = chunk["aim_memory"]
        for choice in chunk.get("choices") or []:
            if (choice.get("index") or 0) != 0:
                continue
            self._cut |= choice.get("finish_reason") == "length"
            delta = choice.get("delta") or {}
            if isinstance(text := delta.get("content"), str) and text:
                yield from self._text(text)
            for call in delta.get("tool_calls") or []:
                yield from self._call(call)

    def end(self) -> Iterator[Object]:
        yield from self._closed()
        state = "incomplete" if self._cut else "completed"
        yield self._event(f"response.{state}", response=self._response(state))

    def _text(self, text: str) -> Iterator[Object]:
        if self._message is None:
            self._message = len(self._items)
            item = {"type": "message", "id": f"msg_{self._id}", "role": "assistant", "status": "in_progress"}
            self._items.append({**item, "content": []})
            yield self._added(self._message)
            self._items[self._message]["content"] = [_said("")]
            yield self._of_part("response.content_part.added", part=_said(""))
        part = self._items[self._message]["content"][0]
        part["text"] += text
        yield self._of_part("response.output_text.delta", delta=text, logprobs=[])

    def _call(self, call: Mapping[str, Any]) -> Iterator[Object]:
        told, number = call.get("function") or {}, call.get("index") or 0
        if number not in self._calls:
            place = self._calls[number] = len(self._items)
            named = {"id": f"fc_{self._id}_{number}", "call_id": call.get("id"), "name": told.get("name")}
            self._items.append({"type": "function_call", **named, "arguments": "", "status": "in_progress"})
            yield self._added(place)
        item = self._items[self._calls[number]]
        if isinstance(more := told.get("arguments"), str) and more:
            item["arguments"] += more
            yield self._of_item("response.function_call_arguments.delta", self._calls[number], delta=more)

    def _closed(self) -> Iterator[Object]:
        for place, item in enumerate(self._items):
            item["status"] = "incomplete" if self._cut else "completed"
            if item["type"] == "message":
                text = item["content"][0]["text"]
                yield self._of_part("response.output_text.done", text=text, logprobs=[])
                yield self._of_part("response.content_part.done", part=dict(item["content"][0]))
            else:
                done = {"arguments": item["arguments"], "name": item["name"]}
                yield self._of_item("response.function_call_arguments.done", place, **done)
            yield self._event("response.output_item.done", output_index=place, item=_copy(item))

    def _response(self, status: str) -> Object:
        cut = {"reason": "max_output_tokens"} if status == "incomplete" else None
        output = [_copy(item) for item in self._items]
        return {**self._head, **self._more, "status": status, "incomplete_details": cut, "output": output}

    def _added(self, place: int) -> Object:
        return self._event("response.output_item.added", output_index=place, item=_copy(self._items[place]))

    def _of_part(self, kind: str, **more: Any) -> Object:
        assert self._message is not None, "a part lies in a message"
        return self._of_item(kind, self._message, content_index=0, **more)

    def _of_item(self, kind: str, place: int, **more: Any) -> Object:
        return self._event(kind, item_id=self._items[place]["id"], output_index=place, **more)

    def _event(self, kind: str, **more: Any) -> Object:
        self._count += 1
        return {"type": kind, "sequence_number": self._count, **more}


def _as_chunk(reply: Mapping[str, Any]) -> Object:
    """A whole reply as the one chunk that says all of it."""
    choices = []
    for choice in reply.get("choices") or []:
        message = choice.get("message") or {}
        calls = [{**call, "index": place} for place, call in enumerate(message.get("tool_calls") or [])]
        choices.append({**choice, "delta": {**message, "tool_calls": calls}})
    return {**reply, "choices": choices}


def _said(text: str) -> Object:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _copy(item: Object) -> Object:
    """Of an item that goes on growing."""
    return {**item, "content": [dict(part) for part in item["content"]]} if "content" in item else dict(item)


def _usage(told: Mapping[str, Any]) -> Object:
    asked, said = (_count(told.get(name)) for name in ("prompt_tokens", "completion_tokens"))
    cached = _count((told.get("prompt_tokens_details") or {}).get("cached_tokens"))
    thought = _count((told.get("completion_tokens_details") or {}).get("reasoning_tokens"))
    return {
        "input_tokens": asked,
        "input_tokens_details": {"cached_tokens": cached},
        "output_tokens": said,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": asked + said,
    }


def _count(told: Any) -> int:
    return told if isinstance(told, int) and told > 0 else 0
