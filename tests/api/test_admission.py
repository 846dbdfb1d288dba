"""So many inside, so many waiting, the rest told to come back."""

from __future__ import annotations

import asyncio

import pytest

from aim_memory.api.admission import Admission
from aim_memory.errors import QueueFullError


async def hold(admission: Admission, leave: asyncio.Event, inside: list[int], number: int) -> None:
    async with admission.place():
        inside.append(number)
        await leave.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.anyio
async def test_who_waits_comes_in_in_order_when_a_place_is_free() -> None:
    admission, inside = Admission(1, 2, 60), list[int]()
    doors = [asyncio.Event() for _ in range(3)]
    tasks = [asyncio.create_task(hold(admission, door, inside, n)) for n, door in enumerate(doors)]
    await settle()
    assert admission.figures() == {"inside": 1, "waiting": 2}
    with pytest.raises(QueueFullError) as caught:
        async with admission.place():
            raise AssertionError("there is no place")
    assert caught.value.retry_after_s >= 1
    for door in doors:
        door.set()
        await settle()
    await asyncio.gather(*tasks)
    assert inside == [0, 1, 2]
    assert admission.figures() == {"inside": 0, "waiting": 0}


@pytest.mark.anyio
async def test_waiting_has_an_end() -> None:
    admission, leave = Admission(1, 1, 0.01), asyncio.Event()
    task = asyncio.create_task(hold(admission, leave, [], 0))
    await settle()
    with pytest.raises(QueueFullError):
        await hold(admission, leave, [], 1)
    leave.set()
    await task
    assert admission.figures() == {"inside": 0, "waiting": 0}


@pytest.mark.anyio
@pytest.mark.parametrize("freed_first", [False, True])
async def test_who_gives_up_leaves_no_hole(freed_first: bool) -> None:
    admission, leave, inside = Admission(1, 5, 60), asyncio.Event(), list[int]()
    first, second, third = (asyncio.create_task(hold(admission, leave, inside, n)) for n in range(3))
    await settle()
    if freed_first:
        first.cancel()
        await asyncio.sleep(0)  # the place is handed to the second, who is cancelled before he takes it
    second.cancel()
    await settle()
    leave.set()
    await asyncio.gather(first, second, third, return_exceptions=True)
    assert inside[-1] == 2
    assert admission.figures() == {"inside": 0, "waiting": 0}


@pytest.mark.anyio
async def test_a_failure_inside_frees_the_place() -> None:
    admission = Admission(1, 0, 1)
    for _ in range(3):
        with pytest.raises(ValueError, match="inside"):
            async with admission.place():
                raise ValueError("inside")
    assert admission.figures() == {"inside": 0, "waiting": 0}
