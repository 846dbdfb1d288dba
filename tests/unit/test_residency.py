"""Who deserves memory."""

from __future__ import annotations

from aim_memory.storage.residency import Standing
from aim_memory.types import Space

A, B, C, NEVER = (Space("t", name) for name in ("a", "b", "c", "never"))


def test_who_was_asked_more_often_stays() -> None:
    standing = Standing()
    for space in (A, A, A, B, C, C):
        standing.asked(space, residents=100)
    assert standing.least([A, B, C]) == B
    assert standing.least([A, C]) == C


def test_who_was_asked_last_stays_among_equals() -> None:
    standing = Standing()
    for space in (A, B, C):
        standing.asked(space, residents=100)
    assert standing.least([A, B, C]) == A


def test_what_was_long_ago_fades_in_turnovers_of_the_memory() -> None:
    small, large = Standing(), Standing()
    for _ in range(5):
        small.asked(A, residents=2)
        large.asked(A, residents=1_000)
    for _ in range(200):
        small.asked(B, residents=2)
        large.asked(B, residents=1_000)
    for standing, residents in ((small, 2), (large, 1_000)):
        standing.asked(C, residents)
    assert small.least([A, C]) == A, "a hundred turnovers ago"
    assert large.least([A, C]) == C, "a fifth of a turnover ago"


def test_what_was_useful_in_answers_counts_too() -> None:
    standing = Standing()
    standing.asked(A, residents=100)
    standing.answered(A)
    standing.asked(B, residents=100)
    assert standing.least([A, B]) == B


def test_nobody_is_known_to_deserve_anything_at_first_or_once_forgotten() -> None:
    standing = Standing()
    assert standing.least([]) is None
    standing.asked(A, residents=1)
    assert standing.least([A, NEVER]) == NEVER
    standing.asked(B, residents=1)
    standing.forget(B)
    assert standing.least([A, B]) == B


def test_namespaces_that_nobody_asks_about_are_forgotten_in_time() -> None:
    standing = Standing()
    for _ in range(50):
        standing.asked(A, residents=1)
    for number in range(5_000):
        standing.asked(Space("t", str(number)), residents=1_000)
    first, last = Space("t", "0"), Space("t", "4999")
    assert standing.least([A, last]) == last
    for number in range(5_000, 20_000):
        standing.asked(Space("t", str(number)), residents=10)
    assert standing.least([first, NEVER]) == first, "both unknown: the one named first"
