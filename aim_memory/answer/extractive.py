"""The built-in answerer: no model, only literal quotes of what was stored."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from aim_memory.answer.dated import date_line
from aim_memory.answer.finish import abstention
from aim_memory.answer.scoring import Candidate, candidates
from aim_memory.answer.stretches import overlap
from aim_memory.answer.structured import NO_QUOTES
from aim_memory.ports import Generator
from aim_memory.text import questions
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
    """Quotes the one to three stretches that answer best, one a line, best first, or one for each of several questions;
    abstains when nothing fits.

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
    """The quotes, best first, and the date they give; none when the evidence does not seem to hold an answer.

    A text that asks several things gets the best quote for each, in the order of its questions.
    """
    if confidence < LEAST_CONFIDENCE:
        return []
    asked = [question[start:end] for start, end in questions(question)]
    if len(asked) < 2:
        return _quotes(question, blocks, history, QUOTES)
    found = [_quotes(one, blocks, [*history, *asked[:place]], 1) for place, one in enumerate(asked)]
    return list(dict.fromkeys(line for lines in found for line in lines))


def _quotes(question: str, blocks: Sequence[EvidenceBlock], history: Sequence[str], most: int) -> list[str]:
    chosen: list[Candidate] = []
    for candidate in candidates(question, blocks, history):
        near = not chosen or candidate.score >= chosen[0].score - CLOSE
        if near and len(chosen) < most and not any(overlap(candidate.stretch, taken.stretch) for taken in chosen):
            chosen.append(candidate)
    if not any(candidate.support >= LEAST_SUPPORT for candidate in chosen):
        return []
    quotes = [candidate.stretch for candidate in chosen]
    line = date_line(question, quotes[0], blocks)
    return [quote.text for quote in quotes] + ([line] if line else [])
