"""The built-in answerer: no model, only literal quotes of what was stored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from aim_memory.answer.finish import abstention
from aim_memory.answer.scoring import Candidate, candidates
from aim_memory.ports import Generator
from aim_memory.types import Delta, EvidenceBlock, Prompt

QUOTES = 3
"""Most sentences quoted."""
CLOSE = 0.7
"""A further sentence is quoted when it scores at least this share of the best."""
LEAST_CONFIDENCE = 0.2
LEAST_RELEVANCE = 0.2


class ExtractiveGenerator(Generator):
    """Quotes the one to three sentences that answer best, one a line, best first; abstains when nothing fits.

    Every line is a literal stretch of one block, so its citation is exact. It looks at ``Prompt.question``,
    ``blocks`` and ``confidence`` only: instructions in stored text are text to it.
    """

    @property
    def name(self) -> str:
        return "extractive"

    async def stream(self, prompt: Prompt) -> AsyncIterator[Delta]:
        quotes = answer(prompt.question, prompt.blocks, prompt.confidence)
        if not quotes:
            yield Delta(abstention(prompt.question), finish="abstained")
            return
        for place, quote in enumerate(quotes):
            yield Delta(f"\n{quote}" if place else quote)
        yield Delta(finish="stop")


def answer(question: str, blocks: Sequence[EvidenceBlock], confidence: float) -> list[str]:
    """The quotes, best first; none when the evidence does not seem to hold an answer."""
    ranked = candidates(question, blocks)
    if not ranked or _hopeless(ranked, confidence):
        return []
    best = ranked[0]
    chosen: list[Candidate] = []
    for candidate in ranked:
        fresh = candidate.text not in (taken.text for taken in chosen)
        if fresh and candidate.score >= CLOSE * best.score and len(chosen) < QUOTES:
            chosen.append(candidate)
    return [candidate.text for candidate in chosen]


def _hopeless(ranked: Sequence[Candidate], confidence: float) -> bool:
    return confidence < LEAST_CONFIDENCE or max(c.relevance for c in ranked) < LEAST_RELEVANCE
