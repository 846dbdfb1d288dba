"""From a generated answer and its verification to what is shown: marked, kept, or withdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aim_memory.answer.citations import Quote
from aim_memory.answer.verify import Verified

MARK = " [unverified]"
ABSTENTION = "I don't know: the memories do not hold an answer to this."
ABSTENTION_ZH = "我不知道：记忆里没有这个问题的答案。"


@dataclass(frozen=True, slots=True)
class Finished:
    text: str
    abstained: bool


def needs_retry(verified: Verified, *, refilled: bool, streamed: bool) -> bool:
    """Whether one more try with the originals is worth it: something is unsupported, the context was not yet refilled,
    and nothing of the answer has been shown."""
    return bool(verified.unsupported) and not refilled and not streamed


def finish(
    answer: str, verified: Verified, quotes: Sequence[Quote], *, abstained: bool, question: str = ""
) -> Finished:
    """Marks unsupported values in the text, or abstains.

    An answer is withdrawn when its generator abstained, when it is empty, or when it rests on nothing: no quote
    supports it and none of the values it states is held by the evidence.
    """
    if abstained or rests_on_nothing(verified, quotes) or not answer.strip():
        return Finished(abstention(question), True)
    return Finished(_marked(answer, verified), False)


def rests_on_nothing(verified: Verified, quotes: Sequence[Quote]) -> bool:
    """Whether an answer states values, and the evidence holds none of them and supports no sentence."""
    return not quotes and bool(verified.unsupported) and not verified.supported


def abstention(question: str) -> str:
    """The sentence that says so, in the language of the question."""
    return ABSTENTION_ZH if any("\u4e00" <= char <= "\u9fff" for char in question) else ABSTENTION


def _marked(answer: str, verified: Verified) -> str:
    for end in sorted({anchor.end for anchor in verified.unsupported}, reverse=True):
        answer = answer[:end] + MARK + answer[end:]
    return answer
