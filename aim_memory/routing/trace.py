"""Why a ranking is as it is, in plain values."""

from __future__ import annotations

from collections.abc import Mapping

from aim_memory.routing.plan import Plan


def explain(plan: Plan) -> Mapping[str, object]:
    """How the question was heard."""
    moving = plan.moving
    return {
        "terms": dict(plan.own.terms),
        "participants_named": list(plan.named),
        "about_past": plan.about_past,
        "embedded": plan.own.vector is not None,
        "left_spin_gate": round(plan.gate, 4),
        "terms_carried": dict(moving.terms.items() - plan.own.terms.items()) if moving else {},
    }
