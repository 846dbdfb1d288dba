"""What to do next with a model server, from what was seen of it: no clock, no process, no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LONGEST_REST_S = 60.0
PROVEN_AFTER_S = 60.0
"""Ready for so long, a server has proved itself: the next rest is a first one again."""

Step = Literal["wait", "launch", "kill"]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long what may take, in seconds."""

    start_s: float
    health_s: float
    rest_s: float
    """Before the first restart; doubled with each failure."""


class Course:
    """Starting, ready, resting (after a failure, each time twice as long), starting again.

    Every ``now`` is of one monotonic clock, in seconds.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._failures = 0
        self._since = 0.0
        self._healthy_at = 0.0
        self.state: Literal["starting", "ready", "resting"] = "resting"
        self.until = 0.0
        """When a rest ends."""
        self.trouble: str | None = None
        """Why the last run ended."""

    def launched(self, now: float) -> None:
        self.state, self._since, self._healthy_at = "starting", now, now

    def failed(self, now: float, trouble: str) -> None:
        """The run is over, or could not begin: rest, then try again."""
        if self.state == "ready" and now - self._since >= PROVEN_AFTER_S:
            self._failures = 0
        rest = min(self._patience.rest_s * 2 ** min(self._failures, 16), LONGEST_REST_S)
        self._failures += 1
        self.state, self.until, self.trouble = "resting", now + rest, trouble

    def look(self, now: float, exit_code: int | None, healthy: bool) -> Step:
        """What to do, given whether it has ended and whether it says that it is well."""
        if self.state == "resting":
            return "launch" if now >= self.until else "wait"
        if exit_code is not None:
            self.failed(now, f"it ended with {_named(exit_code)}")
        elif healthy:
            self._healthy_at = now
            if self.state == "starting":
                self.state, self._since = "ready", now
        elif trouble := self._impatience(now):
            self.failed(now, trouble)
            return "kill"
        return "wait"

    def _impatience(self, now: float) -> str | None:
        allowed = self._patience.start_s if self.state == "starting" else self._patience.health_s
        if now - self._healthy_at <= allowed:
            return None
        return f"it was not {'ready' if self.state == 'starting' else 'well'} for {allowed:g} s"


def _named(exit_code: int) -> str:
    return f"signal {exit_code - 128}" if exit_code > 128 else f"code {exit_code}"
