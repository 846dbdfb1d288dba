"""What a language model makes of memories: facts, summaries, a profile; asked for, read and checked, never believed."""

from aim_memory.derive.asking import SCHEMA, Kind, correction, question
from aim_memory.derive.checking import refusal
from aim_memory.derive.reply import Item, UnreadableReplyError, parse
from aim_memory.derive.windows import Window, windows

__all__ = [
    "SCHEMA",
    "Item",
    "Kind",
    "UnreadableReplyError",
    "Window",
    "correction",
    "parse",
    "question",
    "refusal",
    "windows",
]
