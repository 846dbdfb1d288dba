"""The system clock: the one place that reads wall time and randomness."""

from __future__ import annotations

import secrets
import threading
import time
import uuid
from datetime import UTC, datetime

from aim_memory.ports import Clock


class SystemClock(Clock):
    """Wall time, and UUIDv7 ids that never go backwards within a process (RFC 9562, method 1: counter in rand_a)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def new_id(self) -> str:
        with self._lock:
            # 48 bits of milliseconds and a 12-bit counter read as one number, so a full counter spills into time.
            self._last = max(self._last + 1, (time.time_ns() // 1_000_000) << 12)
            moment, counter = self._last >> 12, self._last & 0xFFF
        bits = moment << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | secrets.randbits(62)
        return str(uuid.UUID(int=bits))
