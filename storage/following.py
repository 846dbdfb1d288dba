"""Reading the change log: what happened between two places in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aim_memory.types import Change


def missed(read: Callable[[int], Sequence[Change]], after: int, until: int) -> list[Change] | None:
    """The changes after ``after`` up to ``until`` or further; None if the log has a gap, as after an erasure.

    Args:
        read: The next changes after a ``seq``, some at a time.
    """
    found: list[Change] = []
    while after < until:
        some = read(after)
        if not some or some[0].seq != after + 1:
            return None
        found += some
        after = some[-1].seq
    return found
