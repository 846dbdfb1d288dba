"""Terms of text whose words are not set apart: Han, kana, Hangul, Thai and its neighbours."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from aim_memory.text.script import HAN, HANGUL, UNSPACED

HAN_STOPS = frozenset("的了吗呢吧啊呀哦嗯么是我你他她它们在有和与也都就还这那个着过被把给让会要想很")
_HANGUL_STOPS = frozenset("은는이가을를에의도로와과만서고다요")
"""Particles and endings of one syllable."""
_CLUSTER = re.compile(
    r"[\u0e40-\u0e44\u0ec0-\u0ec4]?."
    r"[\u0e30-\u0e3a\u0e45\u0e47-\u0e4e\u0eb0-\u0ebc\u0ec8-\u0ecd\u102b-\u103e\u17b4-\u17d3]*"
)
"""A consonant of Thai, Lao, Burmese or Khmer with the vowel before it and the signs on and after it."""
RUNS = (
    rf"(?P<han>[{HAN}]+)|(?P<hiragana>[\u3041-\u309f]+)|(?P<katakana>[\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff]+)"
    rf"|(?P<hangul>[{HANGUL}]+)|(?P<unspaced>[{UNSPACED}]+)"
)
"""Pattern of a run of one such script, in a group of the script's name."""


def _pairs(units: Sequence[str]) -> list[str]:
    return [first + second for first, second in pairwise(units)]


def _han(run: str) -> list[str]:
    return [char for char in run if char not in HAN_STOPS] + _pairs(run)


def _katakana(run: str) -> list[str]:
    """A loan word, with or without the last sign of length, and its pairs."""
    word = run.rstrip("ー") if len(run) > 3 else run
    return [word, *_pairs(word)] if len(word) != 2 else [word]


def _hangul(run: str) -> list[str]:
    return [syllable for syllable in run if syllable not in _HANGUL_STOPS or len(run) == 1] + _pairs(run)


def _unspaced(run: str) -> list[str]:
    clusters: list[str] = _CLUSTER.findall(run)
    return clusters + _pairs(clusters)


READERS: Mapping[str, Callable[[str], list[str]]] = {
    "han": _han,
    "hiragana": _pairs,  # one sign alone is an ending or a particle
    "katakana": _katakana,
    "hangul": _hangul,
    "unspaced": _unspaced,
}
"""The terms of a run: what carries meaning alone, and pairs of neighbours."""
