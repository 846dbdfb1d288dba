"""Calls made together: those who wait are one group, and each hears what its own call came to."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from aim_memory.engine.gathering import Gathering, Outcome
from aim_memory.errors import AIMMemoryError, MissingExtraError, StorageFullError
from tests.interrupting import interrupted_when

Groups = list[list[str]]


class Maker:
    """Notes its groups, and holds the first until it is told to go on."""

    def __init__(self) -> None:
        self.groups: Groups = []
        self.began, self.go = threading.Event(), threading.Event()

    def __call__(self, asked: Sequence[str]) -> list[Outcome[str]]:
        self.groups.append(list(asked))
        if not self.began.is_set():
            self.began.set()
            assert self.go.wait(30)
        if "odd" in asked:
            raise LookupError(len(asked))
        if "full" in asked:
            raise StorageFullError
        return [ValueError(one) if one == "bad" else one.upper() for one in asked]


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as threads:
        yield threads


def _gathered(maker: Maker, pool: ThreadPoolExecutor, first: str, *others: str, largest: int = 16) -> list[Future[str]]:
    """The first leads, and is held until all the others wait."""
    gathering = Gathering(maker, largest=largest)
    called = [pool.submit(gathering.call, first)]
    assert maker.began.wait(30)
    for number, other in enumerate(others, 1):
        called.append(pool.submit(gathering.call, other))
        while len(gathering._waiting) < number:
            pass
    maker.go.set()
    for each in called:
        each.exception(timeout=30)
    return called


def test_who_is_alone_is_made_at_once(maker: Maker) -> None:
    maker.go.set()
    gathering = Gathering(maker)
    assert [gathering.call(one) for one in "ab"] == ["A", "B"]
    assert maker.groups == [["a"], ["b"]]


def test_those_who_wait_are_made_together(maker: Maker, pool: ThreadPoolExecutor) -> None:
    called = _gathered(maker, pool, "a", "b", "c", "d")
    assert [each.result() for each in called] == ["A", "B", "C", "D"]
    assert maker.groups == [["a"], ["b", "c", "d"]]


def test_more_than_the_largest_group_are_several(maker: Maker, pool: ThreadPoolExecutor) -> None:
    called = _gathered(maker, pool, "a", "b", "c", "d", largest=2)
    assert [each.result() for each in called] == ["A", "B", "C", "D"]
    assert maker.groups == [["a"], ["b", "c"], ["d"]]


def test_each_hears_of_its_own_failure(maker: Maker, pool: ThreadPoolExecutor) -> None:
    a, bad, c = _gathered(maker, pool, "a", "bad", "c")
    assert (a.result(), c.result()) == ("A", "C")
    assert isinstance(bad.exception(), ValueError)


def test_what_all_fail_of_each_hears_as_its_own_error(maker: Maker, pool: ThreadPoolExecutor) -> None:
    errors = [each.exception() for each in _gathered(maker, pool, "a", "full", "c")[1:]]
    assert [type(error) for error in errors] == [StorageFullError] * 2
    assert errors[0] is not errors[1]


def test_an_error_that_needs_more_than_its_message_is_heard_as_it_is(pool: ThreadPoolExecutor) -> None:
    class Lacking(Maker):
        def __call__(self, asked: Sequence[str]) -> list[Outcome[str]]:
            super().__call__(asked)
            raise MissingExtraError("embedded", "torch")

    errors = [each.exception() for each in _gathered(Lacking(), pool, "a", "b", "c")]
    assert [str(error) for error in errors] == [str(MissingExtraError("embedded", "torch"))] * 3
    assert len({id(error) for error in errors}) == 3


def test_one_that_breaks_the_making_breaks_its_own_only(maker: Maker, pool: ThreadPoolExecutor) -> None:
    a, odd, c = _gathered(maker, pool, "a", "odd", "c")
    assert (a.result(), c.result()) == ("A", "C")
    assert isinstance(odd.exception(), LookupError)


def test_nobody_waits_for_a_leader_who_was_stopped(pool: ThreadPoolExecutor) -> None:
    class Stopping(Maker):
        def __call__(self, asked: Sequence[str]) -> list[Outcome[str]]:
            if "stop" in asked:
                raise SystemExit
            return super().__call__(asked)

    _, stopped, other = _gathered(Stopping(), pool, "a", "stop", "b")
    assert isinstance(stopped.exception(), SystemExit)
    assert isinstance(other.exception(), AIMMemoryError)


def test_a_caller_who_is_interrupted_leaves_nobody_waiting(maker: Maker, pool: ThreadPoolExecutor) -> None:
    gathering = Gathering(maker, largest=1)
    first = pool.submit(gathering.call, "first")
    assert maker.began.wait(30)

    with interrupted_when(lambda: gathering._waiting), pytest.raises(KeyboardInterrupt):
        gathering.call("second")
    maker.go.set()
    assert first.result(timeout=30) == "FIRST"
    assert pool.submit(gathering.call, "third").result(timeout=30) == "THIRD"
    assert maker.groups == [["first"], ["third"]]
