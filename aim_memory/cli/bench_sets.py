"""Evaluation sets in the normal form: a folder each, with ``memories.jsonl`` and ``queries.jsonl``.

A memory has namespace, id, text and perhaps session, timestamp and speaker, in chronological order. A query has
namespace, id, text, category, gold (ids of the memories that hold the evidence; none, nothing to find), history (the
turns before it, oldest first) and perhaps an answer.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from aim_memory.errors import InvalidInputError

_Row = TypeVar("_Row", bound=BaseModel)


class StoredTurn(BaseModel):
    """A line of ``memories.jsonl``."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    namespace: str
    id: str
    text: str
    session: str | None = None
    timestamp: str | None = None
    speaker: str | None = None


class Question(BaseModel):
    """A line of ``queries.jsonl``."""

    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    namespace: str
    id: str
    text: str
    category: str = ""
    gold: frozenset[str] = frozenset()
    history: tuple[str, ...] = ()
    answer: str | None = None


@dataclass(frozen=True)
class EvaluationSet:
    name: str
    memories: Sequence[StoredTurn]
    questions: Sequence[Question]
    """Those that have something to find."""
    texts: dict[tuple[str, str], str] = field(repr=False)
    """(namespace, id) → text."""


def read_sets(folder: Path, names: Collection[str] = (), limit: int | None = None) -> list[EvaluationSet]:
    """Reads the sets of a folder, by name; at most ``limit`` questions each, with the memories of their namespaces.

    Raises:
        InvalidInputError: There is no such set, or a line is not in the normal form.
    """
    found = {place.parent.name: place.parent for place in sorted(folder.glob("*/memories.jsonl"))}
    unknown = sorted(set(names) - set(found))
    if unknown or not found:
        raise InvalidInputError(
            f"{folder} holds no evaluation set{' named ' + ', '.join(unknown) if unknown else ''}; "
            f"it has: {', '.join(found) or 'none'}. A set is a folder with memories.jsonl and queries.jsonl."
        )
    return [_read_set(place, limit) for name, place in found.items() if not names or name in names]


def _read_set(folder: Path, limit: int | None) -> EvaluationSet:
    questions = [question for question in _rows(folder / "queries.jsonl", Question) if question.gold][:limit]
    needed = {question.namespace for question in questions}
    memories = [turn for turn in _rows(folder / "memories.jsonl", StoredTurn) if turn.namespace in needed]
    texts = {(turn.namespace, turn.id): turn.text for turn in memories}
    return EvaluationSet(folder.name, memories, questions, texts)


def _rows(file: Path, kind: type[_Row]) -> list[_Row]:
    rows = []
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                rows.append(kind.model_validate_json(line))
            except ValidationError as error:
                first = error.errors()[0]
                place = ".".join(map(str, first["loc"]))
                raise InvalidInputError(f"{file}, line {number}: {place}: {first['msg']}.") from None
    return rows
