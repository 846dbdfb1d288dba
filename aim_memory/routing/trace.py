"""Why a ranking is as it is, in plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aim_memory.routing.plan import Plan
from aim_memory.routing.values import Ask


def explain(plan: Plan, asks: Sequence[Ask]) -> Mapping[str, object]:
    """How the question was heard: as a whole, then in parts, if it has any."""
    moving = plan.moving
    return {
        "questions": [ask.text for ask in asks],
        "terms": dict(plan.own.terms),
        "participants_named": list(plan.named),
        "about_past": plan.about_past,
        "embedded": plan.own.vector is not None,
        "left_spin_gate": round(plan.gate, 4),
        "terms_carried": dict(moving.terms.items() - plan.own.terms.items()) if moving else {},
    }
