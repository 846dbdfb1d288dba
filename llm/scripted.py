"""A generator that plays a script: the double of the Generator port."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from aim_memory.errors import GeneratorError
from aim_memory.ports import Generator
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


def _deltas(reply: Reply, prompt: Prompt) -> list[Delta]:
    words = reply.text.split(" ")
    pieces = [words[0], *(f" {word}" for word in words[1:])]
    asked = sum(len(message.content.split()) for message in prompt.messages)
    return [*(Delta(piece) for piece in pieces if piece), Delta(finish=reply.finish, usage=Usage(asked, len(words)))]
