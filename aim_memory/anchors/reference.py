"""The described arithmetic of anchored correction, as pure functions.

score = base + anchor_score · η · w with η = 2.0 and field weights numbers 3.0 > symbols 2.5 > names 2.0 >
definitions 1.5. Dates count as numbers and identifiers as symbols, which the description has no fields for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aim_memory.anchors.match import agree
from aim_memory.types import Anchor, AnchorKind

FIELD_WEIGHTS: Mapping[AnchorKind, float] = {
    "number": 3.0,
    "date": 3.0,
    "symbol": 2.5,
    "identifier": 2.5,
    "name": 2.0,
    "definition": 1.5,
}


def anchor_score(wanted: Sequence[Anchor], held: Sequence[Anchor]) -> float:
    """Field weight of the wanted anchors that are held, over the field weight of all wanted ones; in [0, 1].

    0 when nothing is wanted.
    """
    total = sum(FIELD_WEIGHTS[anchor.kind] for anchor in wanted)
    found = sum(FIELD_WEIGHTS[anchor.kind] for anchor in wanted if any(agree(anchor, other) for other in held))
    return found / total if total else 0.0


def corrected_score(base: float, overlap: float, *, eta: float = 2.0, weight: float = 1.0) -> float:
    """base + anchor_score · η · w, where ``weight`` is the temporal weight of the memory."""
    return base + overlap * eta * weight
