"""How much of what a question needs stands in the context, at several budgets, against plain texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from aim_memory.bodies import QueryReply
from aim_memory.cli.bench.intervals import Pairs, difference
from aim_memory.cli.bench.metrics import bare, percentage, stands
from aim_memory.cli.bench.outcomes import counted, judged
from aim_memory.cli.bench.running import Tell
from aim_memory.cli.bench.sets import EvaluationSet, Question
from aim_memory.cli.bench.stage import Stage, staged
from aim_memory.cli.bench.study import Report, Study, change, rounded, table
from aim_memory.evidence import count_tokens
from aim_memory.settings import Settings
from aim_memory.text import analyse, sentences

BUDGETS = (250, 500, 1000, 2000)
RANKED = 100
"""Results that either context may be made of."""
SHORT = 6
"""Words of an answer that can be expected to stand in a memory as it is."""
MEASURES = {
    "answer": f"The answer's words stand in the context, in order; answers of at most {SHORT} words.",
    "answer terms": "Share of the answer's terms that the context holds; those of the question do not count.",
    "evidence": "Share of the gold memories whose answering sentence (or only sentence) stands in the context.",
}


FORMS = {"texts": False, "with days": True}
"""Plain texts bare, and only what memories say counted; or every line with its day, and days counted on both sides."""
_Key = tuple[str, str, int]
"""A measure, a form and a budget."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a context should hold, as bare words and terms."""

    answer: str
    """"" where it is not short."""
    terms: frozenset[str]
    evidence: tuple[str, ...]
    """The answering sentence of each gold memory."""

    def shares(self, context: str) -> dict[str, float | None]:
        """By measure, in [0, 1]; None where there is nothing to look for."""
        words, held = bare(context), analyse(context).keys() if self.terms else frozenset()
        return {
            "answer": float(stands(words, self.answer)) if self.answer else None,
            "answer terms": len(self.terms & held) / len(self.terms) if self.terms else None,
            "evidence": sum(stands(words, one) for one in self.evidence) / len(self.evidence),
        }


@dataclass(frozen=True)
class Contexts:
    """The shares of plain texts and of the service's context, question by question."""

    pairs: Mapping[_Key, Pairs]
    tokens: Mapping[int, float]
    """Budget → mean tokens of the context."""


def wanted(chosen: EvaluationSet, question: Question) -> Wanted:
    asked, answer = analyse(question.text).keys(), question.answer or ""
    terms = frozenset(analyse(answer)) - asked
    clues = terms or frozenset(asked)
    texts = [chosen.texts[question.namespace, gold] for gold in sorted(question.gold)]
    short = bare(answer) if answer and len(bare(answer).split()) <= SHORT else ""
    return Wanted(short, terms, tuple(bare(answering(text, clues, frozenset(asked))) for text in texts))


def answering(text: str, clues: frozenset[str], asked: frozenset[str]) -> str:
    """The sentence that holds most of the clues; of several, the one that holds most of the question's terms."""
    parts = [text[start:end] for start, end in sentences(text)] or [text]

    def worth(part: str) -> tuple[int, int]:
        held = analyse(part).keys()
        return len(clues & held), len(asked & held)

    return max(parts, key=worth)


def plain_texts(reply: QueryReply, budget: int, *, dated: bool) -> str:
    """Whole texts with their speakers, best first, until the budget is full; the last one is cut to fit."""
    lines: list[str] = []
    for hit in reply.results:
        line = f"{hit.speaker}: {hit.text}" if hit.speaker else hit.text
        line = f"{hit.timestamp:%Y-%m-%d} {line}" if dated else line
        if count_tokens("\n".join([*lines, line])) > budget:
            return "\n".join([*lines, _cut(lines, line, budget)])
        lines.append(line)
    return "\n".join(lines)


def _cut(lines: Sequence[str], line: str, budget: int) -> str:
    """The longest beginning of a line that still fits."""
    fits, too_long = 0, len(line)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if count_tokens("\n".join([*lines, line[:middle]])) <= budget:
            fits = middle
        else:
            too_long = middle
    return line[:fits]


