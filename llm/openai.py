"""The generator over any server that speaks OpenAI's chat completions."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Literal

from aim_memory.errors import GeneratorError
from aim_memory.llm.chat import ChatEndpoint
from aim_memory.ports import Generator
from aim_memory.types import Delta, Prompt, Usage


class OpenAIGenerator(Generator):
    """Streams the answer to a prompt's messages; thoughts and tool calls are not part of an answer."""

    def __init__(self, endpoint: ChatEndpoint) -> None:
        self._endpoint = endpoint

    @property
    def name(self) -> str:
        return self._endpoint.model

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        finish: Literal["stop", "length"] | None = None
        usage: Usage | None = None
        spoke = False
        async with aclosing(self._endpoint.stream(self._body(prompt))) as chunks:
            async for chunk in chunks:
                usage = usage_of(chunk) or usage
                text, reason = _choice(chunk)
                finish = reason or finish
                if text:
                    spoke = True
                    yield Delta(text)
        if not spoke:
            raise GeneratorError("The generator's answer is empty.", again=True)
        yield Delta(finish=finish, usage=usage)

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        return {
            "model": self._endpoint.model,
            "messages": [{"role": message.role, "content": message.content} for message in prompt.messages],
            "max_tokens": prompt.max_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
            **({"response_format": prompt.response_format} if prompt.response_format is not None else {}),
        }


def _choice(chunk: Mapping[str, Any]) -> tuple[str, Literal["stop", "length"] | None]:
    """(text, finish) of the first choice; the usage chunk at the end has none."""
    choice = (chunk.get("choices") or [{}])[0]
    text = (choice.get("delta") or {}).get("content") or ""
    reason = choice.get("finish_reason")
    if not isinstance(text, str):
        raise GeneratorError(f"The generator sent text that is not a string: {str(text)[:100]}")
    return text, None if reason is None else "length" if reason == "length" else "stop"


def usage_of(reply: Mapping[str, Any]) -> Usage | None:
    """The tokens that a reply or chunk counts; None where it counts none, or nonsense."""
    usage = reply.get("usage")
    if not isinstance(usage, dict):
        return None
    counts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
    prompt, completion = (count if isinstance(count, int) and 0 <= count < 2**31 else 0 for count in counts)
    return Usage(prompt, completion)
