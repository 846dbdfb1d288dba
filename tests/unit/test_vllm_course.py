"""What is done about a model server that starts slowly, crashes, or falls silent: on paper, second by second."""

from __future__ import annotations

import pytest

from aim_memory.llm.vllm_course import LONGEST_REST_S, PROVEN_AFTER_S, Course, Patience

PATIENCE = Patience(start_s=100.0, health_s=30.0, rest_s=1.0)


@pytest.fixture
def course() -> Course:
    started = Course(PATIENCE)
    assert started.look(0.0, None, False) == "launch"
    started.launched(0.0)
    return started


def test_a_slow_start_is_waited_for(course: Course) -> None:
    assert [course.look(now, None, False) for now in (1.0, 50.0, 100.0)] == ["wait"] * 3
    assert course.state == "starting"
    assert course.look(100.5, None, True) == "wait"
    assert course.state == "ready"


def test_a_start_that_never_ends_is_ended(course: Course) -> None:
    assert course.look(100.1, None, False) == "kill"
    assert course.state == "resting"
    assert course.trouble == "it was not ready for 100 s"


def test_a_crash_is_followed_by_a_rest_and_a_launch(course: Course) -> None:
    assert course.look(5.0, 7, False) == "wait"
    assert (course.state, course.trouble) == ("resting", "it ended with code 7")
    assert course.look(5.9, None, False) == "wait"
    assert course.look(6.0, None, False) == "launch"


def test_rests_double_up_to_the_longest(course: Course) -> None:
    now, rests = 0.0, []
    for _ in range(40):
        course.launched(now)
        course.look(now, 137, False)
        rests.append(course.until - now)
        now = course.until
    assert rests[:7] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, LONGEST_REST_S]
    assert set(rests[7:]) == {LONGEST_REST_S}
    assert course.trouble == "it ended with signal 9"


@pytest.mark.parametrize(("lasted", "rest"), [(PROVEN_AFTER_S - 1, 2.0), (PROVEN_AFTER_S, 1.0)])
def test_a_server_that_has_proved_itself_is_started_again_soon(course: Course, lasted: float, rest: float) -> None:
    course.look(1.0, 1, False)
    course.launched(2.0)
    course.look(3.0, None, True)
    course.look(3.0 + lasted, 1, False)
    assert course.until - (3.0 + lasted) == rest


def test_one_that_falls_silent_is_ended_but_not_at_once(course: Course) -> None:
    course.look(10.0, None, True)
    assert course.look(20.0, None, False) == "wait"
    assert course.look(30.0, None, True) == "wait"
    assert course.look(60.0, None, False) == "wait"
    assert course.look(60.1, None, False) == "kill"
    assert course.trouble == "it was not well for 30 s"


def test_a_long_start_leaves_no_debt(course: Course) -> None:
    course.look(90.0, None, True)
    assert course.look(100.0, None, False) == "wait"
    assert course.state == "ready"
