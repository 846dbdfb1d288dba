"""From a generated answer to what is shown."""

import pytest

from aim_memory.answer import Finished, cite, finish, needs_retry, verify
from aim_memory.answer.finish import ABSTENTION, ABSTENTION_ZH
from tests.evidence import NOON, block

BLOCKS = [block("rent", "Rent is $1,480 with water included.")]


def finished(answer: str, *, abstained: bool = False, question: str = "?") -> Finished:
    verified = verify(answer, BLOCKS, reference=NOON)
    return finish(answer, verified, cite(answer, BLOCKS), abstained=abstained, question=question)


def test_a_supported_answer_is_left_alone() -> None:
    assert finished("Rent is $1,480.") == Finished("Rent is $1,480.", abstained=False)


def test_an_unsupported_value_is_marked_where_it_stands() -> None:
    assert finished("Rent is $1,480, heating $95 extra.").text == "Rent is $1,480, heating $95 [unverified] extra."


@pytest.mark.parametrize("answer", ["", "  \n", "The deposit was $3,000."])
def test_an_answer_that_rests_on_nothing_is_withdrawn(answer: str) -> None:
    assert finished(answer) == Finished(ABSTENTION, abstained=True)


def test_abstention_speaks_the_language_of_the_question() -> None:
    assert finished("x", abstained=True, question="房租多少？").text == ABSTENTION_ZH


def test_one_retry_when_something_is_unsupported_and_originals_are_left() -> None:
    bad, good = (verify(text, BLOCKS, reference=NOON) for text in ("Rent is $9.", "Rent is $1,480."))
    assert needs_retry(bad, refilled=False, streamed=False)
    assert not needs_retry(bad, refilled=True, streamed=False)
    assert not needs_retry(bad, refilled=False, streamed=True)
    assert not needs_retry(good, refilled=False, streamed=False)
