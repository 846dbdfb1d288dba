"""Folding: one form for texts that differ only in width, case, accents or traditional / simplified characters."""

from __future__ import annotations

import unicodedata

from opencc import OpenCC

_ACCENTS = dict.fromkeys(range(0x0300, 0x0370))
_IDEOGRAPHS = (range(0x3400, 0xA000), range(0xF900, 0xFB00), range(0x20000, 0x2FA20))


class _Simplified(dict[int, int | str]):
    """Code point → simplified form, asked of OpenCC once per character and remembered."""

    def __init__(self) -> None:
        super().__init__()
        self._converter = OpenCC("t2s")

    def __missing__(self, code: int) -> int | str:
        ideograph = any(code in block for block in _IDEOGRAPHS)
        found: int | str = str(self._converter.convert(chr(code))) if ideograph else code
        self[code] = found
        return found


_SIMPLIFIED = _Simplified()


def fold(text: str) -> str:
    """The form in which texts are compared: NFKC, case-folded, Latin accents dropped, Chinese simplified.

    Offsets are not kept: NFKC may lengthen or shorten. ``fold(fold(x)) == fold(x)``.
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).casefold()
    bare = unicodedata.normalize("NFD", folded).translate(_ACCENTS)
    return unicodedata.normalize("NFKC", bare).translate(_SIMPLIFIED)
