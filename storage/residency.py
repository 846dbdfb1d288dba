"""Which namespaces deserve memory most (A²CR: attention, activity, recency).

Each question to a namespace adds 0.6 to its standing and each answer made from its memories 0.4, and all of it fades by
5 % in the time in which as many questions are asked as there are indexes in memory. So attention (0.4), frequency
and recency (0.3 each) are one number that needs no yardstick, and time counts in turnovers of the memory, whatever its
size. Why not three numbers, and what else was tried: docs/design/store.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from aim_memory.types import Space

ASKED = 0.6
ANSWERED = 0.4
DECAY = 0.05
"""Share that fades in one turnover."""
_GHOSTS = 8
"""Namespaces remembered for each that is in memory, at least 1,024 in all."""


class Standing:
    """Standings by namespace. Not thread-safe.

    What is kept is log(sum) + decay × time: it fades without being touched, and never changes order by itself.
    """

    def __init__(self, decay: float = DECAY) -> None:
        self._decay = decay
        self._time = 0.0
        self._known: dict[Space, float] = {}

    def asked(self, space: Space, residents: int) -> None:
        """A question to a namespace while so many have their index in memory."""
        self._time += self._decay / max(residents, 1)
        self._add(space, ASKED)
        if len(self._known) > max(1_024, _GHOSTS * residents):
            self._forget_half()

    def answered(self, space: Space) -> None:
        """Memories of a namespace were cited, or said to have helped."""
        self._add(space, ANSWERED)

    def forget(self, space: Space) -> None:
        self._known.pop(space, None)

    def least(self, spaces: Iterable[Space]) -> Space | None:
        """The one that deserves memory least, None of none."""
        return min(spaces, key=lambda space: self._known.get(space, -math.inf), default=None)

    def _add(self, space: Space, amount: float) -> None:
        standing = self._known.get(space)
        left = 0.0 if standing is None else math.exp(standing - self._time)
        self._known[space] = math.log(left + amount) + self._time

    def _forget_half(self) -> None:
        best = sorted(self._known, key=self._known.__getitem__, reverse=True)
        self._known = {space: self._known[space] for space in best[: len(best) // 2]}
