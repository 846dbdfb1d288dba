"""A made-up world to measure speed in: conversations in invented words, with vectors of any number and no model.

Words have vectors; a text's tokens are its words, and its own vector lies near its topic. A question is made from one
memory: a few of its words, and a vector not far from its own. All of it follows from the seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from aim_memory.anchors import extract
from aim_memory.ports import Embedder
from aim_memory.text import index_terms
from aim_memory.types import NewMemory, Segment, TokenBits, Vector, Vectors

DIMENSION = 384
WORDS = 20_000
TURNS = 24
"""Of a session; each has one topic."""
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
PEOPLE = ("Ada", "Boris")


@dataclass(frozen=True)
class Told:
    id: str
    text: str
    session: str
    speaker: str
    words: tuple[int, ...]
    vector: Vector


@dataclass(frozen=True)
class Asked:
    text: str
    gold: str


class World:
    def __init__(self, memories: int, seed: int = 7) -> None:
        self._rng = np.random.default_rng(seed)
        self._size = memories
        self._names = _invented(self._rng)
        self._words = _unit(self._rng.standard_normal((WORDS, DIMENSION), np.float32))
        self._signs = np.packbits(self._words > 0, axis=1)
        # Word n is as frequent as 1 / (n + 10): a few are everywhere, most are rare.
        frequency = 1 / (np.arange(WORDS) + 10)
        self._sums = np.cumsum(frequency / frequency.sum())
        self._by_name = {name: number for number, name in enumerate(self._names)}

    def told(self) -> Iterator[list[Told]]:
        """All memories, a session at a time."""
        rng = self._rng
        topics = _unit(rng.standard_normal((max(24, self._size // 200), DIMENSION), np.float32))
        for start in range(0, self._size, TURNS):
            topic = int(rng.integers(len(topics)))
            own = rng.integers(WORDS, size=8)  # words that this session is about
            yield [self._turn(start + turn, own, topics[topic]) for turn in range(min(TURNS, self._size - start))]

    def _turn(self, number: int, own: np.ndarray, topic: Vector) -> Told:
        rng = self._rng
        words = np.searchsorted(self._sums, rng.random(int(rng.integers(8, 28)))).clip(0, WORDS - 1)
        words[rng.random(len(words)) < 0.25] = rng.choice(own)
        text = " ".join(self._names[word] for word in words)
        text += f" for {number % 900 + 100} euros" if number % 5 == 0 else ""
        vector = _unit(topic + 0.9 * _unit(rng.standard_normal((1, DIMENSION), np.float32))[0])
        speaker = PEOPLE[number % 2]
        return Told(
            f"m{number}", text.capitalize() + ".", f"s{number // TURNS}", speaker, tuple(words.tolist()), vector
        )

    def question(self, told: Told) -> tuple[Asked, Vector]:
        words = sorted(set(told.words))[len(set(told.words)) // 2 :][:2]  # neither the rarest nor the most frequent
        text = f"What did {told.speaker} say about {', '.join(self._names[word] for word in words)}?"
        noise = _unit(self._rng.standard_normal((1, DIMENSION), np.float32))[0]
        return Asked(text, told.id), _unit(told.vector + 0.8 * noise)

    def memory(self, told: Told, number: int) -> NewMemory:
        said = BEGIN + timedelta(minutes=number)
        terms = index_terms(f"{told.speaker}: {told.text}")
        return NewMemory(
            id=told.id,
            text=told.text,
            summary=told.text,
            digest=told.id,
            timestamp=said,
            created_at=said,
            session_id=told.session,
            speaker=told.speaker,
            segments=(Segment(0, len(told.text), terms, told.vector, self.signs(told)),),
            anchors=extract(told.text, reference=said),
            generation=Prepared.generation,
        )

    def signs(self, told: Told) -> TokenBits:
        return self._signs[list(told.words)]

    def tokens(self, text: str) -> Vectors:
        """Vectors of the words of a text that are known here, (m, d)."""
        found = [
            self._by_name[word] for word in text.lower().replace(",", "").rstrip("?").split() if word in self._by_name
        ]
        return self._words[[*range(6), *found]]  # the words around them have vectors, too


class Prepared(Embedder):
    """Looks vectors up; what it was not given is nobody's business here."""

    generation = "benchmark world"
    dimension = DIMENSION
    window = 256

    def __init__(self, known: Mapping[str, tuple[Vector, Vectors]]) -> None:
        self._known = known
        self._other = _unit(np.random.default_rng(1).standard_normal((64, DIMENSION), np.float32))

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        return self._other[[len(text) % 64 for text in texts]]

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self.embed_queries_with_tokens(texts)[0]

    def embed_documents_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, Sequence[TokenBits] | None]:
        return self.embed_documents(texts), None

    def embed_queries_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, Sequence[Vectors] | None]:
        """Asked for unknown texts (the sentences that try an embedder's languages), it gives each pair one vector."""
        if len(texts) == 1 and texts[0] in self._known:  # one question: nothing to put together
            vector, tokens = self._known[texts[0]]
            return vector[None], [tokens]
        return self._other[[number // 2 % 64 for number in range(len(texts))]], None


def _unit(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.linalg.norm(rows, axis=-1, keepdims=True), np.float32)


def _invented(rng: np.random.Generator) -> list[str]:
    """Words that can be pronounced, all different."""
    syllables = [first + second for first in "bdfgklmnprstvz" for second in ("a", "e", "i", "o", "u", "ar", "en", "ol")]
    found: dict[str, None] = {}
    while len(found) < WORDS:
        found["".join(rng.choice(syllables, size=int(rng.integers(2, 4))))] = None
    return list(found)
