"""Several language models as one: who is asked, in which order, how often, and who is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from time import perf_counter
from typing import Any, TypeVar

from aim_memory.errors import GeneratorError, NotFoundError
from aim_memory.llm.crowd import Crowd
from aim_memory.llm.openai import usage_of
from aim_memory.llm.target import Target
from aim_memory.ports import ChatModels, Generator
from aim_memory.settings import RouterSettings
from aim_memory.types import Delta, Prompt, Usage

AUTO = "auto"
"""The model name that leaves the choice to the router."""
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0
"""A server that asks for a longer pause is not waited for."""
_T = TypeVar("_T")


class Router(Generator, ChatModels):
    """Asks the targets in order until one speaks; what breaks after its first word is not continued by another.

    Those meant for such a question come first, in the order given, then those for any, then the rest as a reserve.
    Raises the failure of the first that was asked when all have failed.

    Args:
        targets: At least one; the first that has a chat endpoint is the default model of a chat.
        settings: Patience, retries, and when to leave one alone.
        sleep: Lets time pass between tries.
        crowd: Who waits for these models; its own if left out.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        settings: RouterSettings,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        crowd: Crowd | None = None,
    ) -> None:
        self._targets = tuple(targets)
        self._settings = settings
        self._sleep = sleep
        self._decisions = 0
        self._deciding_s = 0.0
        self._saved = 0
        self._crowd = crowd or Crowd(settings.background_below, settings.background_wait_s, sleep)

    @property
    def name(self) -> str:
        return self._targets[0].name if len(self._targets) == 1 else AUTO

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        def deltas(target: Target) -> AsyncGenerator[Delta, None]:
            return target.deltas(prompt)

        with self._crowd.joined():
            async with aclosing(self._asked(self._order(prompt.hard), deltas)) as heard:
                async for target, delta in heard:
                    if delta.usage is not None:
                        self._count(target, delta.usage, prompt.hard)
                    yield delta

    def names(self) -> Sequence[str]:
        chatting = [target for target in self._targets if target.chat is not None]
        named = [name for target in chatting for name in (target.name, *target.models)]
        return list(dict.fromkeys([AUTO, *named])) if chatting else []

    async def replies(
        self, body: Mapping[str, Any], *, hard: bool = False, background: bool = False
    ) -> AsyncGenerator[dict[str, Any], None]:
        def chunks(target: Target) -> AsyncGenerator[dict[str, Any], None]:
            return target.replies(body)

        if background:
            await self._crowd.thinned()
        with self._crowd.joined(background=background):
            async with aclosing(self._asked(self._meant(str(body["model"]), hard), chunks)) as heard:
                async for target, chunk in heard:
                    if (usage := usage_of(chunk)) is not None:
                        self._count(target, usage, hard)
                    yield chunk

    def figures(self) -> dict[str, Any]:
        return {
            "targets": {target.name: target.figures() for target in self._targets},
            "decisions": self._decisions,
            "decision_ms": round(1000 * self._deciding_s / max(1, self._decisions), 4),
            "tokens_saved": self._saved,
            "now": self._crowd.figures(),
        }

    def _order(self, hard: bool) -> list[Target]:
        start = perf_counter()
        wanted = "hard" if hard else "easy"
        ordered = sorted(self._targets, key=lambda one: (one.questions != wanted, one.questions != "any"))
        self._decisions += 1
        self._deciding_s += perf_counter() - start
        return ordered

    def _meant(self, model: str, hard: bool) -> list[Target]:
        """Those that a chat may go to: the one it names, or all when it leaves the choice."""
        if model == AUTO:
            return [target for target in self._order(hard) if target.chat is not None]
        found = [target for target in self._targets if target.chat is not None and target.goes_by(model)]
        if not found:
            raise NotFoundError(f"There is no model {model!r}; there are: {', '.join(self.names())}.")
        return found[:1]

    async def _asked(
        self, targets: Sequence[Target], open_: Callable[[Target], AsyncGenerator[_T, None]]
    ) -> AsyncGenerator[tuple[Target, _T], None]:
        deadline = asyncio.get_running_loop().time() + self._settings.timeout_s
        failures: list[GeneratorError] = []
        for target in targets:
            if absence := target.absence():
                failures.append(GeneratorError(absence))
                continue
            for tried in range(self._settings.retries + 1):
                if (entered := target.breaker.enter()) is None:
                    failures.append(_resting(target))
                    break
                begun = False
                try:
                    async with aclosing(_heard(target, entered, open_, deadline)) as items:
                        async for item in items:
                            begun = True
                            yield target, item
                    return
                except GeneratorError as error:
                    if begun:
                        raise
                    failures.append(error)
                    if tried == self._settings.retries or not await self._paused(error, tried, deadline):
                        break
        raise failures[0]

    async def _paused(self, error: GeneratorError, tried: int, deadline: float) -> bool:
        """Waits before the same target is asked again; False when that is not worth it."""
        pause = FIRST_PAUSE_S * 2**tried if error.retry_after_s is None else error.retry_after_s
        left = deadline - asyncio.get_running_loop().time()
        if not error.again or pause > min(LONGEST_PAUSE_S, left):
            return False
        await self._sleep(pause)
        return True

    def _count(self, target: Target, usage: Usage, hard: bool) -> None:
        """Tokens count as saved when a larger model stands ready and did not have to be asked."""
        target.count(usage)
        if not hard and target.questions != "hard" and any(one.questions == "hard" for one in self._targets):
            self._saved += usage.prompt_tokens + usage.completion_tokens


async def _heard(
    target: Target, entered: int, open_: Callable[[Target], AsyncGenerator[_T, None]], deadline: float
) -> AsyncGenerator[_T, None]:
    """What a target says; its first word must come before the deadline."""
    with target.called(entered):
        async with aclosing(open_(target)) as items:
            try:
                async with asyncio.timeout_at(deadline):
                    first = await anext(items, None)
            except TimeoutError:
                raise GeneratorError(f"{target.name} did not begin its answer in time.") from None
            if first is None:
                raise GeneratorError(f"{target.name} gave an empty answer.", again=True)
            yield first
            async for item in items:
                yield item


def _resting(target: Target) -> GeneratorError:
    """What is said of a target that is left alone."""
    wait = max(1.0, target.breaker.opens_in_s)
    return GeneratorError(f"{target.name} has failed again and again and is left alone.", retry_after_s=wait)
