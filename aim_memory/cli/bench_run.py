"""Runs evaluation sets through the public write and query paths of an embedded memory."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from aim_memory.bodies import QueryReply
from aim_memory.cli.bench_metrics import DEPTH, Outcome, holds
from aim_memory.cli.bench_sets import EvaluationSet, Question, StoredTurn
from aim_memory.embedded import AIMMemory
from aim_memory.settings import Settings

BATCH = 50
"""Memories per write."""
HISTORY = 6
"""Earlier turns asked before a question, at most."""

Step = Callable[[int], None]
"""Told after so many memories written or questions asked."""


@dataclass(frozen=True)
class Written:
    """A set lies in a data folder."""

    seconds: float
    statuses: Mapping[str, int]
    """How many writes ended with each status."""


@dataclass(frozen=True)
class Asked:
    """All questions of a set were asked."""

    seconds: float
    outcomes: Sequence[Outcome]
    """One for each question, in their order."""


@dataclass(frozen=True)
class Run:
    """One set under one configuration."""

    written: Written
    asked: Asked


@dataclass(frozen=True)
class Manner:
    """How questions are asked."""

    label: str
    """Begins the names of the sessions: two runs over one folder do not share them."""
    with_session: bool = True
    max_tokens: int | None = None


def write_set(home: Path, settings: Settings, chosen: EvaluationSet, step: Step) -> Written:
    """Writes a set into a data folder, batch by batch."""
    began = time.perf_counter()
    written: Counter[str] = Counter()
    with AIMMemory(home, settings=settings) as memory:
        for namespace, items in _batches(chosen):
            reply = memory.write(namespace=namespace, memories=items)
            written.update(result.status for result in reply.results)
            step(len(items))
    return Written(time.perf_counter() - began, written)


def ask_set(home: Path, settings: Settings, chosen: EvaluationSet, manner: Manner, step: Step) -> Asked:
    """Asks every question of a set, each in a session of its own, the turns before it first."""
    began = time.perf_counter()
    names = {f"m{number}": turn.id for number, turn in enumerate(chosen.memories)}
    outcomes = []
    with AIMMemory(home, settings=settings) as memory:
        for number, question in enumerate(chosen.questions):
            in_session = manner.with_session and bool(question.history)
            asked = _ask(memory, chosen, question, manner, f"{manner.label}-{number}" if in_session else None)
            outcomes.append(_outcome(chosen, question, names, *asked))
            step(1)
    return Asked(time.perf_counter() - began, outcomes)


def _ask(
    memory: AIMMemory, chosen: EvaluationSet, question: Question, manner: Manner, session_id: str | None
) -> tuple[QueryReply, float]:
    """The reply, and the seconds it took, those of the earlier turns left out."""
    namespace = _namespace(chosen, question.namespace)
    for turn in question.history[-HISTORY:] if session_id else ():
        memory.query(turn, namespace=namespace, session_id=session_id, top_k=1, mode="fast")
    began = time.perf_counter()
    reply = memory.query(
        question.text, namespace=namespace, session_id=session_id, top_k=DEPTH, max_tokens=manner.max_tokens
    )
    return reply, time.perf_counter() - began


def _batches(chosen: EvaluationSet) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """(namespace, items) in chronological order within each namespace."""
    numbered = sorted(enumerate(chosen.memories), key=lambda pair: pair[1].namespace)
    for namespace, turns in groupby(numbered, key=lambda pair: pair[1].namespace):
        items = [_item(number, turn) for number, turn in turns]
        for start in range(0, len(items), BATCH):
            yield _namespace(chosen, namespace), items[start : start + BATCH]


def _item(number: int, turn: StoredTurn) -> dict[str, Any]:
    return {
        "id": f"m{number}",
        "text": turn.text,
        "speaker": turn.speaker,
        "role": turn.speaker if turn.speaker in ("user", "assistant") else None,
        "timestamp": _moment(turn.timestamp),
        "session_id": None if turn.session is None else f"s{_safe(turn.session)}",
    }


def _moment(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _namespace(chosen: EvaluationSet, namespace: str) -> str:
    return f"bench/{_safe(chosen.name)}-{_safe(namespace)}"


def _safe(text: str) -> str:
    return "".join(character if character.isascii() and character.isalnum() else "_" for character in text)[:100]


def _outcome(
    chosen: EvaluationSet, question: Question, names: Mapping[str, str], reply: QueryReply, seconds: float
) -> Outcome:
    inside = [holds(reply.context, chosen.texts[question.namespace, gold]) for gold in question.gold]
    return Outcome(
        category=question.category,
        hits=tuple(names[hit.id] in question.gold for hit in reply.results),
        gold=len(question.gold),
        context_tokens=reply.tokens.context,
        full_tokens=reply.tokens.full_text,
        gold_in_context=sum(inside) / len(inside),
        answer_in_context=holds(reply.context, question.answer) if question.answer else None,
        scanned=reply.work.scanned,
        stored=reply.work.stored,
        seconds=seconds,
    )
