"""What every peer is handed: the memories, the questions and one vector for every text, in a folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aim_memory.cli.bench.sets import EvaluationSet, Question, StoredTurn
from aim_memory.ports import Embedder
from benchmarks.peers.roster import Form

EMBEDDED_AT_ONCE = 256
LED_BY = 2
"""Turns before a question that peers without sessions get behind it. Of the forms tried (one, two or all of them, in
front or behind the question) the one that served the floor best over three multi-turn sets."""


def prepare(folder: Path, chosen: EvaluationSet, form: Form, embedder: Embedder) -> None:
    """Writes ``memories.jsonl``, ``questions.jsonl``, ``texts.json`` and ``vectors.npy``.

    Ids and namespaces are numbered anew (``m0``, ``n0``), because peers differ in the characters they allow.
    """
    folder.mkdir(parents=True)
    spaces = {turn.namespace: None for turn in chosen.memories}
    names = {namespace: f"n{number}" for number, namespace in enumerate(spaces)}
    by_space = sorted(enumerate(chosen.memories), key=lambda pair: list(spaces).index(pair[1].namespace))
    memories = [_memory(number, turn, names, form) for number, turn in by_space]
    questions = [_question(number, question, names) for number, question in enumerate(chosen.questions)]
    _write_rows(folder / "memories.jsonl", memories)
    _write_rows(folder / "questions.jsonl", questions)
    _write_vectors(folder, memories, questions, embedder)


def gold_of(chosen: EvaluationSet) -> list[frozenset[str]]:
    """For each question the numbered ids of the memories to be found."""
    numbered = {(turn.namespace, turn.id): f"m{number}" for number, turn in enumerate(chosen.memories)}
    return [
        frozenset(
            numbered[question.namespace, gold] for gold in question.gold if (question.namespace, gold) in numbered
        )
        for question in chosen.questions
    ]


def tell(turn: StoredTurn, form: Form) -> str:
    """The text of a memory for a peer that knows no speakers and no times."""
    spoken = turn.text if form == "plain" or not turn.speaker else f"{turn.speaker}: {turn.text}"
    return f"[{turn.timestamp[:10]}] {spoken}" if form == "dated" and turn.timestamp else spoken


def _memory(number: int, turn: StoredTurn, names: Mapping[str, str], form: Form) -> dict[str, Any]:
    return {
        "id": f"m{number}",
        "namespace": names[turn.namespace],
        "text": turn.text,
        "told": tell(turn, form),
        "session": turn.session and f"s{''.join(sign if sign.isalnum() else '_' for sign in turn.session)[:100]}",
        "timestamp": turn.timestamp,
        "speaker": turn.speaker,
    }


def _question(number: int, question: Question, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "id": f"q{number}",
        "namespace": names[question.namespace],
        "text": question.text,
        "history": list(question.history),
        "longer": "\n".join([question.text, *question.history[-LED_BY:]]) if question.history else None,
    }


def _write_vectors(
    folder: Path, memories: Sequence[Mapping[str, Any]], questions: Sequence[Mapping[str, Any]], embedder: Embedder
) -> None:
    told = list(dict.fromkeys(memory["told"] for memory in memories))
    asked = dict.fromkeys(question[field] for question in questions for field in ("text", "longer"))
    fresh = [text for text in asked if text and text not in set(told)]
    vectors = [embedder.embed_documents(batch) for batch in _batches(told)]
    vectors += [embedder.embed_queries(batch) for batch in _batches(fresh)]
    np.save(folder / "vectors.npy", np.concatenate(vectors).astype(np.float32))
    (folder / "texts.json").write_text(json.dumps([*told, *fresh]), encoding="utf-8")


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), EMBEDDED_AT_ONCE):
        yield texts[start : start + EMBEDDED_AT_ONCE]


def _write_rows(file: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
