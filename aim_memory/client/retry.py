"""When to send again, and how long to wait before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from secrets import SystemRandom

import httpx2

Outcome = httpx2.Response | httpx2.RequestError
"""What one attempt came to."""

PASSING = frozenset({408, 429, 502, 503, 504})
"""Statuses that may be gone on the next attempt."""
UNTOUCHED = frozenset({429, 503})
"""Those of them with which a server refuses before it begins."""
LONGEST_ASKED_S = 60.0
"""A server that asks for a longer pause is taken to be away."""


@dataclass(frozen=True, slots=True)
class Retry:
    """At most ``limit`` further attempts, each after about twice the pause of the one before.

    The pause is min(most_s, first_s · 2^tried), less up to a quarter of it by ``jitter``, a source of numbers
    in [0, 1), so that many clients do not come back at once. A Retry-After of the server goes before.
    """

    limit: int = 2
    first_s: float = 0.5
    most_s: float = 8.0
    jitter: Callable[[], float] = SystemRandom().random

    def pause(self, outcome: Outcome, tried: int, *, repeatable: bool) -> float | None:
        """Seconds until the next attempt, after ``tried`` attempts beyond the first; None to give up or be content."""
        if tried >= self.limit or not _may_pass(outcome, repeatable):
            return None
        asked = _retry_after(outcome)
        if asked is not None:
            return asked if asked <= LONGEST_ASKED_S else None
        pause = min(self.most_s, self.first_s * 2.0**tried)
        return pause * (1 - 0.25 * self.jitter())


def _may_pass(outcome: Outcome, repeatable: bool) -> bool:
    if isinstance(outcome, httpx2.Response):
        return outcome.status_code in (PASSING if repeatable else UNTOUCHED)
    return repeatable or isinstance(outcome, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout)


def may_have_happened(outcome: Outcome) -> bool:
    """Whether the server may have begun with what came to this: then a repeated deletion may find nothing any more."""
    return not _may_pass(outcome, repeatable=False)


def _retry_after(outcome: Outcome) -> float | None:
    """Retry-After in seconds. A date is read against the server's own Date, so no local clock is needed."""
    headers = outcome.headers if isinstance(outcome, httpx2.Response) else httpx2.Headers()
    asked = headers.get("retry-after", "")
    try:
        return max(0.0, float(asked))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(asked) - parsedate_to_datetime(headers["date"])).total_seconds())
    except (KeyError, TypeError, ValueError):
        return None
