"""The order of memories in a session's prompts: what was there stays where it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aim_memory.answer import arranged
from aim_memory.answer.order import place
from aim_memory.types import EvidenceBlock
from tests.evidence import block

A, B, C, D = (block(name, f"{name} says something", days=-age) for age, name in enumerate("abcd"))


def names(blocks: tuple[EvidenceBlock, ...]) -> str:
    return "".join(one.memory_id for one in blocks)


def order(before: list[EvidenceBlock], now: list[EvidenceBlock], slack: float = 100) -> str:
    return names(arranged(before, now, slack=slack, cost=lambda text: 1.0))


def test_the_first_turn_is_in_order_of_time() -> None:
    assert order([], [A, B, C]) == "cba"


def test_what_was_there_stays_and_what_is_new_follows() -> None:
    assert order([C, A], [A, B, C, D]) == "cadb"


def test_what_is_not_called_for_stays_while_there_is_room() -> None:
    assert order([C, A], [B]) == "cab"


def test_beyond_it_the_last_one_goes_first() -> None:
    assert order([C, D, A], [B], slack=3) == "cdb"
    assert order([C, D, A], [A], slack=1) == "a"


def test_what_is_called_for_is_there_in_any_case() -> None:
    assert order([D], [A, B, C], slack=0) == "cba"


def test_a_block_reads_as_it_is_now() -> None:
    stale = block("a", A.text, current=False)
    assert arranged([A], [stale], slack=9, cost=lambda text: 1.0) == (stale,)


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=6, unique=True), min_size=1, max_size=8))
def test_every_turn_holds_what_it_calls_for_once(turns: list[list[str]]) -> None:
    before: tuple[EvidenceBlock, ...] = ()
    for turn in turns:
        blocks = [block(name, name) for name in turn]
        listed = arranged(before, blocks, slack=1.5, cost=lambda text: 1.0)
        assert {place(one) for one in blocks} <= {place(one) for one in listed}
        assert len(listed) == len({place(one) for one in listed}) <= max(1.5 * len(blocks), len(blocks))
        kept = [one for one in before if one in listed]
        assert list(listed[: len(kept)]) == kept
        before = listed
