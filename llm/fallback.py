"""A generator with a second one behind it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from aim_memory.errors import GeneratorError
from aim_memory.ports import Generator
from aim_memory.types import Delta, Prompt


class FallbackGenerator(Generator):
    """Asks the first generator; if it fails before its first delta, the second answers, marked ``degraded``.

    A stream that breaks later raises: half an answer cannot be continued by somebody else.
    """

    def __init__(self, first: Generator, second: Generator) -> None:
        self._first = first
        self._second = second

    @property
    def name(self) -> str:
        return self._first.name

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        started = False
        try:
            async with aclosing(self._first.stream(prompt)) as deltas:
                async for delta in deltas:
                    started = True
                    yield delta
            return
        except GeneratorError:
            if started:
                raise
        async with aclosing(self._second.stream(prompt)) as deltas:
            async for delta in deltas:
                yield replace(delta, degraded=True)
