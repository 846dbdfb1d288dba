"""A bad road between the client and the real app: what is called comes back, and happens once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

import httpx2
import pytest

from aim_memory import AsyncClient, assemble
from aim_memory.api.app import create_app
from tests.api.conftest import settings_in
from tests.figures import figure

PROMISE = "a call over a bad road happens once"
SHARE = 0.05
AT_ONCE = 8


class BadRoad(httpx2.AsyncBaseTransport):
    """Loses one in twenty requests: on the way there, on the way back, or refused at the door."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, seed: int) -> None:
        self._inner = inner
        self._dice = random.Random(seed)
        self.faults: Counter[str] = Counter()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        fault = self._dice.choice(("refused", "busy", "cut", "slow")) if self._dice.random() < SHARE else ""
        self.faults[fault] += 1
        if fault == "refused":
            raise httpx2.ConnectError("refused", request=request)
        if fault == "busy":
            return httpx2.Response(503, headers={"retry-after": "0"}, request=request)
        response = await self._inner.handle_async_request(request)
        if fault:  # the server has done it, and nobody hears of it
            await response.aread()
            raise (httpx2.ReadError if fault == "cut" else httpx2.ReadTimeout)(fault, request=request)
        return response


async def at_once(number: int) -> None:
    """In place of the pause between two attempts."""
    await asyncio.sleep(0)


@pytest.mark.parametrize("calls", [160, pytest.param(10_000, marks=pytest.mark.deep)])
def test_what_is_called_comes_back_and_happens_once(calls: int, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    engine = assemble.open_engine(settings)
    app = create_app(settings, engine, assemble.open_keyring(settings, engine))
    road = BadRoad(httpx2.ASGITransport(app, client=("127.0.0.1", 1)), seed=4711)

    async def visitor(number: int, client: AsyncClient) -> None:
        """Writes a memory and edits it, every edit on what the one before left."""
        space = f"visitor/{number}"
        (written,) = (await client.write("Edit 0.", namespace=space)).results
        for edit in range(1, calls // AT_ONCE):
            changed = await client.update(written.id, namespace=space, if_match=edit, text=f"Edit {edit}.")
            assert changed.version == edit + 1
        (found,) = [memory async for memory in client.iterate(namespace=space)]
        assert (found.id, found.text) == (written.id, f"Edit {calls // AT_ONCE - 1}.")

    async def visit() -> None:
        client = AsyncClient("http://127.0.0.1", transport=road, max_retries=6, sleep=at_once)
        async with app.router.lifespan_context(app), client:
            await asyncio.gather(*(visitor(number, client) for number in range(AT_ONCE)))

    asyncio.run(visit())
    lost = sum(road.faults.values()) - road.faults[""]
    assert lost > calls * SHARE / 2
    figure(PROMISE, f"{calls} calls, {lost} of them lost on the way or refused", "0 raised, 0 twice, 0 missing")
