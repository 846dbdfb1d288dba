"""What decay costs when a namespace has aged: the same questions after many later writes about other things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby
from typing import Any

from aim_memory.cli.bench.ablation import without
from aim_memory.cli.bench.intervals import Pairs, difference
from aim_memory.cli.bench.metrics import percentage, recall
from aim_memory.cli.bench.outcomes import counted, judged
from aim_memory.cli.bench.running import Tell
from aim_memory.cli.bench.sets import EvaluationSet, StoredTurn
from aim_memory.cli.bench.stage import staged
from aim_memory.cli.bench.study import Report, Study, change, rounded, table
from aim_memory.settings import Settings


@dataclass(frozen=True)
class Aged:
    """R@10 of every question that counts, over aged namespaces."""

    without: Sequence[float]
    decaying: Sequence[float]
    namespaces: Sequence[str]


def suits(chosen: EvaluationSet) -> bool:
    return len(chosen.namespaces) > 1


def aged(chosen: EvaluationSet) -> EvaluationSet:
    """The set with later writes in every namespace, about as many as it has of its own.

    They are the later sessions of the other namespaces, in their order, from the next one on.
    """
    by_namespace = {
        name: list(turns)
        for name, turns in groupby(sorted(chosen.memories, key=lambda turn: turn.namespace), lambda t: t.namespace)
    }
    names = list(by_namespace)
    memories = []
    for place, name in enumerate(names):
        own, others = by_namespace[name], [*names[place + 1 :], *names[:place]]
        late = chain.from_iterable(later(by_namespace[other]) for other in others)
        memories += [*own, *(_moved(turn, name) for turn, _ in zip(late, own, strict=False))]
    return EvaluationSet(chosen.name, memories, chosen.questions)


def later(turns: Sequence[StoredTurn]) -> list[StoredTurn]:
    """The later half of the sessions; of the turns, where there are fewer than two sessions."""
    sessions = list(dict.fromkeys(turn.session for turn in turns))
    if len(sessions) < 2:
        return list(turns[len(turns) // 2 :])
    kept = set(sessions[len(sessions) // 2 :])
    return [turn for turn in turns if turn.session in kept]


def _moved(turn: StoredTurn, namespace: str) -> StoredTurn:
    """The turn in another namespace, its ids made its own."""
    session = None if turn.session is None else f"{turn.namespace} {turn.session}"
    moved = {"namespace": namespace, "id": f"{turn.namespace} {turn.id}", "session": session}
    return turn.model_copy(update=moved)


def measure(settings: Settings, chosen: EvaluationSet, tell: Tell) -> Aged:
    old = aged(chosen)
    asked = chosen.questions
    configs = (without(settings.memory, "decay"), settings.memory)
    rows = []
    with staged(settings, old, partial(tell, f"{old.name}: writing", len(old.memories))) as stage:
        for question in asked:
            outcomes = [judged(old, question, stage.names, stage.ask(question, config)) for config in configs]
            if counted(chosen.name, outcomes[0]):
                rows.append((*(recall(one, 10) for one in outcomes), question.namespace))
            tell(f"{old.name}: asking", len(asked), 1)
    flat, decaying, namespaces = zip(*rows, strict=True)
    return Aged(flat, decaying, namespaces)


def report(measured: Mapping[str, Aged]) -> dict[str, Any]:
    return {"sets": {name: _of_set(one) for name, one in measured.items()}}


def _of_set(one: Aged) -> dict[str, Any]:
    added = difference([Pairs(one.without, one.decaying, one.namespaces)])
    return {"n": len(one.without), "without decay": percentage(one.without), **rounded({"decay": added})}


def section(report: Report) -> str:
    rows = [
        [name, str(of["n"]), f"{of['without decay']:.1f}", change(of["decay"])] for name, of in report["sets"].items()
    ]
    return (
        "R@10 over namespaces to which the later sessions of others were appended, as many writes again: without "
        "decay, and what decay changes, with a paired 95 % interval.\n\n"
        + table(["set", "n", "without decay", "with decay"], rows)
    )


STUDY = Study(
    "ageing",
    "Append later sessions of other namespaces, ask the same questions, and measure what decay costs.",
    measure,
    report,
    section,
    suits,
)
