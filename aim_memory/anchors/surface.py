"""A text in the folded forms that the grammars read, with offsets that still point into the original."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from aim_memory.text import Tongue, fold
from aim_memory.text.tongues import tongue_of

_PLAIN = dict(zip("’‘–−‐‑—￥", "''-----¥", strict=True))
_WORD = re.compile(r"[a-z]+")
_CJK = re.compile(r"[\u3400-\u9fff]")


class _OneToOne(dict[int, int | str]):
    """Code point → its folded form where that is one character, asked once and remembered; case is kept."""

    def __missing__(self, code: int) -> int | str:
        char = chr(code)
        folded = _PLAIN.get(char) or (char if code < 128 else fold(char))
        self[code] = (folded.upper() if char.isupper() else folded) if len(folded) == 1 else code
        return self[code]


_CASED = _OneToOne()
_LOWER = {code: code + 32 for code in range(65, 91)}


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A text read for anchors. All strings have the same length, so one offset fits them all."""

    text: str
    cased: str
    """Full-width and traditional characters, accents and typographic quotes folded; case kept."""
    lower: str
    """``cased`` with A-Z lowered."""
    words: tuple[tuple[int, int, str], ...]
    """(start, end, word) of each run of Latin letters in ``lower``."""
    cjk: bool
    language: Tongue
    """Of the Latin words."""
    _claimed: bytearray = field(repr=False)

    def free(self, start: int, end: int) -> bool:
        """Whether no anchor has claimed any of ``[start, end)``."""
        return self._claimed.find(1, start, end) < 0

    def claim(self, start: int, end: int) -> None:
        self._claimed[start:end] = b"\x01" * (end - start)


def read(text: str) -> Surface:
    """Folds a text once for all grammars."""
    cased = text if text.isascii() else text.translate(_CASED)
    lower = cased.lower() if text.isascii() else cased.translate(_LOWER)
    words = tuple([(*match.span(), match.group()) for match in _WORD.finditer(lower)])
    language = tongue_of([word for _, _, word in words], text)
    return Surface(text, cased, lower, words, bool(_CJK.search(cased)), language, bytearray(len(text)))
