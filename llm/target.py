"""One language model as the router knows it: how to reach it, how it has been doing, what it has cost."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from typing import Any, Literal

from aim_memory.errors import GeneratorError, GeneratorRefusedError
from aim_memory.llm.breaker import Breaker
from aim_memory.llm.chat import ChatEndpoint, speaks
from aim_memory.ports import Generator
from aim_memory.types import Delta, Prompt, Usage

Questions = Literal["any", "easy", "hard"]


class Target:
    """A generator, and the chat endpoint behind it if there is one.

    Args:
        name: What the settings call it.
        generator: Answers prompts.
        chat: Takes chats as they are; without one it is never asked to.
        models: What callers may put as ``model`` beside the name: these go to the server as they are.
        questions: Which it is asked first.
        breaker: Its own.
        absence: Why it cannot be asked now, None if it can: a model server of ours that is being started is passed
            over, and its breaker is none the wiser.
    """

    def __init__(
        self,
        name: str,
        generator: Generator,
        breaker: Breaker,
        *,
        chat: ChatEndpoint | None = None,
        models: tuple[str, ...] = (),
        questions: Questions = "any",
        absence: Callable[[], str | None] | None = None,
    ) -> None:
        self.name = name
        self.chat = chat
        self.models = models
        self.questions = questions
        self.breaker = breaker
        self._absence = absence
        self._generator = generator
        self._lock = threading.Lock()
        self._figures = {"calls": 0, "failures": 0, "cancelled": 0, "prompt_tokens": 0, "completion_tokens": 0}

    def absence(self) -> str | None:
        """Why it cannot be asked now; None if it can."""
        return self._absence() if self._absence else None

    def goes_by(self, model: str) -> bool:
        return model == self.name or model in self.models

    async def deltas(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        """The answer to a prompt. Abstaining at once is refusing: another one may know more."""
        async with aclosing(self._generator.stream(prompt)) as deltas:
            async for delta in deltas:
                if delta.finish == "abstained":
                    raise GeneratorRefusedError(f"{self.name} finds no answer in the evidence.", status=404)
                yield delta

    async def replies(self, body: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """The chunks of a streamed chat, or its one whole reply. A model that the server does not go by itself is
        replaced by the server's own."""
        assert self.chat is not None, "only targets with an endpoint are asked to chat"
        model = body["model"] if body["model"] in self.models else self.chat.model
        sent = {**body, "model": model}
        if not body.get("stream"):
            yield await self.chat.whole(sent)
            return
        silent: list[dict[str, Any]] = []
        begun = False
        async with aclosing(self.chat.stream(sent)) as chunks:
            async for chunk in chunks:
                # A stream that has said no word yet can still be another one's, so it is held back until it has.
                silent.append(chunk)
                begun = begun or speaks(chunk)
                while begun and silent:
                    yield silent.pop(0)

    @contextmanager
    def called(self, entered: int) -> Iterator[None]:
        """What happens inside is one call, counted by how it ends; the breaker, which let it pass, hears of it."""
        outcome = "cancelled"
        try:
            with self.breaker.passed(entered):
                yield
            outcome = "calls"
        except GeneratorError:
            outcome = "failures"
            raise
        finally:
            self._add(calls=1, **({} if outcome == "calls" else {outcome: 1}))

    def count(self, usage: Usage) -> None:
        self._add(prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens)

    def figures(self) -> dict[str, Any]:
        with self._lock:
            return {"questions": self.questions, "breaker": self.breaker.state, **self._figures}

    def _add(self, **amounts: int) -> None:
        with self._lock:
            for name, amount in amounts.items():
                self._figures[name] += amount
