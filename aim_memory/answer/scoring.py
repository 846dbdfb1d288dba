"""Which stretch of the evidence answers a question best: named parts, one weighted sum."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aim_memory.anchors import extract
from aim_memory.answer.asked import Asked, asked
from aim_memory.answer.held import holds_kind, holds_unit
from aim_memory.answer.stretches import Stretch, stretches
from aim_memory.text import analyse, fold, is_question, meanings, notions, refers_back
from aim_memory.types import Anchor, EvidenceBlock

WEIGHTS: Mapping[str, float] = {
    "rank": 1.5,
    "score": 2.0,
    "words": 0.3,
    "notions": 1.0,
    "meaning": 1.0,
    "led_meaning": 1.0,
    "led_words": 0.3,
    "led_notions": 0.3,
    "kind": 1.2,
    "unit": 1.3,
    "reply": 0.7,
    "asks": -0.8,
    "voice": -1.3,
    "recency": 1.3,
    "stale": -0.8,
    "thin": -0.5,
    "length": 0.3,
    "speaker": 1.6,
}

PARTS = tuple(WEIGHTS)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stretch with the parts of its score."""

    stretch: Stretch
    parts: Mapping[str, float]

    @property
    def score(self) -> float:
        return sum(WEIGHTS[name] * value for name, value in self.parts.items())


def candidates(question: str, blocks: Sequence[EvidenceBlock], history: Sequence[str] = ()) -> list[Candidate]:
    """All stretches of the blocks with their parts, best first; ties keep the order of the blocks."""
    reading = _Reading.of(question, blocks, history)
    found = [Candidate(stretch, reading.parts(stretch)) for stretch in stretches(blocks)]
    return sorted(found, key=lambda candidate: -candidate.score)


