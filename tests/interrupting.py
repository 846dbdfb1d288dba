"""Ctrl-C for a thread that waits."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

AGAIN_S = 0.02


@contextmanager
def interrupted_when(ready: Callable[[], object]) -> Iterator[None]:
    """The main thread, inside, is interrupted once as soon as ``ready`` says so.

    The signal is sent until it is heard: CPython misses one that comes just before it begins to wait for a lock.
    """
    heard, main = threading.Event(), threading.main_thread().ident or 0

    def hear(*_: object) -> None:
        if not heard.is_set():
            heard.set()
            raise KeyboardInterrupt

    def interrupt() -> None:
        while not ready() and not heard.is_set():
            pass
        while not heard.is_set():
            signal.pthread_kill(main, signal.SIGINT)
            heard.wait(AGAIN_S)

    before = signal.signal(signal.SIGINT, hear)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        yield
    finally:
        heard.set()
        thread.join()
        signal.signal(signal.SIGINT, before)
