"""An answer followed as it comes: each sentence is cited and checked as soon as it is whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from aim_memory.answer.citations import Quote, cite
from aim_memory.answer.reading import Evidence
from aim_memory.answer.verify import Verified, verify
from aim_memory.text import sentences

_MARKS = re.compile(r"(?:\s*\[\d{1,3}\])*")


@dataclass(frozen=True, slots=True)
class Checked:
    """``answer[start:end]``, what it rests on that no sentence before it rested on, and what of it is supported."""

    start: int
    end: int
    quotes: tuple[Quote, ...]
    verified: Verified


class Follower:
    """Takes the text of an answer piece by piece, which is quick, and judges sentences that are whole, which is not.

    A sentence is whole when another begins, so that a mark after its full stop ("[2]") is still its own; a line that
    lies literally in the evidence is one quote however many sentences it has, and is whole where it ends.
    """

    def __init__(self, evidence: Evidence, reference: datetime) -> None:
        self._evidence = evidence
        self._reference = reference
        self._text = ""
        self._from = 0
        self._cited: dict[Quote, None] = {}

    def add(self, piece: str) -> list[tuple[int, int]]:
        """(start, end) of the sentences that a piece completes."""
        self._text += piece
        return list(self._complete(last=False))

    def end(self) -> list[tuple[int, int]]:
        """What is left when the answer is over."""
        return list(self._complete(last=True))

    def judge(self, start: int, end: int) -> Checked:
        """A sentence that is whole. Sentences come in order."""
        claim = self._text[start:end]
        quotes = tuple(quote for quote in cite(claim, self._evidence) if quote not in self._cited)
        self._cited.update(dict.fromkeys(quotes))
        return Checked(start, end, quotes, verify(claim, self._evidence, reference=self._reference))

    def _complete(self, *, last: bool) -> Iterator[tuple[int, int]]:
        while (end := self._boundary(last)) is not None:
            start, self._from = self._from, end
            if self._text[start:end].strip():
                yield start, end

    def _boundary(self, last: bool) -> int | None:
        """Where the unit at ``_from`` ends; None as long as that is not known, or at the end."""
        rest = self._text[self._from :]
        line, newline, _ = rest.partition("\n")
        if not rest:
            return None
        if not self._evidence.holds(line.strip()):
            for _, end in sentences(line):
                marks = _MARKS.match(line, end)
                until = marks.end() if marks else end
                following = line[until:].lstrip()
                if following and not following.startswith("["):
                    return self._from + until
        if newline:
            return self._from + len(line) + 1
        return self._from + len(rest) if last else None