@dataclass(frozen=True, slots=True)
class _Reading:
    """The question and the blocks, read once."""

    asked: Asked
    named: frozenset[str]
    """Folded speakers that the question names."""
    known: frozenset[str]
    """Keys of the question's own anchors."""
    words: Mapping[str, float]
    notions: Mapping[str, float]
    content: Mapping[str, frozenset[str]]
    content_weights: Mapping[str, float]
    blocks: Sequence[EvidenceBlock]
    anchors: Sequence[tuple[Anchor, ...]]
    leads: Sequence[tuple[int, ...]]
    """Per block the blocks of the two turns before it, nearest first, as far as they are there."""
    ages: Sequence[float]
    levels: Sequence[float]

    @classmethod
    def of(cls, question: str, blocks: Sequence[EvidenceBlock], history: Sequence[str]) -> _Reading:
        speakers = {fold(block.speaker) for block in blocks if block.speaker}
        mute = {term for speaker in speakers for term in analyse(speaker)}
        topic = history[-1] if history and refers_back(question) else ""
        content = {w: n for w, n in meanings(f"{question} {topic}").items() if w not in mute}
        bags = [(frozenset(analyse(b.text)), notions(b.text), fold(b.text)) for b in blocks]
        cw = {
            w: max(0.1, math.log((len(bags) + 1) / (0.5 + sum(1.0 if w in b[0] or (not w.isascii() and w in b[2]) else 0.6 * bool(n & b[1]) for b in bags))))
            for w, n in content.items()
        }
        return cls(
            content=content,
            content_weights=cw,
            asked=asked(question, topic),
            named=frozenset(speaker for speaker in speakers if speaker.split()[0] in fold(question)),
            known=_keys(question, blocks),
            words=_rarity(
                frozenset(analyse(question)) - mute,
                frozenset(analyse(topic)) - mute,
                [frozenset(analyse(block.text)) for block in blocks],
            ),
            notions=_rarity(notions(question), notions(topic), [notions(block.text) for block in blocks]),
            blocks=blocks,
            anchors=[extract(block.text, reference=block.timestamp) for block in blocks],
            leads=[_leads(block, blocks) for block in blocks],
            ages=_ages(blocks),
            levels=_levels(blocks),
        )

    def _meaning(self, texts: Sequence[str]) -> float:
        """Share of the question's content words that the texts hold, a word by its notion alone counting less."""
        bag = frozenset().union(*map(analyse, texts))
        touched = frozenset().union(*map(notions, texts))
        raw = fold(" ".join(texts))
        total = sum(self.content_weights.values())
        got = sum(
            weight * (1.0 if word in bag or (not word.isascii() and word in raw) else 0.6 if self.content[word] & touched else 0.0)
            for word, weight in self.content_weights.items()
        )
        return got / total if total else 0.0

    def parts(self, stretch: Stretch) -> dict[str, float]:
        block, place = self.blocks[stretch.block], stretch.block
        inside = [a for a in self.anchors[place] if stretch.start <= a.start and a.end <= stretch.end]
        bag, meant = frozenset(analyse(stretch.text)), notions(stretch.text)
        led = [self.blocks[lead].text for lead in self.leads[place]]
        asking = [self.levels[lead] for lead in self.leads[place][:1] if is_question(self.blocks[lead].text)]
        sign = {"present": 1.0, "past": -1.0, "any": 0.15}[self.asked.tense]
        return {
            "rank": 1 / (1 + 0.3 * place),
            "score": self.levels[place],
            "words": _share(self.words, bag),
            "notions": _share(self.notions, meant),
            "meaning": self._meaning([stretch.text]),
            "led_meaning": self._meaning([stretch.text, *led]),
            "led_words": _share(self.words, bag.union(*map(analyse, led))),
            "led_notions": _share(self.notions, meant.union(*map(notions, led))),
            "kind": float(bool(self.asked.kinds) and holds_kind(self.asked, stretch.text, inside, self.known)),
            "unit": float(holds_unit(self.asked, inside)),
            "reply": max(asking, default=0.0),
            "asks": float(is_question(stretch.text)),
            "voice": float((block.role == "assistant") != self.asked.assistant),
            "recency": sign * self.ages[place],
            "stale": (-1.0 if self.asked.tense == "past" else 1.0) * (not block.current),
            "thin": float(len(bag) < 3),
            "length": math.log1p(len(bag)),
            "speaker": float(not self.named or fold(block.speaker or "") in self.named),
        }


def _rarity(wanted: frozenset[str], topic: frozenset[str], bags: Sequence[frozenset[str]]) -> dict[str, float]:
    """Each wanted item with its weight ln((n + 1) / (df + 0.5)), at least 0.05; what only the topic has, half of it."""
    held = Counter(item for bag in bags for item in bag)
    rare = {item: max(0.05, math.log((len(bags) + 1) / (held[item] + 0.5))) for item in wanted | topic}
    return {item: weight if item in wanted else weight / 2 for item, weight in rare.items()}


def _share(weights: Mapping[str, float], bag: frozenset[str]) -> float:
    """How much of the weight is in the bag, in [0, 1]."""
    total = sum(weights.values())
    return sum(weight for item, weight in weights.items() if item in bag) / total if total > 0 else 0.0


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
    return [times.index(block.timestamp) / max(1, len(times) - 1) for block in blocks]


def _levels(blocks: Sequence[EvidenceBlock]) -> list[float]:
    """Retrieval scores, 1 for the best and 0 for the least."""
    scores = [block.score for block in blocks]
    low, high = min(scores, default=0.0), max(scores, default=0.0)
    return [(score - low) / (high - low) if high > low else 1.0 for score in scores]


def _keys(question: str, blocks: Sequence[EvidenceBlock]) -> frozenset[str]:
    """Keys of the question's own anchors; relative dates do not matter here, so any reference time will do."""
    times = [block.timestamp for block in blocks]
    return frozenset(anchor.key for anchor in extract(question, reference=max(times))) if times else frozenset()
