"""Which writing system a text is in."""

from __future__ import annotations

import re
from typing import Literal

Script = Literal[
    "latin", "han", "kana", "hangul", "thai", "cyrillic", "greek", "arabic", "hebrew", "devanagari", "other"
]  # fmt: skip

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f々〇"
KANA = "\u3041-\u30ff\u31f0-\u31ff"
HANGUL = "\u1100-\u11ff\uac00-\ud7af"
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
"""Scripts written without spaces between words: Thai, Lao, Burmese, Khmer."""

_CLASSES: tuple[tuple[Script, str], ...] = (
    ("latin", "A-Za-z\u00c0-\u024f"),
    ("han", HAN),
    ("kana", KANA),
    ("hangul", HANGUL),
    ("thai", UNSPACED),
    ("cyrillic", "\u0400-\u052f"),
    ("greek", "\u0370-\u03ff"),
    ("arabic", "\u0600-\u06ff"),
    ("hebrew", "\u0590-\u05ff"),
    ("devanagari", "\u0900-\u097f"),
)
_RUNS: tuple[tuple[Script, re.Pattern[str]], ...] = tuple((name, re.compile(f"[{chars}]")) for name, chars in _CLASSES)
_LETTERS_PER_WORD = 4
"""An ideograph or kana weighs as much as this many letters: it carries about a syllable or a word."""


def script(text: str) -> Script:
    """The script that carries most of the text; "other" when it has no letters known here.

    Kana wins over Han wherever there is a fair share of it: Japanese mixes both.
    """
    if text.isascii():
        return "latin" if any(map(str.isalpha, text)) else "other"
    weights = {name: len(pattern.findall(text)) for name, pattern in _RUNS}
    for dense in ("han", "kana", "hangul"):
        weights[dense] *= _LETTERS_PER_WORD
    if weights["kana"] and 4 * weights["kana"] >= weights["han"]:
        weights["kana"] += weights["han"]
    best = max(weights, key=lambda name: weights[name])
    return best if weights[best] else "other"
