"""Calls that come at the same time, made together by the thread of one of them.

Threads that each do a small thing take turns at the interpreter at every step; one that does it for all does not. And
what can be done for many at once, such as embedding, is.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from aim_memory.errors import AIMMemoryError

A = TypeVar("A")
R = TypeVar("R")
Outcome: TypeAlias = R | Exception


@dataclass(slots=True, eq=False)
class _Call(Generic[A, R]):
    asked: A
    woken: threading.Lock = field(default_factory=threading.Lock)
    """Released when there is an outcome, or when its thread is to lead."""
    outcome: list[Outcome[R]] = field(default_factory=list)


class Gathering(Generic[A, R]):
    """Nobody waits for company: who comes while nobody leads begins at once, with all that wait by then. Thread-safe.

    When he is done, the one who has waited longest leads the next.
    """

    def __init__(
        self, make: Callable[[Sequence[A]], Sequence[Outcome[R]]], *, leaders: int = 1, largest: int = 16
    ) -> None:
        """
        Args:
            make: Makes several calls; the outcome of each, in order. What it raises is everybody's.
            leaders: How many may be at it at once.
            largest: Calls made together.
        """
        self._make = make
        self._free = leaders
        self._largest = largest
        self._waiting: deque[_Call[A, R]] = deque()
        self._lock = threading.Lock()

    def call(self, asked: A) -> R:
        """Returns, or raises, what its own call came to."""
        own = _Call[A, R](asked)
        if not self._may_lead(own):
            self._wait(own)
        if not own.outcome:
            self._lead(own)
        outcome = own.outcome[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _may_lead(self, own: _Call[A, R]) -> bool:
        """Whether to lead at once; else the call waits."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            own.woken.acquire()
            self._waiting.append(own)
            return False

    def _wait(self, own: _Call[A, R]) -> None:
        try:
            own.woken.acquire()
        except BaseException:  # Ctrl-C: whoever goes away leaves nobody waiting for him
            self._leave(own)
            raise

    def _leave(self, own: _Call[A, R]) -> None:
        with self._lock:
            if own in self._waiting:
                self._waiting.remove(own)
                return
            leads = own.woken.acquire(blocking=False) and not own.outcome
        if leads:
            self._pass_on()

    def _lead(self, own: _Call[A, R]) -> None:
        with self._lock:
            others = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._largest - 1))]
        calls = [own, *others]
        outcomes: Sequence[Outcome[R]] = ()
        try:
            outcomes = self._made(calls)
        finally:  # whatever became of the leader, nobody waits for ever
            for at, call in enumerate(calls):
                call.outcome.append(outcomes[at] if outcomes else AIMMemoryError("The thread that led was stopped."))
            for call in others:
                call.woken.release()
            self._pass_on()

    def _made(self, calls: Sequence[_Call[A, R]]) -> Sequence[Outcome[R]]:
        try:
            return self._make([call.asked for call in calls])
        except AIMMemoryError as error:
            return [_twin(error) for _ in calls]
        except Exception as error:  # noqa: BLE001  one call's fault is not to be the others'
            return [error] if len(calls) == 1 else [self._made([call])[0] for call in calls]

    def _pass_on(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().woken.release()
            else:
                self._free += 1


def _twin(error: AIMMemoryError) -> AIMMemoryError:
    """The same error once more, for a thread that raises it by itself."""
    twin = type(error).__new__(type(error), *error.args)
    vars(twin).update(vars(error))
    return twin
