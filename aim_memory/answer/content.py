"""How much of what a question is about a text holds: by its words, or at least by the notions behind them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from aim_memory.text import analyse, fold, meanings, notions

BY_NOTION = 0.6
"""What a word counts of which only the notion is there."""
LEAST = 0.1
"""Least weight of a word: one that all the evidence has still counts a little."""
FEW = 30
"""Fewer texts than this say little about what is rare: rarity is counted as if there were so many."""

_ASKING = (
    "much many long far often old tall big heavy kind type sort name called exactly tell know remember"
    " mention 多少 什么时候 怎么样 怎么 最近 现在 后来 哪天"
)
"""Words that ask, rather than say what about."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text, analysed."""

    terms: frozenset[str]
    notions: frozenset[str]
    folded: str

    @classmethod
    def of(cls, text: str) -> Text:
        return cls(frozenset(analyse(text)), notions(text), fold(text))

    def with_(self, others: Iterable[Text]) -> Text:
        """This text and others read as one."""
        together = (self, *others)
        return Text(
            frozenset().union(*(one.terms for one in together)),
            frozenset().union(*(one.notions for one in together)),
            " ".join(one.folded for one in together),
        )


@dataclass(frozen=True, slots=True)
class Content:
    """The content words of a question with their notions, and how much each word and each notion weighs."""

    words: Mapping[str, frozenset[str]]
    weights: Mapping[str, float]
    notions: Mapping[str, float]

    @classmethod
    def of(cls, question: str, topic: str, mute: frozenset[str], texts: Sequence[Text]) -> Content:
        """Words weigh more the fewer of ``texts`` hold them; those that only ``topic`` has, half.

        ``mute`` are left out.
        """
        own, earlier = _content(question, mute), _content(topic, mute)
        words = {**earlier, **own}
        weights = {
            word: _rarity(sum(_held(word, known, text) for text in texts), len(texts)) * (1.0 if word in own else 0.5)
            for word, known in words.items()
        }
        named = frozenset().union(*words.values())
        touched = {one: _rarity(sum(one in text.notions for text in texts), len(texts)) for one in named}
        return cls(words, weights, touched)

    def share(self, text: Text) -> float:
        """Share of the words' weight that the text holds, in [0, 1]."""
        got = sum(weight * _held(word, self.words[word], text) for word, weight in self.weights.items())
        return got / (sum(self.weights.values()) or 1.0)

    def touched(self, text: Text) -> float:
        """Share of the notions' weight that the text touches, in [0, 1]."""
        got = sum(weight for one, weight in self.notions.items() if one in text.notions)
        return got / (sum(self.notions.values()) or 1.0)


def _content(text: str, mute: frozenset[str]) -> dict[str, frozenset[str]]:
    return {word: known for word, known in meanings(text).items() if word not in mute and word not in _asking()}


@cache
def _asking() -> frozenset[str]:
    return frozenset(term for word in _ASKING.split() for term in meanings(word))


def _held(word: str, known: frozenset[str], text: Text) -> float:
    if word in text.terms or (not word.isascii() and word in text.folded):
        return 1.0
    return BY_NOTION if known & text.notions else 0.0


def _rarity(held: float, count: int) -> float:
    """ln((n + 1) / (df + ½)): what few texts hold tells more."""
    return max(LEAST, math.log((max(count, FEW) + 1) / (held + 0.5)))
