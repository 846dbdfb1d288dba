"""Several models as one: who is asked, again, not at all; and what is counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest

from aim_memory.answer import ExtractiveGenerator
from aim_memory.errors import GeneratorError, GeneratorRefusedError, NotFoundError
from aim_memory.llm.breaker import Breaker
from aim_memory.llm.router import Router
from aim_memory.llm.scripted import Reply, ScriptedGenerator
from aim_memory.llm.target import Questions, Target
from aim_memory.ports import Generator
from aim_memory.settings import RouterSettings
from aim_memory.types import Delta, Prompt

FAILURES = 3
"""In a row, after which a model is left alone."""
PROMPT = Prompt("Where?", (), (), confidence=0.5)
HARD = Prompt("Where?", (), (), confidence=0.5, hard=True)


class Clock:
    """Time that stands until it is told to pass."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class Failing(Generator):
    """Fails as told, so often; then speaks."""

    def __init__(self, *failures: GeneratorError, text: str = "well") -> None:
        self._failures = list(failures)
        self._text = text
        self.calls = 0

    @property
    def name(self) -> str:
        return "failing"

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        self.calls += 1
        if self._failures:
            raise self._failures.pop(0)
        yield Delta(self._text)
        yield Delta(finish="stop")


def target(name: str, generator: Generator, questions: Questions = "any", clock: Clock | None = None) -> Target:
    return Target(name, generator, Breaker(FAILURES, 10.0, 40.0, clock or Clock()), questions=questions)


def router(*targets: Target, clock: Clock | None = None, **settings: Any) -> Router:
    return Router(targets, RouterSettings(**settings), sleep=(clock or Clock()).sleep)


def said(router: Router, prompt: Prompt = PROMPT) -> str:
    async def collect() -> str:
        return "".join([delta.text async for delta in router.stream(prompt)])

    return asyncio.run(collect())


BUSY = GeneratorError("busy", again=True, retry_after_s=1.5)
DOWN = GeneratorError("down", again=True)
WRONG_KEY = GeneratorError("the key is not accepted")
TOO_LONG = GeneratorRefusedError("too long")


def test_one_that_works_is_alone() -> None:
    other = ScriptedGenerator(["second"])
    assert said(router(target("a", ScriptedGenerator(["first"])), target("b", other))) == "first"
    assert other.prompts == []


def test_the_next_answers_for_one_that_fails() -> None:
    assert said(router(target("a", Failing(WRONG_KEY)), target("b", ScriptedGenerator(["second"])))) == "second"


def test_what_may_pass_is_tried_again_after_the_pause_asked_for() -> None:
    clock, busy = Clock(), Failing(BUSY, DOWN)
    assert said(router(target("a", busy), clock=clock, retries=2)) == "well"
    assert clock.slept == [1.5, 0.5]


@pytest.mark.parametrize("failure", [WRONG_KEY, TOO_LONG, GeneratorError("busy", again=True, retry_after_s=3600)])
def test_what_will_not_pass_is_not_tried_again(failure: GeneratorError) -> None:
    failing = Failing(failure)
    with pytest.raises(GeneratorError) as caught:
        said(router(target("a", failing), retries=3))
    assert caught.value is failure
    assert failing.calls == 1


def test_after_the_first_word_nobody_else_speaks() -> None:
    other = ScriptedGenerator(["second"])
    with pytest.raises(GeneratorError, match="fail here"):
        said(router(target("a", ScriptedGenerator([Reply("half an", fail_after=1)])), target("b", other)))
    assert other.prompts == []


def test_when_all_fail_the_first_failure_is_told() -> None:
    with pytest.raises(GeneratorError, match="key"):
        said(router(target("a", Failing(WRONG_KEY)), target("b", Failing(TOO_LONG))))


def test_hard_questions_go_to_the_large_model_and_easy_ones_to_the_small() -> None:
    large, small = ScriptedGenerator(["large"]), ScriptedGenerator(["small"])
    both = router(target("large", large, "hard"), target("small", small, "easy"))
    assert (said(both), said(both, HARD)) == ("small", "large")
    figures = both.figures()
    assert figures["decisions"] == 2
    assert figures["tokens_saved"] == 1  # the one word of the small model's answer
    assert figures["targets"]["large"]["completion_tokens"] == 1


