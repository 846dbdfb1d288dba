"""Which device a model runs on: the fastest kind that is there, or the one asked for."""

from __future__ import annotations

from collections.abc import Callable

from aim_memory.errors import ConfigurationError

DEVICES = ("cuda", "hpu", "npu", "xpu", "mps", "cpu")
"""Kinds of device, the first that is there wins."""


def choose_device(wanted: str | None, is_there: Callable[[str], bool]) -> str:
    """Names the device to use.

    Args:
        wanted: A kind ("cuda"), a kind with an index ("cuda:1"), or None for the first that is there.
        is_there: Tells whether a kind of device can be used on this machine.

    Raises:
        ConfigurationError: The device wanted is unknown or not there.
    """
    present = [kind for kind in DEVICES if kind == "cpu" or is_there(kind)]
    if wanted is None:
        return present[0]
    if wanted.partition(":")[0] not in present:
        raise ConfigurationError(
            f"Device '{wanted}' is not available here; this machine has: {', '.join(present)}. "
            "Change AIM_EMBEDDER__DEVICE."
        )
    return wanted
