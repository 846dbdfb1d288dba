"""From a reply to what it is judged by."""

from __future__ import annotations

from collections.abc import Mapping

from aim_memory.bodies import QueryReply
from aim_memory.cli.bench.metrics import DEPTH, Outcome, bare, stands
from aim_memory.cli.bench.sets import EvaluationSet, Question


def judged(
    chosen: EvaluationSet, question: Question, names: Mapping[str, str], reply: QueryReply, seconds: float = 0.0
) -> Outcome:
    """``names``: id in the store → id in the set."""
    context = bare(reply.context)
    inside = [stands(context, bare(chosen.texts[question.namespace, gold])) for gold in question.gold]
    return Outcome(
        category=question.category,
        hits=tuple(names[hit.id] in question.gold for hit in reply.results[:DEPTH]),
        gold=len(question.gold),
        context_tokens=reply.tokens.context,
        full_tokens=reply.tokens.full_text,
        gold_in_context=sum(inside) / len(inside),
        scanned=reply.work.scanned,
        stored=reply.work.stored,
        seconds=seconds,
    )


def counted(name: str, outcome: Outcome) -> bool:
    """Whether a question counts in its set's figures."""
    return (name, outcome.category) not in ASIDE


ASIDE = frozenset({("locomo", "5")})
"""Categories that are shown but not counted: their questions name the wrong person on purpose."""