def test_quotes_that_find_nothing_leave_it_to_a_model() -> None:
    both = router(target("quotes", ExtractiveGenerator(), "easy"), target("large", ScriptedGenerator(["large"])))
    assert said(both) == "large"


def test_failures_in_a_row_open_the_breaker_and_time_half_opens_it() -> None:
    clock = Clock()
    failing = Failing(*[WRONG_KEY] * (FAILURES + 1))
    one = target("a", failing, clock=clock)
    both = router(one, target("b", ScriptedGenerator(["second"])))
    assert [said(both) for _ in range(5)] == ["second"] * 5
    assert (failing.calls, one.breaker.state) == (FAILURES, "open")
    clock.now = 10.0
    assert one.breaker.state == "half-open"
    assert said(both) == "second"  # the trial fails too: twice as long
    clock.now = 29.0
    assert (said(both), failing.calls) == ("second", FAILURES + 1)
    clock.now = 30.0
    assert said(both) == "well"
    assert one.breaker.state == "closed"


def test_a_refusal_does_not_open_the_breaker() -> None:
    one = target("a", Failing(*[TOO_LONG] * 5))
    for _ in range(5):
        with pytest.raises(GeneratorRefusedError):
            said(router(one))
    assert one.breaker.state == "closed"


def test_one_trial_at_a_time_and_giving_it_up_frees_the_place() -> None:
    clock = Clock()
    breaker = Breaker(1, 10.0, 40.0, clock)
    breaker.leave(entered(breaker), False)
    assert breaker.enter() is None
    clock.now = 10.0
    trial = entered(breaker)
    assert breaker.enter() is None
    breaker.leave(trial, None)
    assert breaker.state == "half-open"
    assert breaker.enter() is not None


def entered(breaker: Breaker) -> int:
    found = breaker.enter()
    assert found is not None
    return found


def test_calls_that_a_dying_server_leaves_neither_lengthen_its_rest_nor_end_a_trial() -> None:
    clock = Clock()
    breaker = Breaker(3, 10.0, 40.0, clock)
    begun = [entered(breaker) for _ in range(30)]
    for own in begun[:20]:
        breaker.leave(own, False)
    assert breaker.opens_in_s == 10.0
    clock.now = 10.0
    trial = entered(breaker)
    breaker.leave(begun[20], False)
    breaker.leave(begun[21], True)
    assert breaker.enter() is None
    breaker.leave(trial, False)
    assert breaker.opens_in_s == 20.0
    clock.now = 30.0
    breaker.leave(entered(breaker), True)
    breaker.leave(begun[22], False)
    assert breaker.state == "closed"


def test_leaving_early_cancels_and_counts_as_neither() -> None:
    first = ScriptedGenerator(["one two three"])
    one = target("a", first)

    async def leave_early() -> None:
        async with aclosing(router(one).stream(PROMPT)) as deltas:
            await anext(deltas)

    asyncio.run(leave_early())
    assert first.cancelled == 1
    assert one.figures() == {
        "questions": "any",
        "breaker": "closed",
        "calls": 1,
        "failures": 0,
        "cancelled": 1,
        "prompt_tokens": 0,
        "completion_tokens": 0,
    }


def test_patience_covers_all_tries_together() -> None:
    class Mute(Generator):
        name = "mute"

        async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
            await asyncio.Event().wait()
            yield Delta("never")

    with pytest.raises(GeneratorError, match="did not begin"):
        said(router(target("a", Mute()), target("b", Mute()), timeout_s=0.01))


def test_a_chat_needs_a_model_that_is_there() -> None:
    async def ask() -> None:
        await anext(router(target("a", Failing())).replies({"model": "a", "messages": []}))

    with pytest.raises(NotFoundError, match="no model 'a'"):
        asyncio.run(ask())
