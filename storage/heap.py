"""Memory that was freed goes back to the system: glibc alone keeps what lies between blocks in use."""

from __future__ import annotations

import ctypes
import sys

_trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None


def give_back() -> None:
    """Takes some milliseconds; does nothing where the C library is not glibc."""
    if _trim is not None:
        _trim(0)
