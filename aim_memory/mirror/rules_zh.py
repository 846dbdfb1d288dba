"""Chinese rules. Patterns run over folded (simplified, half-width) sentences."""

from __future__ import annotations

CHINESE = ()
