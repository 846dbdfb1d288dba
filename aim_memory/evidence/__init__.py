"""What of the memories a generator is given: summaries, originals, under a budget."""

from aim_memory.evidence.mode import ModeDecision, choose_mode
from aim_memory.evidence.refill import Context, build
from aim_memory.evidence.summary import summarise, summary_spans
from aim_memory.evidence.tokens import count_tokens

__all__ = ["Context", "ModeDecision", "build", "choose_mode", "count_tokens", "summarise", "summary_spans"]
