"""An answer followed as it comes: sentences are judged when they are whole, and not before."""

from __future__ import annotations

from itertools import pairwise

import pytest

from aim_memory.answer import cite
from aim_memory.answer.following import Checked, Follower
from aim_memory.answer.reading import Evidence
from tests.evidence import NOON, block

BLOCKS = [
    block("m1", "Ada lives in Lisbon since 2019. She likes the river."),
    block("m2", "Bo's rent is 900 euros a month.", days=-1),
    block("m3", "陈明住在里斯本。他的猫叫饼干。", days=-2),
]
ANSWERS = [
    "Ada lives in Lisbon. Bo pays 900 euros a month.",
    "Ada lives in Lisbon [1]. Bo pays 950 euros. [2] That is all.",
    "Ada lives in Lisbon since 2019. She likes the river.\nBo's rent is 900 euros a month.",
    "陈明住在里斯本。他的猫叫饼干。",
    "It costs 3.5 euros",
    "One line\n\nand another.",
]


def followed(answer: str, size: int) -> list[Checked]:
    follower = Follower(Evidence(BLOCKS), NOON)
    spans = [span for at in range(0, len(answer), size) for span in follower.add(answer[at : at + size])]
    return [follower.judge(*span) for span in [*spans, *follower.end()]]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_nothing_is_lost_and_nothing_judged_twice(answer: str, size: int) -> None:
    found = followed(answer, size)
    assert found == followed(answer, 1)
    assert [one.start for one in found] == sorted({one.start for one in found})
    assert all(one.end <= other.start for one, other in pairwise(found))
    covered = "".join(answer[one.start : one.end] for one in found)
    assert covered.replace("\n", "") == answer.replace("\n", "")


@pytest.mark.parametrize("answer", ANSWERS)
def test_all_citations_together_are_those_of_the_whole_answer(answer: str) -> None:
    assert tuple(quote for one in followed(answer, 2) for quote in one.quotes) == cite(answer, BLOCKS)


def test_a_mark_after_the_full_stop_belongs_to_the_sentence_before() -> None:
    found = followed("Bo pays 950 euros. [2] That is all.", 1)
    assert [one.end for one in found] == [22, 35]
    assert [quote.memory_id for quote in found[0].quotes] == ["m2"]
    assert [anchor.text for anchor in found[0].verified.unsupported] == ["950 euros"]


def test_a_sentence_is_judged_as_soon_as_another_begins() -> None:
    follower = Follower(Evidence(BLOCKS), NOON)
    assert list(follower.add("He pays 900 euros.")) == []
    (first,) = follower.add(" And")
    assert first == (0, 18)
    assert [anchor.text for anchor in follower.judge(*first).verified.supported] == ["900 euros"]


def test_a_line_that_is_literal_evidence_is_one_quote() -> None:
    text = BLOCKS[0].text
    (one,) = followed(text, 5)
    assert [quote.quote for quote in one.quotes] == [text]
