"""Generators that play a script: the doubles of the Generator and ChatModels ports."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aim_memory.errors import GeneratorError
from aim_memory.ports import ChatModels, Generator
from aim_memory.types import Delta, Prompt, Usage


@dataclass(frozen=True, slots=True)
class Reply:
    """What one call of a scripted generator does."""

    text: str = ""
    """Streamed word by word."""
    finish: Literal["stop", "length", "abstained"] = "stop"
    fail_after: int | None = None
    """Raise GeneratorError after so many deltas; 0 fails before the first."""
    delay_s: float = 0.0
    """Handed to the sleeper before each delta."""


async def _no_sleep(seconds: float) -> None:
    """Time that passes at once."""


class ScriptedGenerator(Generator):
    """Plays ``replies`` in order, one per call; the last one is played again and again.

    Attributes:
        prompts: What it was asked, in order.
        cancelled: How many streams were closed before their end.
    """

    def __init__(
        self,
        replies: Sequence[Reply | str],
        *,
        sleep: Callable[[float], Awaitable[None]] = _no_sleep,
        name: str = "scripted",
    ) -> None:
        self._replies = [Reply(reply) if isinstance(reply, str) else reply for reply in replies]
        self._sleep = sleep
        self._name = name
        self.prompts: list[Prompt] = []
        self.cancelled = 0

    @property
    def name(self) -> str:
        return self._name

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        reply = self._replies[min(len(self.prompts), len(self._replies) - 1)]
        self.prompts.append(prompt)
        try:
            for count, delta in enumerate(_deltas(reply, prompt)):
                if count == reply.fail_after:
                    raise GeneratorError("The script says: fail here.")
                if reply.delay_s:
                    await self._sleep(reply.delay_s)
                yield delta
        except GeneratorExit:
            self.cancelled += 1
            raise


class ScriptedChat(ChatModels):
    """Says one thing to every chat, word by word where it is streamed.

    Attributes:
        said: What it says.
        failure: Raised instead, if there is one.
        bodies: What it was asked, in order.
    """

    def __init__(self, said: str = "So it is.", name: str = "scripted") -> None:
        self.said = said
        self.failure: GeneratorError | None = None
        self.bodies: list[Mapping[str, Any]] = []
        self._name = name

    def names(self) -> Sequence[str]:
        return [self._name]

    def figures(self) -> dict[str, Any]:
        return {"targets": {}, "calls": len(self.bodies)}

    async def replies(
        self, body: Mapping[str, Any], *, hard: bool = False, background: bool = False
    ) -> AsyncGenerator[dict[str, Any], None]:
        self.bodies.append(body)
        if self.failure is not None:
            raise self.failure
        if not body.get("stream"):
            message = {"role": "assistant", "content": self.said}
            yield {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
            return
        for place, word in enumerate(self.said.split(" ")):
            delta = {"content": f" {word}" if place else word}
            yield {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        yield {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def _deltas(reply: Reply, prompt: Prompt) -> list[Delta]:
    words = reply.text.split(" ")
    pieces = [words[0], *(f" {word}" for word in words[1:])]
    asked = sum(len(message.content.split()) for message in prompt.messages)
    return [*(Delta(piece) for piece in pieces if piece), Delta(finish=reply.finish, usage=Usage(asked, len(words)))]
