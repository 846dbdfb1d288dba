"""A lock that is handed over in the order it was asked for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable


class FairLock:
    """First come, first served; ``threading.Lock`` promises no order, and under load it starves.

    Not reentrant. ``acquire`` gives up after a time.
    """

    def __init__(self, give_back: Callable[[], None] | None = None) -> None:
        """``give_back``: what somebody does who was handed the lock and is interrupted; ``release`` if left out."""
        self._give_back = give_back or self.release
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Lock] = deque()

    def __len__(self) -> int:
        """How many wait."""
        with self._guard:
            return len(self._waiting)

    def acquire(self, timeout_s: float) -> bool:
        """Whether the lock was got within ``timeout_s`` seconds."""
        with self._guard:
            if not self._held:
                self._held = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        try:
            return turn.acquire(timeout=timeout_s) or not self._leave(turn)
        except BaseException:  # Ctrl-C: nobody is to wait for who has left
            if not self._leave(turn):
                self._give_back()
            raise

    def release(self) -> None:
        """Hands the lock to whoever has waited longest."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False

    def hand_over(self) -> bool:
        """Hands the lock to whoever has waited longest; whether there was anybody. If not, it is held as before."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
                return True
            return False

    def _leave(self, turn: threading.Lock) -> bool:
        """Whether ``turn`` was still waiting; if not, the lock was handed over at the last moment."""
        with self._guard:
            if turn not in self._waiting:
                return False
            self._waiting.remove(turn)
            return True
