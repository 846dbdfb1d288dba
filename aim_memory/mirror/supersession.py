"""Supersession: which statements end the validity of which, by subject and attribute alone.

Time is event time. A statement is valid until the next one, by (event time, ordinal), that gives the same attribute
of the same subject another value; what is said again does not supersede.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from aim_memory.mirror.values import same
from aim_memory.types import Statement, StoredStatement, Supersession


@dataclass(frozen=True, slots=True)
class NewStatement:
    """A statement about to be stored, with the event time and ordinal of its memory."""

    memory_id: str
    event_time: datetime
    ordinal: int
    statement: Statement


_Held = NewStatement | StoredStatement


def decide(new: Sequence[NewStatement], stored: Sequence[StoredStatement]) -> tuple[Supersession, ...]:
    """What has to be closed once ``new`` joins ``stored``: per key, in the order of the closed statements.

    A late arrival with an earlier event time is itself closed by what is stored, and becomes the closer of what it
    comes before. Stored statements are left as they are among themselves, so what was reopened by hand stays open.
    Deterministic; deciding again over the outcome gives nothing.
    """
    known = {(held.memory_id, held.statement) for held in stored}
    fresh = [item for item in new if (item.memory_id, item.statement) not in known]
    chains: dict[tuple[str, str], list[_Held]] = defaultdict(list)
    held_statements: list[_Held] = [*stored, *fresh]
    for held in held_statements:
        chains[_key(held)].append(held)
    touched = dict.fromkeys(_key(item) for item in fresh)
    return tuple(found for key in touched for found in _close(sorted(chains[key], key=_order)))


def _key(held: _Held) -> tuple[str, str]:
    return held.statement.subject, held.statement.attribute


def _order(held: _Held) -> tuple[datetime, int, str, str]:
    return held.event_time, held.ordinal, held.memory_id, held.statement.value


def _close(chain: Sequence[_Held]) -> Iterator[Supersession]:
    for index, old in enumerate(chain):
        closer = next((later for later in chain[index + 1 :] if _ends(old, later)), None)
        if closer is None or not (isinstance(old, NewStatement) or isinstance(closer, NewStatement)):
            continue
        if isinstance(old, NewStatement) or old.closed_by != closer.memory_id:
            yield Supersession(old.memory_id, closer.memory_id, old.statement, closer.event_time)


def _ends(old: _Held, later: _Held) -> bool:
    if later.memory_id == old.memory_id or not later.statement.closes:
        return False
    return not same(old.statement.value, later.statement.value)
