"""From evidence to an answer that is verified and cited."""

from aim_memory.answer.citations import Quote, cite
from aim_memory.answer.extractive import ExtractiveGenerator
from aim_memory.answer.finish import Finished, abstention, finish, needs_retry
from aim_memory.answer.order import arranged
from aim_memory.answer.prompt import build_prompt, in_time
from aim_memory.answer.verify import Verified, verify

__all__ = [
    "ExtractiveGenerator",
    "Finished",
    "Quote",
    "Verified",
    "abstention",
    "arranged",
    "build_prompt",
    "cite",
    "finish",
    "in_time",
    "needs_retry",
    "verify",
]
