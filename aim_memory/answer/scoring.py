"""Which stretch of the evidence answers a question best: named parts, one weighted sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aim_memory.anchors import extract
from aim_memory.answer.asked import Asked, asked
from aim_memory.answer.content import Content, Text
from aim_memory.answer.held import holds_kind, holds_unit
from aim_memory.answer.stretches import Stretch, stretches
from aim_memory.text import analyse, fold, is_question, refers_back
from aim_memory.types import Anchor, EvidenceBlock

WEIGHTS: Mapping[str, float] = {
    "rank": 1.7,
    "score": 1.8,
    "meaning": 0.45,
    "notions": 0.65,
    "led_meaning": 1.45,
    "led_notions": 0.9,
    "kind": 1.95,
    "unit": 1.1,
    "reply": 0.6,
    "asks": -1.2,
    "voice": -1.2,
    "recency": 1.1,
    "stale": -0.6,
    "thin": -0.2,
    "speaker": 1.15,
}
"""Fitted by maximum likelihood of the right stretch (softmax over all stretches, L2) on questions about the example and
practice conversations in examples/; see docs/design/answering.md. Parts lie in [0, 1] but for the signs of recency and
stale."""


MOST = 0.5
"""Share of what a question is about that outweighs a missing kind of value."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stretch with the parts of its score."""

    stretch: Stretch
    parts: Mapping[str, float]
    support: float
    """How much of what the question is about it holds with the turns before it, in [0, 1]; without the kind of value
    that the question seems to ask for, only what goes beyond ``MOST``: "which model" may want a number or a thing."""

    @property
    def score(self) -> float:
        return sum(WEIGHTS[name] * value for name, value in self.parts.items())


def candidates(question: str, blocks: Sequence[EvidenceBlock], history: Sequence[str] = ()) -> list[Candidate]:
    """All stretches of the blocks with their parts, best first; ties keep the order of the blocks.

    Args:
        question: As asked.
        blocks: Evidence, best first.
        history: Earlier questions of the session, oldest first. The last one is the topic of one that refers back.
    """
    if not blocks:
        return []
    evidence = _Evidence.of(blocks)
    reading = _Reading.of(question, topic_of(question, history), evidence)
    found = [reading.candidate(stretch) for stretch in stretches(blocks)]
    return sorted(found, key=lambda candidate: -candidate.score)


def topic_of(question: str, history: Sequence[str]) -> str:
    """The question before this one, when this one refers back."""
    return history[-1] if history and refers_back(question) else ""


@dataclass(frozen=True, slots=True)
class _Evidence:
    """The blocks, read once. Every sequence is parallel to ``blocks``."""

    blocks: Sequence[EvidenceBlock]
    texts: Sequence[Text]
    anchors: Sequence[tuple[Anchor, ...]]
    leads: Sequence[tuple[int, ...]]
    """The places of the two turns before, nearest first, as far as they are among the blocks."""
    ages: Sequence[float]
    levels: Sequence[float]

    @classmethod
    def of(cls, blocks: Sequence[EvidenceBlock]) -> _Evidence:
        return cls(
            blocks,
            [Text.of(block.text) for block in blocks],
            [extract(block.text, reference=block.timestamp) for block in blocks],
            [_leads(block, blocks) for block in blocks],
            _ages(blocks),
            _levels(blocks),
        )


@dataclass(frozen=True, slots=True)
class _Reading:
    """The question in the light of the evidence."""

    asked: Asked
    named: frozenset[str]
    """Folded speakers that the question names."""
    known: frozenset[str]
    """Keys of the question's own anchors."""
    content: Content
    evidence: _Evidence

    @classmethod
    def of(cls, question: str, topic: str, evidence: _Evidence) -> _Reading:
        speakers = frozenset(fold(block.speaker) for block in evidence.blocks if block.speaker)
        mute = frozenset(term for speaker in speakers for term in analyse(speaker))
        latest = max(block.timestamp for block in evidence.blocks)
        return cls(
            asked=asked(question, topic),
            named=frozenset(speaker for speaker in speakers if speaker.split()[0] in fold(question)),
            known=frozenset(anchor.key for anchor in extract(question, reference=latest)),
            content=Content.of(question, topic, mute, evidence.texts),
            evidence=evidence,
        )

    def candidate(self, stretch: Stretch) -> Candidate:
        parts = self.parts(stretch)
        about = parts["led_meaning"] if self.content.words else 1.0
        fits = parts["kind"] or not self.asked.kinds
        return Candidate(stretch, parts, about if fits else max(0.0, about - MOST))

    def parts(self, stretch: Stretch) -> dict[str, float]:
        place, block = stretch.block, self.evidence.blocks[stretch.block]
        own = self.evidence.texts[place] if stretch.text == block.text else Text.of(stretch.text)
        led = own.with_(self.evidence.texts[lead] for lead in self.evidence.leads[place])
        inside = [
            anchor
            for anchor in self.evidence.anchors[place]
            if stretch.start <= anchor.start and anchor.end <= stretch.end
        ]
        return {
            "rank": 1 / (1 + 0.3 * place),
            "score": self.evidence.levels[place],
            "meaning": self.content.share(own),
            "notions": self.content.touched(own),
            "led_meaning": self.content.share(led),
            "led_notions": self.content.touched(led),
            "kind": float(holds_kind(self.asked, stretch.text, inside, self.known)),
            "unit": float(holds_unit(self.asked, inside)),
            "reply": self._reply(place),
            "asks": float(is_question(stretch.text)),
            "voice": float((block.role == "assistant") != self.asked.assistant),
            "recency": {"present": 1.0, "past": -1.0, "any": 0.15}[self.asked.tense] * self.evidence.ages[place],
            "stale": (-1.0 if self.asked.tense == "past" else 1.0) * (not block.current),
            "thin": float(len(own.terms) < 3),
            "speaker": float(not self.named or fold(block.speaker or "") in self.named),
        }

    def _reply(self, place: int) -> float:
        """How well the turn right before ranks when it asks: its reply is the likely answer."""
        lead = next(iter(self.evidence.leads[place]), None)
        if lead is None or not is_question(self.evidence.blocks[lead].text):
            return 0.0
        return self.evidence.levels[lead]


def _leads(block: EvidenceBlock, blocks: Sequence[EvidenceBlock]) -> tuple[int, ...]:
    if block.session_id is None or block.ordinal is None:
        return ()
    gaps = {
        place: block.ordinal - other.ordinal
        for place, other in enumerate(blocks)
        if other.session_id == block.session_id and other.ordinal is not None
    }
    return tuple(sorted((place for place, gap in gaps.items() if 1 <= gap <= 2), key=lambda place: gaps[place]))


def _ages(blocks: Sequence[EvidenceBlock]) -> list[float]:
    """Place of each block in time: 0 the oldest, 1 the newest."""
    times = sorted({block.timestamp for block in blocks})
    order = {time: place / max(1, len(times) - 1) for place, time in enumerate(times)}
    return [order[block.timestamp] for block in blocks]


def _levels(blocks: Sequence[EvidenceBlock]) -> list[float]:
    """Retrieval scores, 1 for the best and 0 for the least."""
    low, high = min(block.score for block in blocks), max(block.score for block in blocks)
    return [(block.score - low) / (high - low) if high > low else 1.0 for block in blocks]
