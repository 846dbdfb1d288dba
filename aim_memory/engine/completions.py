"""Chat completions in OpenAI's shape, made from an answer of our own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from aim_memory.evidence import count_tokens
from aim_memory.types import Delta

Finish = Literal["stop", "length"]


class Completion:
    """One completion: as the chunks of a stream, or whole.

    Args:
        id: Fresh.
        created: POSIX seconds.
        body: What was asked; its messages count as the prompt's tokens.
    """

    def __init__(self, id: str, created: int, model: str, body: Mapping[str, Any]) -> None:
        self._head = {"id": f"chatcmpl-{id}", "created": created, "model": model}
        self._usage = bool((body.get("stream_options") or {}).get("include_usage"))
        self._asked = count_tokens("\n".join(str(message.get("content")) for message in body["messages"]))
        self._text = ""
        self._begun = False

    def chunks(self, delta: Delta) -> Iterator[dict[str, Any]]:
        """The chunks that a delta makes."""
        if delta.text:
            self._text += delta.text
            role = {} if self._begun else {"role": "assistant"}
            self._begun = True
            yield self._chunk({**role, "content": delta.text}, None)
        if delta.finish is not None:
            yield self._chunk({}, _finish(delta))
            if self._usage:
                yield {**self._head, "object": "chat.completion.chunk", "choices": [], "usage": self.usage()}

    def whole(self, text: str) -> dict[str, Any]:
        self._text = text
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": self.usage()}

    def usage(self) -> dict[str, int]:
        """Estimated, for no model was there to count."""
        said = count_tokens(self._text)
        return {"prompt_tokens": self._asked, "completion_tokens": said, "total_tokens": self._asked + said}

    def _chunk(self, delta: dict[str, Any], finish: Finish | None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return {**self._head, "object": "chat.completion.chunk", "choices": [choice]}


def _finish(delta: Delta) -> Finish:
    return "length" if delta.finish == "length" else "stop"
