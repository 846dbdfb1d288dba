"""What a check says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from aim_memory.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one question."""

    name: str
    """Of the part that was looked at."""
    state: Literal["ok", "warning", "failed"]
    """``failed``: it cannot work. ``warning``: it works, but not as it was meant to."""
    found: str
    fix: str | None = None
    """What to do, where something is to be done."""


Check: TypeAlias = "Callable[[Settings], Iterator[Finding]]"
