"""Extraction through every door: REST, the SDK, the command line, mem0's router; the model server is scripted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from typer.testing import CliRunner

from aim_memory import AsyncClient, Client, assemble
from aim_memory.api.app import create_app
from aim_memory.bodies import WriteRequest
from aim_memory.cli.commands import app as cli
from aim_memory.embedded import LOCAL_TENANT
from aim_memory.engine import MemoryEngine
from aim_memory.settings import GeneratorSettings
from tests.api.conftest import settings_in
from tests.api.live import served
from tests.chat_server import ChatReply, ChatServer

SAID = "My rent is 900 euros."
KEPT, REFUSED = "Ada's rent is 900 euros.", "Ada's rent is 950 euros."


@dataclass
class World:
    url: str
    engine: MemoryEngine
    model: ChatServer
    environment: dict[str, str]

    def settle(self, job_id: str) -> dict[str, Any]:
        """The result of a job, done by this thread or by the server's."""
        while not self.engine.jobs.get(job_id).finished:
            self.engine.work(lambda: False)
        job = self.engine.jobs.get(job_id)
        assert job.state == "done", job.error
        return dict(job.result)

    def derived(self, namespace: str) -> list[str]:
        return [one.text for one in self.engine.list(LOCAL_TENANT, namespace).items if one.trust == "derived"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with ChatServer() as model:
        home = tmp_path_factory.mktemp("home")
        generator = GeneratorSettings(kind="openai", url=model.url, model="tiny", timeout_s=10)
        settings = settings_in(home, generator=generator)
        engine = assemble.open_engine(settings)
        app = create_app(settings, engine, assemble.open_keyring(settings, engine))
        told = {"items": [{"text": text, "sources": [1]} for text in (KEPT, REFUSED)]}
        model.respond = lambda body: ChatServer.whole(json.dumps(told))
        environment = {"AIM_EMBEDDER__KIND": "hashing", "AIM_GENERATOR__KIND": "openai"}
        environment |= {"AIM_GENERATOR__URL": model.url, "AIM_GENERATOR__MODEL": "tiny", "AIM_HOME": str(home)}
        with served(app) as url:
            yield World(url, engine, model, environment)


@pytest.fixture
def namespace(world: World, request: pytest.FixtureRequest) -> str:
    """One of its own for each test, with one turn in it."""
    name = f"user/{abs(hash(request.node.name))}"
    memories = [{"text": SAID, "speaker": "Ada", "role": "user", "session_id": "s"}]
    world.engine.write(LOCAL_TENANT, WriteRequest.model_validate({"namespace": name, "memories": memories}))
    world.model.requests.clear()
    return name


def test_over_rest_it_is_a_job(world: World, namespace: str) -> None:
    begun = httpx2.post(f"{world.url}/v1/admin/extract", json={"namespace": namespace}).json()
    assert begun["kind"] == "extract"
    result = world.settle(begun["id"])
    assert (result["facts_kept"], result["facts_refused"]) == (1, 1)
    models = httpx2.get(f"{world.url}/status").json()["models"]
    assert models["targets"]["tiny"]["cancelled"] == 0
    assert models["now"] == {"interactive": 0, "background": 0, "background_waited_s": 0.0}
    (found,) = [hit for hit in world.engine.list(LOCAL_TENANT, namespace).items if hit.trust == "derived"]
    shown = httpx2.get(f"{world.url}/v1/memories/{found.id}", params={"namespace": namespace}).json()
    assert (shown["text"], len(shown["derived_from"])) == (KEPT, 1)


def test_the_sdk_previews_and_begins_it(world: World, namespace: str) -> None:
    with Client(world.url) as client:
        found = client.admin.preview_extraction(namespace)
        assert ([one.text for one in found.items], [one.text for one in found.refused]) == ([KEPT], [REFUSED])
        assert world.derived(namespace) == []
        world.settle(client.admin.extract(namespace).id)
    assert world.derived(namespace) == [KEPT]


def test_the_async_sdk_too(world: World, namespace: str) -> None:
    async def go() -> str:
        async with AsyncClient(world.url) as client:
            assert (await client.admin.preview_extraction(namespace, limit=2)).waiting == 1
            return (await client.admin.extract(namespace)).id

    world.settle(asyncio.run(go()))
    assert world.derived(namespace) == [KEPT]


@pytest.mark.parametrize("door", ["folder", "server"])
def test_the_command_line_previews_and_does_it(world: World, namespace: str, door: str) -> None:
    where = ["--url", world.url] if door == "server" else []
    run = ["extract", "-n", namespace, *where]
    previewed = CliRunner().invoke(cli, [*run, "--dry-run"], env=world.environment)
    assert previewed.exit_code == 0, previewed.output
    assert "950 euros" in previewed.output
    assert "Nothing was written" in previewed.output
    assert world.derived(namespace) == []
    done = CliRunner().invoke(cli, [*run, "--json"], env=world.environment)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["facts_kept"] == 1
    assert world.derived(namespace) == [KEPT]


@pytest.mark.parametrize(("infer", "asked"), [({"infer": True}, True), ({"infer": False}, False), ({}, False)])
def test_mem0_s_infer_keeps_the_turns_and_has_them_read(world: World, infer: dict[str, bool], asked: bool) -> None:
    user = f"mem0-{len(infer)}{infer.get('infer')}"
    body = {"messages": [{"role": "user", "content": SAID, "name": "Ada"}], "user_id": user, **infer}
    reply = httpx2.post(f"{world.url}/mem0/v3/memories/add/", json=body).json()
    assert [result["memory"] for result in reply["results"]] == [SAID]
    assert ("extraction" in reply) is asked
    if asked:
        world.settle(reply["extraction"])
    assert world.derived(f"user/{user}") == [KEPT] * asked


def test_a_preview_with_a_model_that_is_down_is_a_502(world: World, namespace: str) -> None:
    respond, world.model.respond = world.model.respond, lambda body: ChatReply((b"{}",), status=500)
    reply = httpx2.post(f"{world.url}/v1/admin/extract/preview", json={"namespace": namespace})
    world.model.respond = respond
    assert (reply.status_code, reply.json()["code"]) == (502, "generator")


def test_without_a_model_it_says_what_to_set(tmp_path_factory: pytest.TempPathFactory) -> None:
    environment = {"AIM_EMBEDDER__KIND": "hashing", "AIM_HOME": str(tmp_path_factory.mktemp("home"))}
    result = CliRunner().invoke(cli, ["extract"], env=environment)
    assert result.exit_code != 0
    assert "AIM_GENERATOR__KIND" in result.output
