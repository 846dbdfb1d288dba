"""Which statements close which: chains, late arrivals, repetition, undoing."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from aim_memory.mirror import NewStatement, decide
from aim_memory.mirror.values import same
from aim_memory.types import Statement, StoredStatement, Supersession

START = datetime(2026, 3, 1, tzinfo=UTC)


def said(memory_id: str, day: int, value: str, *, ordinal: int | None = None, subject: str = "ada") -> NewStatement:
    statement = Statement(subject, "employer", value)
    return NewStatement(memory_id, START + timedelta(days=day), day if ordinal is None else ordinal, statement)


def kept(new: NewStatement, closed_by: str | None = None) -> StoredStatement:
    return StoredStatement(new.statement, new.memory_id, new.event_time, new.ordinal, closed_by)


def pairs(found: tuple[Supersession, ...]) -> list[tuple[str, str]]:
    return [(one.old_id, one.new_id) for one in found]


def test_a_later_value_closes_the_earlier_one() -> None:
    (found,) = decide([said("b", 2, "lumen")], [kept(said("a", 1, "northfield"))])
    assert (found.old_id, found.new_id) == ("a", "b")
    assert found.statement.value == "northfield"
    assert found.at == START + timedelta(days=2)


def test_other_subjects_and_attributes_are_left_alone() -> None:
    assert decide([said("b", 2, "lumen", subject="ben")], [kept(said("a", 1, "northfield"))]) == ()


def test_saying_it_again_closes_nothing() -> None:
    assert decide([said("b", 2, "northfield")], [kept(said("a", 1, "northfield"))]) == ()
    assert decide([said("b", 2, "northfield bank")], [kept(said("a", 1, "northfield"))]) == ()


def test_a_chain_closes_link_by_link() -> None:
    new = [said("a", 1, "one"), said("b", 2, "two"), said("c", 3, "three")]
    assert pairs(decide(new, [])) == [("a", "b"), ("b", "c")]


def test_a_value_that_comes_back_opens_again() -> None:
    new = [said("a", 1, "one"), said("b", 2, "two"), said("c", 3, "one")]
    assert pairs(decide(new, [])) == [("a", "b"), ("b", "c")]


def test_all_who_said_the_old_value_are_closed() -> None:
    stored = [kept(said("a", 1, "one")), kept(said("b", 2, "one"))]
    assert pairs(decide([said("c", 3, "two")], stored)) == [("a", "c"), ("b", "c")]


def test_a_late_arrival_is_closed_by_what_is_stored() -> None:
    assert pairs(decide([said("a", 1, "one", ordinal=9)], [kept(said("b", 2, "two"))])) == [("a", "b")]


def test_a_late_arrival_in_between_takes_over() -> None:
    stored = [kept(said("a", 1, "one"), "c"), kept(said("c", 3, "three"))]
    found = decide([said("b", 2, "two", ordinal=9)], stored)
    assert pairs(found) == [("a", "b"), ("b", "c")]
    assert found[0].at == START + timedelta(days=2)


def test_ties_in_time_go_by_ordinal() -> None:
    assert pairs(decide([said("b", 1, "two", ordinal=2)], [kept(said("a", 1, "one", ordinal=1))])) == [("a", "b")]


def test_what_was_reopened_by_hand_stays_open() -> None:
    stored = [kept(said("a", 1, "one")), kept(said("b", 2, "two"))]
    assert pairs(decide([said("c", 3, "two")], stored)) == []


def test_a_memory_does_not_supersede_itself() -> None:
    assert decide([said("a", 1, "one"), said("a", 1, "two")], []) == ()


def test_a_statement_that_may_be_about_another_thing_closes_nothing() -> None:
    plain = Statement("ada: meeting", "time", "15:00")
    other = Statement("ada: meeting", "time", "10:00", closes=False)
    moved = Statement("ada: meeting", "time", "10:00", closes=True)
    stored = [StoredStatement(plain, "a", START, 1)]
    assert decide([NewStatement("b", START + timedelta(days=7), 2, other)], stored) == ()
    assert pairs(decide([NewStatement("b", START + timedelta(days=7), 2, moved)], stored)) == [("a", "b")]


def test_deciding_again_gives_nothing() -> None:
    new = [said("a", 1, "one"), said("b", 2, "two"), said("c", 3, "three")]
    closers = {one.old_id: one.new_id for one in decide(new, [])}
    stored = [kept(one, closers.get(one.memory_id)) for one in new]
    assert decide(new, stored) == ()


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_order_of_arrival_does_not_matter(order: tuple[int, ...]) -> None:
    new = [said("a", 1, "one"), said("b", 2, "two"), said("c", 3, "two"), said("d", 4, "one")]
    closed: dict[str, str] = {}
    stored: list[StoredStatement] = []
    for index in order:
        for found in decide([new[index]], stored):
            closed[found.old_id] = found.new_id
        stored = [kept(held, closed.get(held.memory_id)) for held in [new[i] for i in order[: order.index(index) + 1]]]
    assert closed == {"a": "b", "b": "d", "c": "d"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("munich", "munich, germany"),
        ("honda", "honda civic"),
        ("杭州", "杭州西湖区"),
        ("thursday", "thursday 15:00"),
        ("thursday", "15:00"),
        ("3:00?", "15:00"),
        ("tuesday 15:00", "2026-03-17/2026-03-18"),
        ("2026-03-01/2026-04-01", "2026-03-17/2026-03-18 09:00"),
        ("13800002156", "138-0000-2156"),
        ("8613800002156", "13800002156"),
        ("1450", "1450"),
    ],
)
def test_values_that_agree(one: str, other: str) -> None:
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("munich", "bonn"),
        ("14 oak road", "142 oak road"),
        ("300", "3000"),
        ("thursday 15:00", "thursday 16:00"),
        ("thursday 15:00", "friday 15:00"),
        ("3:00?", "16:00"),
        ("monday", "2026-03-17/2026-03-18"),
        ("2026-03-16/2026-03-17", "2026-03-17/2026-03-18"),
        ("04:00", "16:00"),
        ("555-0134", "555-0199"),
        ("杭州", "苏州"),
        ("v2.3", "v2.4"),
    ],
)
def test_values_that_differ(one: str, other: str) -> None:
    assert not same(one, other)
    assert not same(other, one)
