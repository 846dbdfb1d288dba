"""A generator at work: what it says, and what is said in its place when it fails."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from aim_memory.answer import ExtractiveGenerator
from aim_memory.errors import GeneratorError
from aim_memory.ports import Generator
from aim_memory.types import Delta, Prompt, Usage

_QUOTING = ExtractiveGenerator()


@dataclass(slots=True)
class Transcript:
    """What a generator said, as it says it."""

    text: str = ""
    abstained: bool = False
    reason: str | None = None
    """Why the answer is not what it should be; None when it is."""
    usage: Usage = field(default_factory=Usage)

    def add(self, delta: Delta) -> None:
        self.text += delta.text
        self.abstained |= delta.finish == "abstained"
        self.reason = delta.reason or self.reason or ("The generator asked for failed." if delta.degraded else None)
        self.usage = delta.usage or self.usage


async def whole(generator: Generator, prompt: Prompt) -> Transcript:
    """All that a generator says. If it fails, even in the middle, quotes take the place of its words."""
    transcript = Transcript()
    try:
        async with aclosing(generator.stream(prompt)) as deltas:
            async for delta in deltas:
                transcript.add(delta)
    except GeneratorError as error:
        transcript = Transcript()
        async for delta in _quotes(prompt, error):
            transcript.add(delta)
    return transcript


async def spoken(generator: Generator, prompt: Prompt) -> AsyncGenerator[Delta, None]:
    """What a generator says, as it says it. If it fails before its first word, quotes take its place; later, what was
    said stays and the last delta says why there is no more."""
    begun = False
    try:
        async with aclosing(generator.stream(prompt)) as deltas:
            async for delta in deltas:
                begun |= bool(delta.text)
                yield delta
        return
    except GeneratorError as error:
        failure = error
    if begun:
        yield Delta(finish="length", degraded=True, reason=failure.message)
        return
    async for delta in _quotes(prompt, failure):
        yield delta


async def _quotes(prompt: Prompt, failure: GeneratorError) -> AsyncGenerator[Delta, None]:
    async with aclosing(_QUOTING.stream(prompt)) as deltas:
        async for delta in deltas:
            yield replace(delta, degraded=True, reason=failure.message)
