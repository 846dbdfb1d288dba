"""Background work lets those go first for whom somebody waits, and does not starve."""

from __future__ import annotations

import asyncio

from aim_memory.llm.crowd import LOOK_S, Crowd


class Sleeper:
    """Time passes at once; after ``looks`` sleeps something happens."""

    def __init__(self) -> None:
        self.slept = 0

    async def sleep(self, seconds: float) -> None:
        self.slept += 1


def test_background_work_goes_on_at_once_where_there_is_room() -> None:
    sleeper = Sleeper()
    crowd = Crowd(2, 30.0, sleeper.sleep)
    with crowd.joined():
        asyncio.run(crowd.thinned())
    assert sleeper.slept == 0


def test_it_waits_while_others_are_waited_for() -> None:
    crowd: Crowd

    class Leaving(Sleeper):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds)
            if self.slept == 3:
                one.__exit__(None, None, None)

    sleeper = Leaving()
    crowd = Crowd(2, 30.0, sleeper.sleep)
    one, other = crowd.joined(), crowd.joined()
    one.__enter__()
    other.__enter__()
    asyncio.run(crowd.thinned())
    assert sleeper.slept == 3
    assert crowd.figures() == {"interactive": 1, "background": 0, "background_waited_s": 3 * LOOK_S}


def test_it_does_not_wait_for_ever() -> None:
    sleeper = Sleeper()
    crowd = Crowd(1, 2.0, sleeper.sleep)
    with crowd.joined():
        asyncio.run(crowd.thinned())
    assert sleeper.slept == 2.0 / LOOK_S


def test_background_calls_do_not_hold_up_each_other() -> None:
    sleeper = Sleeper()
    crowd = Crowd(1, 30.0, sleeper.sleep)
    with crowd.joined(background=True):
        asyncio.run(crowd.thinned())
        assert crowd.figures()["background"] == 1
    assert sleeper.slept == 0
