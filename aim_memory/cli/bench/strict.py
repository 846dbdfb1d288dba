"""What strict mode costs on questions that carry anchors, and whether it ever contradicts one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from aim_memory.bodies import QueryReply
from aim_memory.cli.bench.intervals import Pairs, difference
from aim_memory.cli.bench.metrics import percentage, recall
from aim_memory.cli.bench.outcomes import counted, judged
from aim_memory.cli.bench.running import Tell
from aim_memory.cli.bench.sets import EvaluationSet
from aim_memory.cli.bench.stage import staged
from aim_memory.cli.bench.study import Report, Study, change, rounded, table
from aim_memory.settings import Settings


@dataclass(frozen=True)
class Compared:
    """The questions that carry anchors, in auto and in strict mode."""

    auto: Sequence[float]
    strict: Sequence[float]
    """R@10."""
    auto_first: Sequence[float]
    strict_first: Sequence[float]
    """R@1."""
    contradicted: tuple[int, int]
    """First results that contradict an anchor of their question, in auto and in strict mode."""
    namespaces: Sequence[str]


def measure(settings: Settings, chosen: EvaluationSet, tell: Tell) -> Compared:
    rows, contradicted = [], [0, 0]
    with staged(settings, chosen, partial(tell, f"{chosen.name}: writing", len(chosen.memories))) as stage:
        for question in chosen.questions:
            auto = stage.ask(question)
            tell(f"{chosen.name}: asking", len(chosen.questions), 1)
            if not (auto.coverage.anchors or auto.coverage.missing):
                continue
            replies = (auto, stage.ask(question, mode="strict"))
            contradicted = [count + contradicts(reply) for count, reply in zip(contradicted, replies, strict=True)]
            outcomes = [judged(chosen, question, stage.names, reply) for reply in replies]
            if counted(chosen.name, outcomes[0]):
                rows.append((*(recall(one, depth) for depth in (10, 1) for one in outcomes), question.namespace))
    auto10, strict10, auto1, strict1, namespaces = zip(*rows, strict=True) if rows else ((),) * 5
    return Compared(auto10, strict10, auto1, strict1, (contradicted[0], contradicted[1]), namespaces)


def contradicts(reply: QueryReply) -> bool:
    """Whether the first result says something else than an anchor of the question."""
    anchors = reply.results[0].anchors if reply.results else None
    return anchors is not None and bool(anchors.conflicting)


def report(compared: Mapping[str, Compared]) -> dict[str, Any]:
    return {"sets": {name: _of_set(one) for name, one in compared.items() if one.auto}}


def _of_set(one: Compared) -> dict[str, Any]:
    changes = {
        "R@10": difference([Pairs(one.auto, one.strict, one.namespaces)]),
        "R@1": difference([Pairs(one.auto_first, one.strict_first, one.namespaces)]),
    }
    return {
        "n": len(one.auto),
        "auto": percentage(one.auto),
        **rounded(changes),
        "contradicted in auto": one.contradicted[0],
        "contradicted in strict": one.contradicted[1],
    }


def section(report: Report) -> str:
    rows = [
        [
            name,
            str(of["n"]),
            f"{of['auto']:.1f}",
            change(of["R@10"]),
            change(of["R@1"]),
            str(of["contradicted in auto"]),
            str(of["contradicted in strict"]),
        ]
        for name, of in report["sets"].items()
    ]
    return (
        "Questions that carry anchors: R@10 in auto mode, what strict mode changes (paired 95 % intervals), and how "
        "many first results contradict an anchor of their question.\n\n"
        + table(["set", "n", "auto R@10", "strict R@10", "strict R@1", "against, auto", "against, strict"], rows)
    )


STUDY = Study(
    "strict",
    "Ask questions that carry anchors in strict mode, and measure what that costs and whether it keeps its promise.",
    measure,
    report,
    section,
)
