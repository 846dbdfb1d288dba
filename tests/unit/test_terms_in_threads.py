"""Texts are analysed by many threads at once; each gets the terms it would have got alone."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import snowballstemmer

from aim_memory.text.terms import analyse

WORDS = [
    f"{stem}{letter}{suffix}"
    for stem in ("walk", "run", "kindl")
    for letter in "bcdfgklmn"
    for suffix in ("ing", "ed", "ational", "ies", "ness")
]


@pytest.fixture
def eager_switching() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("eager_switching")
def test_stems_do_not_mix() -> None:
    def terms(thread: int) -> list[list[str]]:
        return [list(analyse(f"{word}{'abcdefgh'[thread]}ing")) for word in WORDS]

    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(terms, range(8)))
    alone = snowballstemmer.stemmer("english")
    assert got == [[[alone.stemWord(f"{word}{'abcdefgh'[thread]}ing")] for word in WORDS] for thread in range(8)]
