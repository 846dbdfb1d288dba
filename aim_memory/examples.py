"""The example conversations and questions of the source tree."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from aim_memory.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the answers that count as right."""

    id: str
    namespace: str
    question: str
    expect: tuple[tuple[str, ...], ...]
    """Alternatives; none, when memory holds no answer."""
    kind: str
    gold: tuple[str, ...] = ()
    """Ids of the memories that hold the answer."""
    history: tuple[str, ...] = ()
    """Questions to ask before, in the same session."""

    def is_answered_by(self, answer: str, *, abstained: bool) -> bool:
        """Whether all strings of one alternative occur in it, whatever their case and thousands separators."""
        if not self.expect:
            return abstained
        said = _plain(answer)
        return not abstained and any(all(_plain(part) in said for part in parts) for parts in self.expect)


def find_examples(folder: Path | None = None) -> Path:
    """The folder named, or the one beside the package in a source tree. Raises ConfigurationError."""
    place = folder or Path(__file__).resolve().parents[1] / "examples"
    if (place / "conversations.jsonl").is_file() and (place / "questions.jsonl").is_file():
        return place
    raise ConfigurationError(
        f"There are no example conversations in {place}. They come with the source tree, not with the installed "
        "package: run this from a clone of the repository, or name their folder with --examples."
    )


def read_questions(file: Path) -> dict[str, Question]:
    """Questions by id."""
    with file.open(encoding="utf-8") as lines:
        return {found.id: found for found in map(_question, lines)}


def _question(line: str) -> Question:
    fields = json.loads(line)
    return Question(
        id=fields["id"],
        namespace=fields["namespace"],
        question=fields["question"],
        expect=tuple(map(tuple, fields["expect"])),
        kind=fields["kind"],
        gold=tuple(fields["gold"]),
        history=tuple(fields.get("history", ())),
    )


def _plain(text: str) -> str:
    return text.casefold().replace(",", "")
