"""The built-in answerer: no model, only literal quotes of what was stored."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from aim_memory.answer.finish import abstention
from aim_memory.answer.scoring import asks_for_value, candidates
from aim_memory.answer.stretches import Stretch, overlap
from aim_memory.ports import Generator
from aim_memory.types import Delta, EvidenceBlock, Prompt

QUOTES = 3
"""Most stretches quoted."""
CLOSE = 3.0
"""A further stretch is quoted when its score is at most this far below the best."""
LEAST_SCORE = 5.0
LEAST_SCORE_TYPED = 6.5
"""Below this score of the best stretch it abstains; a question that names a kind of value sets the bar higher."""
LEAST_CONFIDENCE = 0.05
"""Below this confidence of the retrieval it abstains whatever the scores, which compare the evidence only with itself."""


class ExtractiveGenerator(Generator):
    """Quotes the one to three stretches that answer best, one a line, best first; abstains when nothing fits.

    Every line is a literal stretch of one block, so its citation is exact. It looks at ``Prompt.question``,
    ``blocks`` and ``confidence`` only: instructions in stored text are text to it.
    """

    @property
    def name(self) -> str:
        return "extractive"

    async def stream(self, prompt: Prompt) -> AsyncIterator[Delta]:
        quotes = answer(prompt.question, prompt.blocks, prompt.confidence, prompt.history)
        if not quotes:
            yield Delta(abstention(prompt.question), finish="abstained")
            return
        for place, quote in enumerate(quotes):
            yield Delta(f"\n{quote}" if place else quote)
        yield Delta(finish="stop")


def answer(
    question: str, blocks: Sequence[EvidenceBlock], confidence: float, history: Sequence[str] = ()
) -> list[str]:
    """The quotes, best first; none when the evidence does not seem to hold an answer."""
    ranked = candidates(question, blocks, history)
    least = LEAST_SCORE_TYPED if asks_for_value(question, history) else LEAST_SCORE
    if not ranked or confidence < LEAST_CONFIDENCE or ranked[0].score < least:
        return []
    chosen: list[Stretch] = []
    for candidate in ranked:
        near = candidate.score >= ranked[0].score - CLOSE
        if near and len(chosen) < QUOTES and not any(overlap(candidate.stretch, taken) for taken in chosen):
            chosen.append(candidate.stretch)
    return [stretch.text for stretch in chosen]
