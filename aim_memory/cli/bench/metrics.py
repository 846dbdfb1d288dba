"""What is measured of a retrieval."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log2

import numpy as np

DEPTH = 20
"""How many results a question is judged by."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came back for one question."""

    category: str
    hits: tuple[bool, ...]
    """Whether the result at each rank is gold, best first, at most DEPTH of them."""
    gold: int
    """How many memories are gold; at least 1."""
    context_tokens: int = 0
    full_tokens: int = 0
    """Tokens of the whole texts of the results."""
    gold_in_context: float = 0.0
    """Share of the gold memories whose text is in the context, whole."""
    scanned: int = 0
    stored: int = 0
    seconds: float = 0.0


def recall(outcome: Outcome, depth: int) -> float:
    """Share of the gold memories among the first ``depth`` results."""
    return sum(outcome.hits[:depth]) / outcome.gold


def reciprocal_rank(outcome: Outcome) -> float:
    """1 / rank of the first gold memory; 0 when none is among the results."""
    return next((1.0 / rank for rank, hit in enumerate(outcome.hits, 1) if hit), 0.0)


def ndcg(outcome: Outcome, depth: int = 10) -> float:
    """Normalised discounted cumulative gain with binary relevance (Järvelin and Kekäläinen, 2002)."""
    gain = sum(1.0 / log2(rank + 1) for rank, hit in enumerate(outcome.hits[:depth], 1) if hit)
    return gain / sum(1.0 / log2(rank + 1) for rank in range(1, min(outcome.gold, depth) + 1))


MEASURES: Mapping[str, Callable[[Outcome], float]] = {
    "R@1": lambda outcome: recall(outcome, 1),
    "R@5": lambda outcome: recall(outcome, 5),
    "R@10": lambda outcome: recall(outcome, 10),
    "R@20": lambda outcome: recall(outcome, 20),
    "nDCG@10": ndcg,
    "MRR": reciprocal_rank,
    "gold in context": lambda outcome: outcome.gold_in_context,
}
"""Shares in [0, 1], higher is better."""


def holds(context: str, words: str) -> bool:
    """Whether ``words`` stand in ``context`` one after the other, whatever their case, width and punctuation."""
    return stands(bare(context), bare(words))


def stands(context: str, words: str) -> bool:
    """The same for texts that are ``bare`` already."""
    return f" {words} " in f" {context} " or (_has_cjk(words) and words in context)


def bare(text: str) -> str:
    """The words of a text, folded, with one blank between them."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


def _has_cjk(text: str) -> bool:
    return re.search(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", text) is not None


def summary(outcomes: Sequence[Outcome]) -> dict[str, float | int]:
    """Means over questions: shares as percentages, tokens and milliseconds per question."""
    stored = sum(outcome.stored for outcome in outcomes)
    return {
        "n": len(outcomes),
        **{name: percentage([measure(outcome) for outcome in outcomes]) for name, measure in MEASURES.items()},
        "context tokens": round(float(np.mean([outcome.context_tokens for outcome in outcomes])), 1),
        "full-text tokens": round(float(np.mean([outcome.full_tokens for outcome in outcomes])), 1),
        "scanned": round(100 * sum(outcome.scanned for outcome in outcomes) / stored, 1) if stored else 0.0,
        "ms": round(1000 * float(np.mean([outcome.seconds for outcome in outcomes])), 1),
    }


def percentage(shares: Sequence[float]) -> float:
    return round(100 * float(np.mean(shares)), 1)
