"""When the second generator speaks, and when it must not."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from aim_memory.errors import GeneratorError
from aim_memory.llm.fallback import FallbackGenerator
from aim_memory.llm.scripted import Reply, ScriptedGenerator
from aim_memory.types import Delta, Prompt

PROMPT = Prompt("Where?", (), (), confidence=0.5)


def ask(first: ScriptedGenerator, second: ScriptedGenerator) -> list[Delta]:
    async def collect() -> list[Delta]:
        return [delta async for delta in FallbackGenerator(first, second).stream(PROMPT)]

    return asyncio.run(collect())


def test_a_generator_that_works_is_alone() -> None:
    second = ScriptedGenerator(["second"])
    deltas = ask(ScriptedGenerator(["first"]), second)
    assert deltas[0] == Delta("first")
    assert not any(delta.degraded for delta in deltas)
    assert second.prompts == []


def test_a_failure_before_the_first_delta_falls_back_and_says_so() -> None:
    deltas = ask(ScriptedGenerator([Reply("first", fail_after=0)]), ScriptedGenerator(["second"]))
    assert deltas[0] == Delta("second", degraded=True)
    assert all(delta.degraded for delta in deltas)


def test_the_first_generator_is_asked_again_next_time() -> None:
    first = ScriptedGenerator([Reply(fail_after=0), "first"])
    second = ScriptedGenerator(["second"])
    assert ask(first, second)[0].text == "second"
    assert ask(first, second)[0] == Delta("first")


def test_a_stream_that_breaks_is_not_continued_by_somebody_else() -> None:
    second = ScriptedGenerator(["second"])
    with pytest.raises(GeneratorError, match="fail here"):
        ask(ScriptedGenerator([Reply("half an answer", fail_after=1)]), second)
    assert second.prompts == []


def test_two_failures_are_a_failure() -> None:
    with pytest.raises(GeneratorError):
        ask(ScriptedGenerator([Reply(fail_after=0)]), ScriptedGenerator([Reply(fail_after=0)]))


def test_closing_reaches_the_generator_that_speaks() -> None:
    first = ScriptedGenerator(["one two three"])

    async def leave_early() -> None:
        async with aclosing(FallbackGenerator(first, ScriptedGenerator(["second"])).stream(PROMPT)) as deltas:
            await anext(deltas)

    asyncio.run(leave_early())
    assert first.cancelled == 1


def test_delays_pass_through_the_sleeper() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    ask(ScriptedGenerator([Reply("two words", delay_s=0.5)], sleep=sleep), ScriptedGenerator(["second"]))
    assert slept == [0.5, 0.5, 0.5]
