"""From evidence to an answer that is verified and cited."""

from aim_memory.answer.citations import Quote, cite
from aim_memory.answer.extractive import ExtractiveGenerator
from aim_memory.answer.finish import Finished, abstention, finish, needs_retry
from aim_memory.answer.order import arranged
from aim_memory.answer.prompt import build_prompt, in_time
from aim_memory.answer.structured import NOT_JSON, claims, finish_structured, value_of
from aim_memory.answer.verify import Verified, verify

__all__ = [
    "NOT_JSON",
    "ExtractiveGenerator",
    "Finished",
    "Quote",
    "Verified",
    "abstention",
    "arranged",
    "build_prompt",
    "cite",
    "claims",
    "finish",
    "finish_structured",
    "in_time",
    "needs_retry",
    "value_of",
    "verify",
]
