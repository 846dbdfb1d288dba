"""Terms: what lexical search counts. Folded, stemmed words; character bigrams where words are not spaced."""

from __future__ import annotations

import re
import threading
from collections import Counter
from functools import lru_cache
from itertools import pairwise

import snowballstemmer

from aim_memory.text.fold import fold
from aim_memory.text.script import HAN, HANGUL, KANA, UNSPACED

STOP_WORDS = frozenset(
    "a about above after again against all also am an and any are as at be because been before being below "
    "between both but by can could did do does doing down during each few for from further had has have having he "
    "her here hers herself him himself his how i if in into is it its itself just let ll me might more most must "
    "my myself no nor not now of off on once only or other our ours ourselves out over own re s same shall she "
    "should so some such t than that the their theirs them themselves then there these they this those through to "
    "too under until up us ve very was we were what when where which while who whom whose why will with would you "
    "your yours yourself yourselves d m didn doesn don isn wasn weren aren couldn wouldn shouldn hasn haven hadn "
    "won ain mustn needn "
    "的 了 吗 呢 吧 啊 呀 哦 嗯 么 是 我 你 他 她 它 们 在 有 和 与 也 都 就 还 这 那 个 着 过 被 把 给 让 会 "
    "要 想 很".split()
)
"""Folded function words that search does not count, English and Chinese (single characters)."""

_GLUED = f"{HAN}{KANA}{HANGUL}{UNSPACED}"
_TOKEN = re.compile(
    r"\d+(?:[.,:]\d+)+"  # 1,650 · 3.5 · 12:30
    rf"|(?P<glued>[{_GLUED}]+)"
    rf"|[^\W_{_GLUED}]+(?:['’][^\W_{_GLUED}]+)*"
)
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_STEMMERS = {
    "latin": snowballstemmer.stemmer("english"),
    "cyrillic": snowballstemmer.stemmer("russian"),
    "greek": snowballstemmer.stemmer("greek"),
    "arabic": snowballstemmer.stemmer("arabic"),
    "devanagari": snowballstemmer.stemmer("hindi"),
}
_STEMMING = threading.Lock()  # a stemmer keeps the word it works on in itself
_BLOCKS = (("latin", 0x0250), ("greek", 0x0400), ("cyrillic", 0x0530), ("", 0x0600), ("arabic", 0x0700), ("", 0x0900))


def analyse(text: str) -> dict[str, int]:
    """Terms of a text with their counts; stop words left out.

    Words are folded and stemmed (Snowball, by script); numbers lose their grouping commas; Han, kana, Hangul and
    unspaced scripts give single characters and bigrams.
    """
    return dict(Counter(tokens(text)))


def tokens(text: str) -> list[str]:
    """The same terms in reading order, repeats included."""
    found: list[str] = []
    for match in _TOKEN.finditer(fold(text)):
        if match.lastgroup:
            found.extend(_glued(match.group()))
        elif term := _term(match.group()):
            found.append(term)
    return found


@lru_cache(maxsize=1 << 16)
def _term(word: str) -> str:
    """The stem of a folded word or number; "" for a stop word."""
    if word[0].isdigit():
        return word.replace(",", "") if _GROUPED.fullmatch(word) else word
    plain = word.replace("’", "'").removesuffix("'s").split("'")[0]
    if plain in STOP_WORDS:
        return ""
    stemmer = _STEMMERS.get(_block(plain[:1]))
    if stemmer is None:
        return plain
    with _STEMMING:
        return str(stemmer.stemWord(plain))


def _block(char: str) -> str:
    code = ord(char) if char else 0
    return next((name for name, end in _BLOCKS if code < end), "devanagari" if code < 0x0980 else "")


def _glued(run: str) -> list[str]:
    singles = [char for char in run if char not in STOP_WORDS]
    return singles + [first + second for first, second in pairwise(run)]
