"""Terms: what lexical search counts. Folded, stemmed words; characters and pairs where words are not spaced."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import snowballstemmer

from aim_memory.text.fold import fold
from aim_memory.text.glued import HAN_STOPS, READERS, RUNS
from aim_memory.text.script import HAN, HANGUL, KANA, UNSPACED
from aim_memory.text.tongues import FUNCTION_WORDS, OTHER_STOP_WORDS, Tongue, tongue_of

STOP_WORDS = FUNCTION_WORDS["en"] | HAN_STOPS
"""Folded function words that search does not count, English and Chinese (single characters)."""

_GLUED = f"{HAN}{KANA}{HANGUL}{UNSPACED}"
_LETTER = rf"(?:[^\W_{_GLUED}]|[\u0900-\u0963\u0966-\u0dff])"  # vowel signs of Indic scripts are no letters to \w
_TOKEN = re.compile(
    r"\d+(?:[.,:]\d+)+"  # 1,650 · 3.5 · 12:30
    rf"|{_LETTER}+(?:['’]{_LETTER}+)*"
    rf"|{RUNS}"
)
_LATIN = re.compile(r"[a-z]+")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_GROUPED_BY_POINTS = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?")
_STEMMERS = {
    name: snowballstemmer.stemmer(algorithm)
    for name, algorithm in {
        "en": "english",
        "de": "german",
        "es": "spanish",
        "fr": "french",
        "it": "italian",
        "pt": "portuguese",
        "cyrillic": "russian",
        "greek": "greek",
        "devanagari": "hindi",
    }.items()
}
_STEMMING = threading.Lock()  # a stemmer keeps the word it works on in itself
_BLOCKS = (("latin", 0x0250), ("greek", 0x0400), ("cyrillic", 0x0530), ("", 0x0600), ("arabic", 0x0700), ("", 0x0900))
PIECE = 4
PIECE_MARK = "~≈"
"""How a piece begins: as a notion does, for it, too, only supports terms."""
_BEYOND_LATIN, _SIGNS = "\u0370", "\u0e00"  # alphabets from Greek on; from Thai on, signs
_ARABIC_PREFIXES = ("بال", "كال", "فال", "لل", "ال")
_ARABIC_SUFFIXES = ("ها", "ان", "ات", "ون", "ين", "يه", "ه", "ي", "ت")


@dataclass(frozen=True, slots=True)
class Reading:
    """A text read once."""

    language: Tongue
    """Of its Latin words; English where too few of them tell."""
    tokens: tuple[str, ...]
    """Terms in reading order."""


def analyse(text: str) -> dict[str, int]:
    """Terms of a text with their counts; stop words left out.

    Words are folded and stemmed by script, Latin ones by the language that their neighbours show; numbers lose their
    grouping commas; Han, kana, Hangul and unspaced scripts give single signs and pairs.
    """
    return dict(Counter(tokens(text)))


def tokens(text: str) -> Sequence[str]:
    """The same terms in reading order, repeats included."""
    return read(text).tokens


@lru_cache(maxsize=512)
def read(text: str) -> Reading:
    """Finds the language first, then the terms. What was read last is kept: a question is read at every step."""
    folded = fold(text)
    language = tongue_of(_LATIN.findall(folded), text)
    return Reading(language, tuple(_tokens(folded, language)))


def tongue(text: str) -> Tongue:
    """The language of the Latin words of a text; English where too few of them tell."""
    return read(text).language


def pieces(reading: Reading) -> set[str]:
    """Sequences of ``PIECE`` letters of the stems of every language but English, each led by ``PIECE_MARK``.

    They find what stemming does not join: compounds (Kaltmiete, Wohnungsmiete) and derived words (alquilo, alquiler).
    """
    least = "a" if reading.language != "en" else _BEYOND_LATIN
    stems = {term for term in reading.tokens if least <= term < _SIGNS and len(term) >= PIECE}
    return {PIECE_MARK + stem[at : at + PIECE] for stem in stems for at in range(len(stem) - PIECE + 1)}


def _tokens(folded: str, language: Tongue) -> list[str]:
    found: list[str] = []
    for match in _TOKEN.finditer(folded):
        if match.lastgroup:
            found.extend(READERS[match.lastgroup](match.group()))
        elif term := _term(match.group(), language):
            found.append(term)
    return found


@lru_cache(maxsize=1 << 16)
def _term(word: str, language: Tongue) -> str:
    """The stem of a folded word or number; "" for a stop word."""
    if word[0].isdigit():
        return _number(word, language)
    plain = word.replace("’", "'").removesuffix("'s").split("'")[0]
    block = _block(plain[:1])
    if plain in _stops(block, language):
        return ""
    if block == "arabic":
        return _arabic(plain)
    stemmer = _STEMMERS.get(language if block == "latin" else block)
    if stemmer is None:
        return plain
    with _STEMMING:
        return str(stemmer.stemWord(plain))


def _number(word: str, language: Tongue) -> str:
    """Without the marks between thousands."""
    if language != "en" and _GROUPED_BY_POINTS.fullmatch(word):
        return word.replace(".", "").replace(",", ".")
    return word.replace(",", "") if _GROUPED.fullmatch(word) else word


def _stops(block: str, language: Tongue) -> frozenset[str]:
    return FUNCTION_WORDS[language] if block == "latin" else OTHER_STOP_WORDS


def _block(char: str) -> str:
    code = ord(char) if char else 0
    return next((name for name, end in _BLOCKS if code < end), "devanagari" if code < 0x0980 else "")


def _arabic(word: str) -> str:
    """The word without conjunction and article, and the endings of number, gender and possession (cf. Larkey 2002)."""
    if word.startswith("و") and len(word) > 4 and not word.startswith("والد"):  # "father" is no "and"
        word = word[1:]
    word = word.removeprefix(next((p for p in _ARABIC_PREFIXES if word.startswith(p) and len(word) > len(p) + 2), ""))
    for suffix in _ARABIC_SUFFIXES:
        if word.endswith(suffix) and len(word) > len(suffix) + 2:
            word = word.removesuffix(suffix)
    return word
