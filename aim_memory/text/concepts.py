"""Everyday notions that people put in many words: "rent" and "landlord", 房租; "painkiller", "mg" and 药.

A thesaurus in two languages (thesaurus.txt) lets a question meet a statement that shares no word with it, also across
the languages. It is coarse on purpose: a shared notion supports other evidence and never replaces it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from aim_memory.text.fold import fold
from aim_memory.text.terms import analyse

NOTION = "~"
"""How the name of a notion begins; no analysed term does."""

Names = dict[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class _Thesaurus:
    words: Names
    """Analysed English words."""
    phrases: Names
    spelled: re.Pattern[str]
    """Finds the English phrases."""
    strings: Names
    """Folded Chinese words."""
    longest: int


@lru_cache(maxsize=1)
def _thesaurus() -> _Thesaurus:
    words: defaultdict[str, set[str]] = defaultdict(set)
    phrases: defaultdict[str, set[str]] = defaultdict(set)
    strings: defaultdict[str, set[str]] = defaultdict(set)
    for line in files(__package__).joinpath("thesaurus.txt").read_text("utf-8").splitlines():
        name, colon, both = line.partition(":")
        if colon and not line.startswith("#"):
            english, _, chinese = both.partition("|")
            for word in english.split():
                table, forms = (phrases, [word.replace("_", " ")]) if "_" in word else (words, [*analyse(word)])
                for form in forms:
                    table[form].add(NOTION + name)
            for word in chinese.split():
                strings[fold(word)].add(NOTION + name)
    spelled = re.compile(rf"\b(?:{'|'.join(map(re.escape, phrases))})\b")
    return _Thesaurus(_frozen(words), _frozen(phrases), spelled, _frozen(strings), max(map(len, strings)))


def _frozen(table: dict[str, set[str]]) -> Names:
    return {word: frozenset(names) for word, names in table.items()}


def notions(text: str) -> frozenset[str]:
    """The notions a text touches, as names that begin with ``NOTION``."""
    known, folded = _thesaurus(), fold(text)
    found: set[str] = set()
    for term in analyse(text):
        found |= known.words.get(term, frozenset())
    for match in known.spelled.finditer(folded):
        found |= known.phrases[match.group()]
    if not folded.isascii():
        found.update(name for word in _longest_first(folded, known) for name in known.strings[word])
    return frozenset(found)


def _longest_first(folded: str, known: _Thesaurus) -> Iterator[str]:
    """The known Chinese words of a text from left to right, at each place the longest, without overlaps."""
    place = 0
    while place < len(folded):
        lengths = range(known.longest, 0, -1) if folded[place] > "\u2fff" else ()
        word = next((w for length in lengths if (w := folded[place : place + length]) in known.strings), "")
        if word:
            yield word
        place += len(word) or 1


def meanings(text: str) -> dict[str, frozenset[str]]:
    """The content words of a text, each with its notions: analysed English words, and Chinese words of the thesaurus.

    A word without notions is there too, with none, if it is spaced; unspaced text gives its known words only.
    """
    known, folded = _thesaurus(), fold(text)
    found = {term: known.words.get(term, frozenset()) for term in analyse(text) if term < "\u2fff"}
    if not folded.isascii():
        found.update((word, known.strings[word]) for word in _longest_first(folded, known))
    return found
