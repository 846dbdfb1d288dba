"""Inertial routing: from a question to ranked memories."""

from aim_memory.routing.retrieve import retrieve
from aim_memory.routing.scoring import temporal_weights
from aim_memory.routing.values import Ask, Displaced, Ranked, Ranking
from aim_memory.routing.visible import visible

__all__ = ["Ask", "Displaced", "Ranked", "Ranking", "retrieve", "temporal_weights", "visible"]
