"""kill -9 of a server right after the last byte of a chat: what its reply called remembered is there."""

from __future__ import annotations

import http.client
import json
import signal
from contextlib import closing
from pathlib import Path
from typing import Any

from aim_memory.storage.sql_store import SqlStore
from aim_memory.types import Space
from tests.chat_server import ChatServer
from tests.faults.served import NAMESPACE, server
from tests.memories import SteppingClock

KILLS = 3


def test_a_finished_exchange_survives_a_kill(tmp_path: Path) -> None:
    with ChatServer() as model:
        model.respond = lambda body: ChatServer.streamed("Noted, I will keep that in mind.")
        environment = {"AIM_GENERATOR__KIND": "openai", "AIM_GENERATOR__URL": model.url, "AIM_GENERATOR__MODEL": "tiny"}
        for round_ in range(KILLS):
            with server(tmp_path, **environment) as (process, address):
                told = _chat(address, f"My locker has the number {round_}.")
                process.send_signal(signal.SIGKILL)
                assert told["remembered"]
    store = SqlStore(f"sqlite:///{tmp_path / 'aim.db'}", SteppingClock(), None)
    space = Space("local", NAMESPACE)
    texts = [memory.text for memory in store.get(space, [row.id for row in store.snapshot(space)[1]]).values()]
    store.close()
    assert [text for text in texts if "locker" in text] == [f"My locker has the number {n}." for n in range(KILLS)]


def _chat(address: tuple[str, int], said: str) -> dict[str, Any]:
    """The extension field of a streamed reply, read to its last byte."""
    with closing(http.client.HTTPConnection(*address, timeout=30)) as connection:
        body = {"model": "auto", "messages": [{"role": "user", "content": said}], "stream": True, "user": NAMESPACE}
        connection.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
        frames = connection.getresponse().read().decode().split("\n\n")
    assert frames[-2] == "data: [DONE]"
    told: dict[str, Any] = json.loads(frames[-3].removeprefix("data: "))["aim_memory"]
    return told
