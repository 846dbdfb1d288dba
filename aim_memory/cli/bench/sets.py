"""Evaluation sets in the normal form: a folder each, with ``memories.jsonl`` and ``queries.jsonl``.

A memory has namespace, id, text and perhaps session, timestamp and speaker, in chronological order. A query has
namespace, id, text, category, gold (ids of the memories that hold the evidence; none, nothing to find), history (the
turns before it, oldest first) and perhaps an answer and the moment at which it is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
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
    at: datetime | None = None


@dataclass(frozen=True)
class EvaluationSet:
    name: str
    memories: Sequence[StoredTurn]
    questions: Sequence[Question]
    """Those that have something to find."""
    unanswerable: Sequence[Question] = ()
    """Those without gold, about the same namespaces."""
    texts: Mapping[tuple[str, str], str] = field(init=False, repr=False)
    """(namespace, id) → text."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "texts", {(turn.namespace, turn.id): turn.text for turn in self.memories})

    @property
    def namespaces(self) -> list[str]:
        """By first appearance."""
        return list(dict.fromkeys(turn.namespace for turn in self.memories))


def read_sets(folders: Sequence[Path], names: Collection[str] = (), limit: int | None = None) -> list[EvaluationSet]:
    """Reads the sets of folders, by name; at most ``limit`` questions each, with the memories of their namespaces.

    Raises:
        InvalidInputError: There is no such set, or a line is not in the normal form.
    """
    found = {place.parent.name: place.parent for folder in folders for place in sorted(folder.glob("*/memories.jsonl"))}
    unknown = sorted(set(names) - set(found))
    if unknown or not found:
        raise InvalidInputError(
            f"{', '.join(map(str, folders))} holds no evaluation set{' named ' + ', '.join(unknown) if unknown else ''}"
            f"; it has: {', '.join(found) or 'none'}. A set is a folder with memories.jsonl and queries.jsonl."
        )
    return [_read_set(place, limit) for name, place in found.items() if not names or name in names]


def _read_set(folder: Path, limit: int | None) -> EvaluationSet:
    asked = _rows(folder / "queries.jsonl", Question)
    questions = [question for question in asked if question.gold][:limit]
    needed = {question.namespace for question in questions}
    memories = [turn for turn in _rows(folder / "memories.jsonl", StoredTurn) if turn.namespace in needed]
    unanswerable = [question for question in asked if not question.gold and question.namespace in needed]
    return EvaluationSet(folder.name, memories, questions, unanswerable)


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
