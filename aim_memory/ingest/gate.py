"""The write gate: how much a text has to say, and whether that is enough to become a memory."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from aim_memory.types import Anchor

_RICH_TERMS = 24
"""Distinct terms at which a text counts as full."""
_ANCHOR_SHARE = 0.4


def value(terms: Mapping[str, int], anchors: Sequence[Anchor]) -> float:
    """What a text is worth keeping, in [0, 1]: mostly its distinct terms, the rest whether it pins anything down.

    0.6 · min(1, log(1 + distinct terms) / log(1 + 24)) + 0.4 · (1 − 1/(1 + anchors)). "Ok!" is near 0, a
    sentence with a date and a name near 0.8. The product keeps everything (threshold 0): what looks empty today
    may be the evidence asked for tomorrow.
    """
    said = min(1.0, math.log1p(len(terms)) / math.log1p(_RICH_TERMS))
    pinned_down = 1.0 - 1.0 / (1.0 + len(anchors))
    return (1 - _ANCHOR_SHARE) * said + _ANCHOR_SHARE * pinned_down
