"""Inertia: a session keeps a direction, and a question that leans on it is heard in that direction.

    d = q + λ·g·v                       the direction in which is ranked
    v ← μ·v + (1−μ)·mean(selected)      the course after a turn

The selected vectors are the session's own questions: as good as the memories they found, and they cannot drift
to a wrong hit. The left-spin gate g brakes one-sidedly, smoothly, at sharp turns.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np

from aim_memory.types import SessionState, Vector, Vectors

EPSILON = 1e-6
RECENT = 6
"""Questions of a session that are remembered."""


def direct(question: Vector, course: Vector, strength: float) -> Vector:
    """d = q + λ·v, not normalised."""
    return np.asarray(question + strength * course, np.float32)


def steer(course: Vector | None, selected: Vectors, momentum: float) -> Vector:
    """v ← μ·v + (1−μ)·mean(selected); a session at rest has v = 0."""
    mean = selected.mean(axis=0)
    start = np.zeros_like(mean) if course is None else course
    return np.asarray(momentum * start + (1 - momentum) * mean, np.float32)


def left_spin(
    course: Vector,
    change: Vector,
    last_change: Vector,
    *,
    strength: float = 0.5,
    onset: float = 0.3,
    turn_weight: float = 1.0,
    jerk_weight: float = 1.0,
) -> float:
    """The left-spin gate g ∈ (0, 1]: 1 on a steady course, less at a sharp turn.

    d₁ = |Δu| / (ε+|u|);  a = |Δu − Δu_prev| / (ε+|Δu|+|Δu_prev|);  s = w₁·d₁ + w₂·a;
    φ = α·softplus(s − τ);  g = 1/√(1+φ²), with α ``strength`` and τ ``onset``.
    """
    turn = _norm(change) / (EPSILON + _norm(course))
    jerk = _norm(change - last_change) / (EPSILON + _norm(change) + _norm(last_change))
    excess = turn_weight * turn + jerk_weight * jerk - onset
    phase = strength * float(np.logaddexp(0.0, excess))
    return float(1.0 / np.sqrt(1.0 + phase * phase))


def gate(state: SessionState, question: Vector, strength: float) -> float:
    """g for a question asked on a session's course; 1 when the gate is off or the session at rest."""
    if state.direction is None or strength == 0:
        return 1.0
    drift = np.zeros_like(question) if state.drift is None else state.drift
    return left_spin(state.direction, question - state.direction, drift, strength=strength)


def advance(state: SessionState, text: str, vector: Vector | None, momentum: float, now: datetime) -> SessionState:
    """The state after a question. Without a vector only the words are remembered."""
    after = replace(state, turns=state.turns + 1, recent=(*state.recent, text)[-RECENT:], updated_at=now)
    if vector is None:
        return after
    before = np.zeros_like(vector) if state.direction is None else state.direction
    return replace(after, direction=steer(state.direction, vector[None, :], momentum), drift=vector - before)


def _norm(vector: Vector) -> float:
    return float(np.linalg.norm(vector))
