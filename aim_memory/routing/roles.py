"""Who said a memory: people or assistants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from aim_memory.ports import IndexReader
from aim_memory.routing.values import Mask
from aim_memory.text import fold

_ASSISTANTS = frozenset({"assistant", "ai", "bot", "model", "助手", "助理"})


def assistants(index: IndexReader) -> Mask:
    """True, per row, for what an assistant said."""
    return where(index, "role", lambda role: fold(role) in _ASSISTANTS)


def where(index: IndexReader, field: str, test: Callable[[Any], bool]) -> Mask:
    """True, per row, where a field is there and passes a test; the test runs once per distinct value."""
    codes, values = index.coded(field)
    return np.array([*map(test, values), False], np.bool_)[codes]  # code −1, absent, reads the last entry
