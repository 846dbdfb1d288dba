"""Evidence, read once for all sentences that are compared with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from functools import cached_property

from aim_memory.anchors import extract
from aim_memory.text import analyse, fold, sentences
from aim_memory.types import Anchor, EvidenceBlock


class Reading:
    """The anchors of a text at the times of what it is compared with, bare of what they are the value of, for that is
    worded differently in an answer and in its evidence. Dates count in days, and without a date all days are alike, so
    it is read once for each day at most."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._by_day: dict[tuple[date, tzinfo | None] | None, tuple[Anchor, ...]] = {}

    def at(self, moment: datetime) -> tuple[Anchor, ...]:
        day = None if None in self._by_day else (moment.date(), moment.tzinfo)
        if day not in self._by_day:
            found = _bare(extract(self._text, reference=moment))
            if not any(anchor.kind == "date" for anchor in found):
                day = None
            self._by_day[day] = found
        return self._by_day[day]


@dataclass(frozen=True)
class HeldSentence:
    """``text[start:end]`` of a block."""

    block: EvidenceBlock
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.block.text[self.start : self.end]

    @cached_property
    def terms(self) -> frozenset[str]:
        return frozenset(analyse(self.text))

    @cached_property
    def anchors(self) -> tuple[Anchor, ...]:
        """Read at the time of the block."""
        return _bare(extract(self.text, reference=self.block.timestamp))


@dataclass(frozen=True)
class HeldBlock:
    """A block of evidence."""

    block: EvidenceBlock

    @cached_property
    def sentences(self) -> tuple[HeldSentence, ...]:
        return tuple(HeldSentence(self.block, start, end) for start, end in sentences(self.block.text))

    @cached_property
    def anchors(self) -> tuple[Anchor, ...]:
        """What it says, who said it, and the day on which it was said."""
        block = self.block
        named = extract(block.speaker, reference=block.timestamp) if block.speaker else ()
        return (*self._said(), *_bare(named), _day(block.timestamp))

    def _said(self) -> tuple[Anchor, ...]:
        if len(self.sentences) == 1 and self.sentences[0].text == self.block.text:
            return self.sentences[0].anchors
        return _bare(extract(self.block.text, reference=self.block.timestamp))


class Evidence:
    """Blocks in the order in which answers number them."""

    def __init__(self, blocks: Sequence[EvidenceBlock | HeldBlock]) -> None:
        self.blocks = tuple(one if isinstance(one, HeldBlock) else HeldBlock(one) for one in blocks)

    @cached_property
    def worded(self) -> str:
        """All that was said and by whom, folded."""
        return " ".join(fold(f"{one.block.speaker or ''} {one.block.text}") for one in self.blocks)

    def holds(self, line: str) -> bool:
        """Whether a line lies literally in one of them."""
        return any(line in one.block.text for one in self.blocks)


def _bare(anchors: Sequence[Anchor]) -> tuple[Anchor, ...]:
    return tuple(replace(anchor, slot=None) for anchor in anchors)


def _day(moment: datetime) -> Anchor:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    day = f"{midnight:%Y-%m-%d}"
    return Anchor("date", day, day, 0, len(day), since=midnight, until=midnight + timedelta(days=1))