def measure(settings: Settings, chosen: EvaluationSet, tell: Tell) -> Contexts:
    rows: list[tuple[_Key, float, float, str]] = []
    spent: dict[int, list[int]] = {budget: [] for budget in BUDGETS}
    with staged(settings, chosen, partial(tell, f"{chosen.name}: writing", len(chosen.memories))) as stage:
        for question in chosen.questions:
            for budget in BUDGETS:
                reply = stage.ask(question, top_k=RANKED, max_tokens=budget)
                spent[budget].append(reply.tokens.context)
                rows += _compared(stage, question, reply, budget)
            tell(f"{chosen.name}: asking", len(chosen.questions), 1)
    pairs = {key: _pairs([row[1:] for row in rows if row[0] == key]) for key in dict.fromkeys(row[0] for row in rows)}
    return Contexts(pairs, {budget: float(np.mean(tokens)) for budget, tokens in spent.items()})


def _pairs(rows: Sequence[tuple[float, float, str]]) -> Pairs:
    before, after, namespaces = zip(*rows, strict=True)
    return Pairs(before, after, namespaces)


def _compared(stage: Stage, question: Question, reply: QueryReply, budget: int) -> list[tuple[_Key, float, float, str]]:
    """(key, share in plain texts, share in the context, namespace) of one question."""
    if not counted(stage.chosen.name, judged(stage.chosen, question, stage.names, reply)):
        return []
    looked_for, rows = wanted(stage.chosen, question), []
    for form, dated in FORMS.items():
        before = looked_for.shares(plain_texts(reply, budget, dated=dated))
        after = looked_for.shares(reply.context if dated else _said(reply))
        for name in MEASURES:
            first, second = before[name], after[name]
            if first is not None and second is not None:
                rows.append(((name, form, budget), first, second, question.namespace))
    return rows


def _said(reply: QueryReply) -> str:
    """What of the memories stands in the context: without the days of its lines, which plain texts do not have."""
    return "\n".join(piece.text for piece in reply.evidence)


def report(measured: Mapping[str, Contexts]) -> dict[str, Any]:
    return {"sets": {name: _of_set(one) for name, one in measured.items()}}


def _of_set(one: Contexts) -> dict[str, Any]:
    measures: dict[str, Any] = {}
    for (name, form, budget), pairs in one.pairs.items():
        figures = {"n": len(pairs.before), "plain": percentage(pairs.before), "context": percentage(pairs.after)}
        gain = rounded({"gain": difference([pairs])})
        measures.setdefault(name, {}).setdefault(form, {})[str(budget)] = figures | gain
    return {"measures": measures, "tokens": {str(budget): round(tokens) for budget, tokens in one.tokens.items()}}


def section(report: Report) -> str:
    introduction = (
        f"Plain texts of a ranking ({RANKED} results), best first until the budget is full → the context of the "
        "service: shares in %, and the gain in points with a paired 95 % interval. *Texts* have no days, and only what "
        "memories say counts; *with days* every line has its day, as in the context, and days count."
    )
    parts = [introduction]
    for name, meaning in MEASURES.items():
        rows = [
            [f"{place}, {form} (n {of[str(BUDGETS[0])]['n']})", *(_cell(of[str(budget)]) for budget in BUDGETS)]
            for place, one in report["sets"].items()
            for form, of in one["measures"].get(name, {}).items()
        ]
        headings = ["set", *(f"{budget} tokens" for budget in BUDGETS)]
        parts.append(f"**{name}.** {meaning}\n\n{table(headings, rows)}")
    return "\n\n".join(parts)


def _cell(one: Mapping[str, Any]) -> str:
    return f"{one['plain']:.1f} → {one['context']:.1f}, {change(one['gain'])}"


STUDY = Study(
    "evidence",
    "Build contexts at several budgets, and measure what of the answer stands in them against plain texts.",
    measure,
    report,
    section,
)
