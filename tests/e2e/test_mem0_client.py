"""mem0's own Python client, unmodified, against a running server: host and key changed, nothing else.

It runs in a process of its own, because it makes a folder for itself when it is imported.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from aim_memory import Client
from aim_memory.cli.local_server import LocalServer

SCRIPT = """
import asyncio, json, sys
from mem0 import AsyncMemoryClient, MemoryClient
from mem0.exceptions import MemoryNotFoundError, ValidationError

client = MemoryClient(api_key="any", host=sys.argv[1])
ada = {"user_id": "ada@example.org"}
done = {}
done["add"] = client.add("I moved to Lisbon in March.", user_id="ada@example.org", metadata={"topic": "home"})
turns = [
    {"role": "system", "content": "You are kind."},
    {"role": "user", "content": "My doctor is Dr. Okafor.", "name": "Ada"},
    {"role": "assistant", "content": "I will remember Dr. Okafor."},
]
more = {"run_id": "visit 1", "agent_id": "bot", "timestamp": 1700000000, "expiration_date": "2099-01-01"}
done["turns"] = client.add(turns, infer=False, **ada, **more)
done["search"] = client.search("Who is the doctor?", filters=ada)
done["narrowed"] = client.search("doctor", filters={"AND": [ada, {"run_id": "visit 1"}]}, top_k=1)
done["by_metadata"] = client.search("Lisbon", filters={"AND": [ada, {"metadata": {"topic": "home"}}]})
done["all"] = client.get_all(filters=ada)
done["page"] = client.get_all(filters=ada, page=2, page_size=2)
first = done["add"]["results"][0]["id"]
done["get"] = client.get(first)
done["update"] = client.update(first, text="I moved to Porto in March.", metadata={"topic": "house"})
done["history"] = client.history(first)
done["users"] = client.users()
done["feedback"] = client.feedback(first, feedback="POSITIVE")
done["batch"] = client.batch_update([{"memory_id": first, "text": "I moved to Faro in March."}])
done["after_batch"] = client.get(first)["memory"]
done["batch_delete"] = client.batch_delete([{"memory_id": first}])
try:
    client.get(first)
except MemoryNotFoundError as error:
    done["gone"] = str(error)
try:
    client.search("anything")
except ValidationError as error:
    done["refused"] = str(error)
done["delete_run"] = client.delete_all(user_id="ada@example.org", run_id="visit 1")
done["left"] = client.get_all(filters=ada)["count"]


async def asynchronous():
    async with AsyncMemoryClient(api_key="any", host=sys.argv[1]) as other:
        await other.add("The kettle is blue.", user_id="bob")
        done["async"] = await other.search("kettle", filters={"user_id": "bob"})
        done["delete_users"] = await other.delete_users(user_id="bob")
        done["async_left"] = (await other.get_all(filters={"user_id": "bob"}))["count"]


asyncio.run(asynchronous())
print(json.dumps(done))
"""


@contextmanager
def serving(home: Path) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIM_EMBEDDER__KIND", "hashing")
        server = LocalServer(home)
    with server:
        server.wait_until_ready()
        yield server.url


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    own = {"MEM0_DIR": str(tmp_path_factory.mktemp("mem0")), "MEM0_TELEMETRY": "False"}
    with serving(tmp_path_factory.mktemp("server")) as url:
        command = [sys.executable, "-c", SCRIPT, f"{url}/mem0"]
        ended = subprocess.run(command, env={**os.environ, **own}, capture_output=True, text=True, timeout=100)
    assert ended.returncode == 0, ended.stderr
    told: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return told


def test_what_is_added_is_found(done: dict[str, Any]) -> None:
    assert [one["event"] for one in done["add"]["results"] + done["turns"]["results"]] == ["ADD"] * 3
    best = done["search"]["results"][0]
    assert best["memory"] == "My doctor is Dr. Okafor."
    assert (best["user_id"], best["agent_id"], best["run_id"]) == ("ada@example.org", "bot", "visit 1")
    assert best["created_at"].startswith("2023-11-14")
    assert best["expiration_date"] == "2099-01-01"
    assert 0 < best["score"] < 1


def test_filters_and_pages(done: dict[str, Any]) -> None:
    assert [one["memory"] for one in done["narrowed"]["results"]] == ["My doctor is Dr. Okafor."]
    assert [one["metadata"] for one in done["by_metadata"]["results"]] == [{"topic": "home"}]
    assert done["all"]["count"] == 3
    assert (len(done["page"]["results"]), done["page"]["next"]) == (1, None)


def test_edits_and_history(done: dict[str, Any]) -> None:
    assert done["get"]["memory"] == "I moved to Lisbon in March."
    assert (done["update"]["memory"], done["update"]["metadata"]) == ("I moved to Porto in March.", {"topic": "house"})
    assert [event["event"] for event in done["history"]] == ["ADD", "UPDATE"]
    assert done["history"][1]["old_memory"] == "I moved to Lisbon in March."
    assert done["after_batch"] == "I moved to Faro in March."
    assert done["users"]["results"][0]["name"] == "ada@example.org"


def test_what_is_deleted_is_gone_and_failures_are_mem0s_own(done: dict[str, Any]) -> None:
    assert "no memory" in done["gone"]
    assert "user_id" in done["refused"]
    assert done["left"] == 0
    assert done["async"]["results"][0]["memory"] == "The kettle is blue."
    assert done["async_left"] == 0


def test_everything_moves_once(tmp_path: Path) -> None:
    written = {"user/ada": 120, "user/b%2Fb": 80, "agent/bot": 30}
    with serving(tmp_path / "from") as old, serving(tmp_path / "to") as new:
        with Client(old) as source:
            for whose, count in written.items():
                for first in range(0, count, 100):
                    source.write(memories=[_note(at) for at in range(first, min(first + 100, count))], namespace=whose)
        assert [_move(old, new, tmp_path) for _ in range(2)] == ["230 created\n", "230 unchanged\n"]
        for whose in written:
            assert _all(old, whose) == _all(new, whose)


def _note(number: int) -> dict[str, Any]:
    return {"text": f"Note {number}.", "timestamp": f"2024-01-02T03:00:{number % 60:02}Z", "metadata": {"n": number}}


def _move(old: str, new: str, folder: Path) -> str:
    script = Path(__file__).parents[2] / "examples" / "from_mem0.py"
    environment = {**os.environ, "MEM0_DIR": str(folder / "mem0"), "MEM0_TELEMETRY": "False"}
    command = [sys.executable, str(script), "--key", "any", "--host", f"{old}/mem0", "--to", new]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=True).stdout


def _all(url: str, namespace: str) -> list[tuple[str, str, object]]:
    with Client(url) as client:
        return sorted(
            (one.text, str(one.timestamp), one.metadata["n"])
            for one in client.list(namespace=namespace, limit=200).items
        )
