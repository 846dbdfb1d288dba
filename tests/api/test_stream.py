"""The stream of an answer: in order, kept alive, failing cleanly, and stopped when nobody reads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from aim_memory.api.app import create_app
from aim_memory.bodies import AnswerEvent
from aim_memory.errors import GeneratorError, NotFoundError
from aim_memory.settings import ServerSettings, Settings
from tests.api.conftest import local
from tests.api.doubles import OpenDoor, StubEngine, call, events_of

BODY = {"namespace": "user/ada", "query": "when?", "stream": True}
JSON = {"content-type": "application/json"}
Events = Callable[[], AsyncGenerator[AnswerEvent, None]]


def app_with(settings: Settings, events: Events, **server: Any) -> FastAPI:
    changed = settings.model_copy(update={"server": ServerSettings(**server)})
    return create_app(changed, StubEngine(events=events), OpenDoor())


def said(text: str) -> AnswerEvent:
    return AnswerEvent(event="delta", body={"text": text})


def test_a_real_answer_streams_in_order(client: TestClient, namespace: str) -> None:
    client.post("/v1/memories", json={"namespace": namespace, "text": "The launch is on 14 May 2026."})
    body = {"namespace": namespace, "query": "When is the launch?"}
    with client.stream("POST", "/v1/answer", json={**body, "stream": True}) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        assert reply.headers["cache-control"] == "no-store"
        events = events_of(reply.read().decode())
    names = [name for name, _ in events]
    assert names[0] == "context"
    assert names[-2:] == ["verification", "done"]
    assert names[1:-2] == ["delta", "citation", "verification"]
    whole = client.post("/v1/answer", json=body).json()
    assert events[-1][1]["answer"] == whole["answer"]
    assert "".join(body["text"] for name, body in events if name == "delta").strip() == whole["answer"].strip()
    assert [body for name, body in events if name == "citation"] == whole["citations"]


def test_what_fails_before_the_first_event_is_an_ordinary_problem(settings: Settings) -> None:
    async def events() -> AsyncGenerator[AnswerEvent, None]:
        raise NotFoundError("no such generator")
        yield said("never")  # type: ignore[unreachable]

    with local(app_with(settings, events)) as client:
        reply = client.post("/v1/answer", json=BODY)
    assert (reply.status_code, reply.json()["code"]) == (404, "not_found")
    assert reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("error", "code"), [(GeneratorError("cut off"), "generator"), (KeyError("x"), "internal")])
def test_what_fails_later_is_the_last_event(settings: Settings, error: Exception, code: str) -> None:
    async def events() -> AsyncGenerator[AnswerEvent, None]:
        yield said("The launch")
        raise error

    with local(app_with(settings, events)) as client:
        reply = client.post("/v1/answer", json=BODY)
    assert reply.status_code == 200
    assert [name for name, _ in events_of(reply.text)] == ["delta", "error"]
    problem = events_of(reply.text)[-1][1]
    assert (problem["code"], problem["request_id"]) == (code, reply.headers["x-request-id"])


def test_a_generation_that_never_ends_is_cut_at_the_deadline(settings: Settings) -> None:
    closed: list[bool] = []

    async def events() -> AsyncGenerator[AnswerEvent, None]:
        try:
            yield said("Well")
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    with local(app_with(settings, events, answer_timeout_s=0.01)) as client:
        reply = client.post("/v1/answer", json=BODY)
    assert events_of(reply.text)[-1][1]["code"] == "timeout"
    assert closed == [True]


@pytest.mark.anyio
async def test_silence_is_filled_with_comments(settings: Settings) -> None:
    heard = asyncio.Event()

    async def events() -> AsyncGenerator[AnswerEvent, None]:
        yield said("one")
        await heard.wait()
        yield said("two")

    def listen(chunk: bytes) -> None:
        if chunk.startswith(b":"):
            heard.set()

    app = app_with(settings, events, heartbeat_s=0.001)
    async with app.router.lifespan_context(app):
        reply = await call(
            app,
            "POST",
            "/v1/answer",
            headers=JSON,
            body=[json.dumps(BODY).encode()],
            on_chunk=listen,
            hang_up=asyncio.Event().wait,
        )
    assert b": keep-alive\n\n" in reply.chunks
    assert [body["text"] for _, body in events_of(b"".join(reply.chunks).decode())] == ["one", "two"]
    assert reply.complete


@pytest.mark.anyio
async def test_a_reader_who_leaves_stops_the_generation(settings: Settings) -> None:
    first_read, stopped = asyncio.Event(), asyncio.Event()

    async def events() -> AsyncGenerator[AnswerEvent, None]:
        try:
            yield said("The")
            await asyncio.Event().wait()
        finally:
            stopped.set()

    app = app_with(settings, events)
    async with app.router.lifespan_context(app):
        reply = await call(
            app,
            "POST",
            "/v1/answer",
            headers=JSON,
            body=[json.dumps(BODY).encode()],
            on_chunk=lambda _: first_read.set(),
            hang_up=first_read.wait,
        )
    assert stopped.is_set()
    assert not reply.complete


@pytest.mark.anyio
async def test_so_many_answers_at_once_and_no_more(settings: Settings) -> None:
    first_read, leave = asyncio.Event(), asyncio.Event()

    async def events() -> AsyncGenerator[AnswerEvent, None]:
        yield said("The")
        await asyncio.Event().wait()

    app = app_with(settings, events, answers=1, answers_waiting=0)
    body = [json.dumps(BODY).encode()]
    async with app.router.lifespan_context(app):
        reading = asyncio.create_task(
            call(
                app,
                "POST",
                "/v1/answer",
                headers=JSON,
                body=body,
                on_chunk=lambda _: first_read.set(),
                hang_up=leave.wait,
            )
        )
        await first_read.wait()
        refused = await call(app, "POST", "/v1/answer", headers=JSON, body=body, hang_up=leave.wait)
        leave.set()
        await reading
    assert (refused.status, refused.json["code"]) == (429, "queue_full")
    assert "retry-after" in refused.headers
