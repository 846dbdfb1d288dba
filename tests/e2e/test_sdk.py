"""The same verbs through every door, against the real engine: embedded, over HTTP, and over HTTP without blocking."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aim_memory import (
    AIMMemory,
    AsyncClient,
    Client,
    ConflictError,
    IdempotencyError,
    InvalidInputError,
    NotFoundError,
    StaleVersionError,
)
from aim_memory.cli.local_server import LocalServer
from aim_memory.extras import installed_version
from aim_memory.settings import EmbedderSettings, Settings

SPACE = "user/ada"


class Blocking:
    """The async client behind the blocking verbs, so that one test speaks to all doors."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._runner = asyncio.Runner()

    def __getattr__(self, verb: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            begun = getattr(self._client, verb)(*args, **kwargs)
            return self._runner.run(begun if inspect.iscoroutine(begun) else _all(begun))

        return call

    def end(self) -> None:
        self.close()
        self._runner.close()


async def _all(items: Any) -> list[Any]:
    return [item async for item in items]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIM_EMBEDDER__KIND", "hashing")
        running = LocalServer(tmp_path_factory.mktemp("server"))
    with running:
        running.wait_until_ready()
        yield running


@pytest.fixture(params=["embedded", "http", "async"])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "embedded":
        with AIMMemory(tmp_path, settings=Settings(embedder=EmbedderSettings(kind="hashing"))) as door:
            yield door
        return
    url = request.getfixturevalue("server").url
    with Client(url) as client:
        if request.param == "http":
            yield client
        else:
            blocking = Blocking(AsyncClient(url))
            yield blocking
            blocking.end()
        for space in client.namespaces().items:
            client.forget(space.namespace)


def test_a_memory_lives_and_ends(memory: Any) -> None:
    (written,) = memory.write("The launch is on 14 May.", namespace=SPACE, session_id="s").results
    assert memory.query("When is the launch?", namespace=SPACE).results[0].id == written.id
    reply = memory.answer("When is the launch?", namespace=SPACE, reference_date="2025-05-01")
    assert "14 May" in reply.answer
    (citation, *_) = reply.citations
    assert memory.get(citation.memory_id).text[citation.start : citation.end] == citation.quote

    edited = memory.update(written.id, if_match=1, text="The launch is on 21 May.", metadata={"by": "Ada"})
    assert (edited.version, edited.metadata) == (2, {"by": "Ada"})
    assert memory.update(written.id, expires_at="2999-01-01").expires_at is not None
    assert memory.update(written.id, expires_at=None).expires_at is None
    with pytest.raises(StaleVersionError):
        memory.update(written.id, if_match=1, text="The launch is off.")
    assert memory.history(written.id).versions[0].text == "The launch is on 14 May."
    assert memory.evidence(written.id).original == "The launch is on 21 May."
    assert memory.feedback([{"memory_id": written.id, "value": 1}], namespace=SPACE).accepted == 1
    assert memory.delete(written.id).deleted == 1
    with pytest.raises(NotFoundError):
        memory.get(written.id)


def test_a_key_has_one_effect_and_an_id_one_content(memory: Any) -> None:
    first = memory.write("Once.", namespace=SPACE, idempotency_key="k")
    assert memory.write("Once.", namespace=SPACE, idempotency_key="k").results == first.results
    with pytest.raises(IdempotencyError):
        memory.write("Twice.", namespace=SPACE, idempotency_key="k")
    memory.write(namespace=SPACE, memories=[{"id": "mine", "text": "One."}])
    with pytest.raises(ConflictError):
        memory.write(namespace=SPACE, memories=[{"id": "mine", "text": "Two."}])
    assert [found.text for found in memory.iterate(namespace=SPACE)] == ["Once.", "One."]


def test_an_edit_with_a_key_has_one_effect(memory: Any) -> None:
    (written,) = memory.write("The launch is on 14 May.", namespace=SPACE).results
    edit = {"if_match": 1, "text": "The launch is on 21 May.", "idempotency_key": "e"}
    first = memory.update(written.id, **edit)
    assert memory.update(written.id, **edit) == first
    assert (first.version, len(memory.history(written.id).versions)) == (2, 2)
    with pytest.raises(IdempotencyError):
        memory.update(written.id, **edit | {"text": "The launch is off."})


def test_iterate_goes_past_a_page_and_time_and_filters_narrow_it(memory: Any) -> None:
    for start in (0, 60):
        batch = [
            {"text": f"Turn {number}.", "timestamp": f"2025-05-01T10:{number % 60:02}:00Z", "speaker": f"S{start}"}
            for number in range(start, start + 60)
        ]
        memory.write(namespace=SPACE, memories=batch)
    assert [found.text for found in memory.iterate(namespace=SPACE)] == [f"Turn {number}." for number in range(120)]
    some = memory.iterate(namespace=SPACE, filters={"speaker": {"eq": "S60"}})
    assert [found.text for found in some] == [f"Turn {number}." for number in range(60, 120)]


def test_an_answer_streams(memory: Any) -> None:
    memory.write(namespace=SPACE, messages=[{"role": "user", "content": "我的牙医是王医生。", "name": "小王"}])
    events = list(memory.stream_answer("我的牙医是谁？", namespace=SPACE))
    assert [events[0].event, events[-1].event] == ["context", "done"]
    assert "王医生" in "".join(event.body["text"] for event in events if event.event == "delta")


def test_a_session_moves_and_comes_to_rest(memory: Any) -> None:
    memory.write("The bicycle cost 1,840.", namespace=SPACE)
    memory.query("Which bicycle?", namespace=SPACE, session_id="s")
    assert memory.session("s", namespace=SPACE).turns == 1
    assert [found.id for found in memory.sessions(namespace=SPACE).items] == ["s"]
    assert memory.reset_session("s", namespace=SPACE).reset is True
    assert memory.sessions(namespace=SPACE).items == []


def test_a_namespace_is_erased_with_a_receipt(memory: Any) -> None:
    memory.write("Gone soon.", namespace=SPACE)
    receipt = memory.forget(SPACE)
    assert (receipt.namespace, receipt.erased["memories"]) == (SPACE, 1)
    assert memory.namespaces().items == []
    with pytest.raises(NotFoundError):
        memory.forget(SPACE)


def test_invalid_input_names_the_field(memory: Any) -> None:
    for call in (
        lambda: memory.query("q", namespace=SPACE, top_k=0),
        lambda: memory.query("q", namespace=SPACE, top_k=10_000),
        lambda: memory.query("q", namespace="a//b"),
        lambda: memory.write(namespace=SPACE),
        lambda: memory.list(namespace=SPACE, filters={"speaker": {"like": "A"}}),
    ):
        with pytest.raises(InvalidInputError):
            call()


def test_status_says_what_it_runs_on(memory: Any) -> None:
    status = memory.status()
    assert status["embedder"]["generation"].startswith("hashing")
    assert status["version"] == installed_version()


def test_every_verb_works_inside_a_running_loop(tmp_path: Path) -> None:
    """As in a notebook, where one cell after the other runs in a loop that is running already."""

    async def cells() -> list[str]:
        with AIMMemory(tmp_path, settings=Settings(embedder=EmbedderSettings(kind="hashing"))) as memory:
            memory.write("The launch is on 14 May.", namespace=SPACE)
            assert memory.query("When is the launch?", namespace=SPACE).results
            streamed = [event.event for event in memory.stream_answer("When is the launch?", namespace=SPACE)]
            assert "14 May" in memory.answer("When is the launch?", namespace=SPACE).answer
            assert memory.generate_with_memory("When is the launch?", namespace=SPACE, session_id="s").answer
            return streamed

    assert asyncio.run(cells())[-1] == "done"
