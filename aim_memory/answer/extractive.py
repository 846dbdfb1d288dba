"""The built-in answerer: no model, only literal quotes of what was stored."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from aim_memory.answer.dated import date_line
from aim_memory.answer.finish import abstention
from aim_memory.answer.scoring import Candidate, candidates
from aim_memory.answer.stretches import overlap
from aim_memory.answer.structured import NO_QUOTES
from aim_memory.ports import Generator
from aim_memory.types import Delta, EvidenceBlock, Prompt

QUOTES = 3
"""Most stretches quoted."""
CLOSE = 3.0
"""A further stretch is quoted when its score is at most this far below the best."""
LEAST_SUPPORT = 0.1
"""It abstains when no quote with the kind of value asked for holds this share of what the question is about."""
LEAST_CONFIDENCE = 0.3
"""It abstains below this confidence of the retrieval: 3 % of the answerable questions of our own sets lie there, and
half to nearly all of those asked of a wrong conversation."""


class ExtractiveGenerator(Generator):
    """Quotes the one to three stretches that answer best, one a line, best first; abstains when nothing fits.

    Every quote is a literal stretch of one block, so its citation is exact. Where a date is asked for and the best
    quote does not say it in full ("last Friday"), a last line does. It looks at ``Prompt.question``, ``history``,
    ``blocks`` and ``confidence`` only: instructions in stored text are text to it.
    """

    @property
    def name(self) -> str:
        return "extractive"

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Delta, None]:
        if prompt.response_format is not None:
            yield Delta(finish="abstained", degraded=True, reason=NO_QUOTES)
            return
        quotes = answer(prompt.question, prompt.blocks, prompt.confidence, prompt.history)
        if not quotes:
            yield Delta(abstention(prompt.question), finish="abstained")
            return
        for place, quote in enumerate(quotes):
            yield Delta(f"\n{quote}" if place else quote)
        yield Delta(finish="stop")


def answer(question: str, blocks: Sequence[EvidenceBlock], confidence: float, history: Sequence[str] = ()) -> list[str]:
    """The quotes, best first, and the date they give; none when the evidence does not seem to hold an answer."""
    chosen: list[Candidate] = []
    for candidate in candidates(question, blocks, history) if confidence >= LEAST_CONFIDENCE else ():
        near = not chosen or candidate.score >= chosen[0].score - CLOSE
        if near and len(chosen) < QUOTES and not any(overlap(candidate.stretch, taken.stretch) for taken in chosen):
            chosen.append(candidate)
    if not any(candidate.support >= LEAST_SUPPORT for candidate in chosen):
        return []
    quotes = [candidate.stretch for candidate in chosen]
    line = date_line(question, quotes[0], blocks)
    return [quote.text for quote in quotes] + ([line] if line else [])
