"""Texts read at the times of what they are compared with."""

from datetime import timedelta

from aim_memory.anchors import extract
from aim_memory.answer.reading import Evidence, Reading
from tests.evidence import NOON, block


def test_a_text_with_a_date_is_read_once_a_day() -> None:
    reading = Reading("Yesterday it cost $40.")
    later = NOON + timedelta(hours=3)
    assert reading.at(NOON) is reading.at(later)
    assert reading.at(NOON) != reading.at(NOON + timedelta(days=1))
    assert [one.key for one in reading.at(later)] == [
        one.key for one in extract("Yesterday it cost $40.", reference=NOON)
    ]


def test_a_text_without_a_date_is_read_once() -> None:
    reading = Reading("It cost $40.")
    assert reading.at(NOON) is reading.at(NOON + timedelta(days=90))


def test_evidence_that_was_read_is_not_read_again() -> None:
    evidence = Evidence([block("a", "The rent is $40.")])
    wider = Evidence((*evidence.blocks, block("b", "The flat is at 12 Mill Lane.")))
    assert wider.blocks[0] is evidence.blocks[0]
    assert wider.holds("12 Mill Lane")
