"""An embedder without a model: words and pieces of words, hashed into a vector.

Texts that share words, stems or Chinese characters get similar vectors, in every process and on every machine alike.
For tests, and for a service that must start without a model (``AIM_EMBEDDER__KIND=hashing``).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from math import sqrt
from zlib import crc32

import numpy as np

from aim_memory.ports import Embedder
from aim_memory.types import Vector, Vectors

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_RUN = re.compile(rf"[{_CJK}]+|[^\W{_CJK}]+")
_IS_CJK = re.compile(rf"[{_CJK}]")
HASHED = 256
"""How long the vectors are, unless told otherwise."""


class HashingEmbedder(Embedder):
    """Signed feature hashing of folded words, character trigrams and CJK bigrams; rows of length 1, never zero."""

    def __init__(self, dimension: int = HASHED, window: int = 256) -> None:
        self._dimension = dimension
        self._window = window

    @property
    def generation(self) -> str:
        return f"hashing-1|{self._dimension}"

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def window(self) -> int:
        return self._window

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self.embed_documents(texts)

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self._dimension), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            self._fill(row, text)
        return vectors

    def _fill(self, row: Vector, text: str) -> None:
        for run, count in Counter(_RUN.findall(unicodedata.normalize("NFKC", text).casefold())).items():
            for feature, weight in _features(run):
                row[feature % self._dimension] += sqrt(count) * (weight if feature & 1 << 31 else -weight)
        length = np.linalg.norm(row)
        if length > 0:
            row /= length
        else:  # nothing but punctuation, or features that cancel each other: a place of its own
            digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            row[int.from_bytes(digest, "big") % self._dimension] = 1.0


@lru_cache(maxsize=65536)
def _features(run: str) -> tuple[tuple[int, float], ...]:
    """(hash, weight) of the features of a run of letters, digits or CJK characters."""
    pieces = _cjk_pieces(run) if _IS_CJK.match(run) else _word_pieces(run)
    return tuple((crc32(piece.encode("utf-8", "surrogatepass")), weight) for piece, weight in pieces)


def _word_pieces(word: str) -> Iterator[tuple[str, float]]:
    # Short words are mostly grammar ("the", "of", "is"); numbers are not.
    yield word, 1.0 if len(word) > 3 or word[0].isdigit() else 0.3
    if len(word) > 3:
        marked = f"^{word}$"
        trigrams = len(marked) - 2
        for start in range(trigrams):
            yield "3:" + marked[start : start + 3], 0.7 / sqrt(trigrams)


def _cjk_pieces(run: str) -> Iterator[tuple[str, float]]:
    for character in run:
        yield character, 0.4
    for start in range(len(run) - 1):
        yield run[start : start + 2], 1.0
