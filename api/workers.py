"""Bounded concurrency: so many engine calls at once, so many waiting, the rest refused politely and at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from aim_memory.errors import DeadlineExceededError, OverloadedError

P = ParamSpec("P")
T = TypeVar("T")


class Gate:
    """Lets at most ``capacity`` in. Thread-safe; never waits. Raises OverloadedError."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._inside = 0
        self._lock = threading.Lock()

    def enter(self) -> None:
        with self._lock:
            if self._inside >= self._capacity:
                raise OverloadedError
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1

    @contextmanager
    def passing(self) -> Iterator[None]:
        self.enter()
        try:
            yield
        finally:
            self.leave()


class Workers:
    """Threads that run the engine's synchronous calls.

    A call that misses its deadline is given up, not stopped: if it had not begun, it never will; if it had, it keeps
    its thread and its place in the gate until it returns, so calls that hang cannot pile up.
    """

    def __init__(self, threads: int, backlog: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="aim-engine")
        self._gate = Gate(threads + backlog)

    async def run(self, timeout_s: float, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Raises OverloadedError at once, DeadlineExceededError after ``timeout_s``, and what the call raises."""
        self._gate.enter()
        # With the request's context: what is traced there belongs to the request.
        future: Future[T] = self._pool.submit(partial(copy_context().run, call, *args, **kwargs))
        future.add_done_callback(lambda _: self._gate.leave())
        async with deadline(timeout_s):
            return await asyncio.wrap_future(future)

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


@asynccontextmanager
async def deadline(timeout_s: float) -> AsyncIterator[None]:
    """``asyncio.timeout`` that raises our own error, and leaves alone a TimeoutError that came from inside."""
    timer = asyncio.timeout(timeout_s)
    try:
        async with timer:
            yield
    except TimeoutError:
        if timer.expired():
            raise DeadlineExceededError from None
        raise
