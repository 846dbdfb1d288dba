"""Working on many rows at once."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

_T = TypeVar("_T")


def chunks(items: Iterable[_T], size: int = 400) -> Iterator[list[_T]]:
    """Pieces small enough for one IN list, of pairs too: some databases bound a statement to 999 parameters."""
    whole = list(items)
    return (whole[i : i + size] for i in range(0, len(whole), size))


@contextmanager
def collector_paused() -> Iterator[None]:
    """For making millions of values that all stay alive: looking for garbage among them doubles the time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
