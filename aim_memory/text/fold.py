"""Folding: one form for texts that differ only in width, case, accents, digits or traditional and simplified signs."""

from __future__ import annotations

import unicodedata

from opencc import OpenCC

_ACCENTS = dict.fromkeys((*range(0x0300, 0x0370), *range(0x0591, 0x05BE), *range(0x064B, 0x0660), 0x0640, 0x0670))
"""Latin, Greek and Cyrillic accents, the vowel signs of Hebrew and Arabic, the Arabic hamza on a letter and tatweel."""
_SHORT_I = ("и\u0306", "й")
"""Looks like an accented и, and is a letter of its own."""
_LETTERS = dict(zip("ىةکیٱ٬٫،؛؟", "يهكيا,.,;?", strict=True))
"""Arabic letters that are written for each other, Persian forms, and punctuation."""
_IDEOGRAPHS = (range(0x3400, 0xA000), range(0xF900, 0xFB00), range(0x20000, 0x2FA20))


class _Plain(dict[int, int | str]):
    """Code point → simplified ideograph, plain letter or ASCII digit, asked once per character and remembered."""

    def __init__(self) -> None:
        super().__init__()
        self._converter = OpenCC("t2s")

    def __missing__(self, code: int) -> int | str:
        char = chr(code)
        found: int | str = _LETTERS.get(char, code)
        if any(code in block for block in _IDEOGRAPHS):
            found = str(self._converter.convert(char))
        elif (digit := unicodedata.decimal(char, None)) is not None:
            found = str(digit)
        self[code] = found
        return found


_PLAIN = _Plain()


def fold(text: str) -> str:
    """The form in which texts are compared: NFKC, case-folded, accents and vowel signs dropped, digits ASCII, Chinese
    simplified, Arabic letters that are written for each other made one.

    Offsets are not kept: NFKC may lengthen or shorten. ``fold(fold(x)) == fold(x)``.
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).casefold()
    bare = unicodedata.normalize("NFD", folded).replace(*_SHORT_I).translate(_ACCENTS)
    return unicodedata.normalize("NFKC", bare).translate(_PLAIN)
