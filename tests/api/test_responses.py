"""OpenAI's Responses by the official client, unmodified, against the real server in front of a scripted model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from aim_memory import assemble
from aim_memory.api.app import create_app
from aim_memory.api.responses import chat_of
from aim_memory.bodies import WriteRequest
from aim_memory.embedded import LOCAL_TENANT
from aim_memory.errors import InvalidInputError
from aim_memory.settings import GeneratorSettings
from tests.api.conftest import settings_in
from tests.api.live import served
from tests.api.test_openai_client import World
from tests.chat_server import ChatReply, ChatServer, delta, event

ADA = "user/ada"
ASKED = "Where does Ada keep her bicycle?"
SAID = "In the shed behind the bakery."


class Place(BaseModel):
    place: str


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with ChatServer() as model:
        generator = GeneratorSettings(kind="openai", url=model.url, model="tiny", timeout_s=10)
        settings = settings_in(tmp_path_factory.mktemp("home"), generator=generator)
        engine = assemble.open_engine(settings)
        app = create_app(settings, engine, assemble.open_keyring(settings, engine))
        engine.write(
            LOCAL_TENANT, WriteRequest(namespace=ADA, text="Ada keeps her bicycle in the shed behind the bakery.")
        )
        with served(app) as url, openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
            yield World(url, engine, model, client)


@pytest.fixture(autouse=True)
def _speaks(world: World) -> None:
    world.model.requests.clear()
    world.model.respond = lambda body: ChatServer.streamed(SAID) if body.get("stream") else ChatServer.whole(SAID)


def test_a_whole_response_has_text_usage_and_evidence(world: World) -> None:
    response = world.client.responses.create(model="auto", input=ASKED, instructions="Be brief.", user=ADA)
    assert (response.output_text, response.status, response.error) == (SAID, "completed", None)
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens, response.usage.total_tokens) == (7, 5, 12)
    told = response.model_extra["aim_memory"]
    assert told["citations"][0]["quote"] == "Ada keeps her bicycle in the shed behind the bakery."
    assert (told["remembered"], told["degraded"]) == (True, False)
    system, user = world.asked()["messages"]
    assert (system["role"], system["content"]) == ("system", "Be brief.")
    assert user["content"].endswith(ASKED)
    assert "shed behind the bakery" in user["content"]
    assert ASKED in world.memories(ADA)


def test_a_stream_is_told_in_events(world: World) -> None:
    with world.client.responses.create(model=f"auto@{ADA}", input=ASKED, stream=True) as stream:
        events = list(stream)
    kinds = [one.type for one in events]
    assert kinds[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert kinds[-4:] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert [one.sequence_number for one in events] == list(range(len(events)))
    assert "".join(one.delta for one in events if one.type == "response.output_text.delta") == SAID
    done = events[-1].response
    assert (done.output_text, done.usage.total_tokens) == (SAID, 12)
    assert done.model_extra["aim_memory"]["remembered"]


def test_the_client_s_own_streaming_helper_works(world: World) -> None:
    with world.client.responses.stream(model="auto", input=ASKED, user=ADA) as stream:
        texts = [one.delta for one in stream if one.type == "response.output_text.delta"]
        final = stream.get_final_response()
    assert "".join(texts) == final.output_text == SAID


def test_the_async_client_works(world: World) -> None:
    async def go() -> str:
        async with openai.AsyncOpenAI(base_url=f"{world.url}/v1", api_key="none") as client:
            return (await client.responses.create(model="auto", input=ASKED, user=ADA)).output_text

    assert asyncio.run(go()) == SAID


def test_a_conversation_goes_to_the_model_as_messages(world: World) -> None:
    items: Any = [
        {"role": "developer", "content": "Be kind."},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello."}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi."}]},
        {
            "role": "user",
            "content": [{"type": "input_text", "text": ASKED}, {"type": "input_image", "image_url": "data:,"}],
        },
    ]
    world.client.responses.create(
        model="auto",
        input=items,
        temperature=0.5,
        max_output_tokens=9,
        reasoning={"effort": "low"},
        extra_body={"seed": 1, "guided": "x"},
        extra_headers={"X-AIM-Namespace": ADA, "X-AIM-Session": "s"},
    )
    asked = world.asked()
    assert [message["role"] for message in asked["messages"]] == ["developer", "user", "assistant", "user"]
    assert asked["messages"][-1]["content"][-1] == {"type": "image_url", "image_url": {"url": "data:,"}}
    wanted = {"temperature": 0.5, "max_tokens": 9, "reasoning_effort": "low", "seed": 1, "guided": "x"}
    assert {name: asked[name] for name in wanted} == wanted
    assert not {"input", "instructions", "max_output_tokens", "reasoning", "text"} & set(asked)


def test_json_of_a_schema_comes_back_parsed(world: World) -> None:
    world.model.respond = lambda body: ChatServer.whole('{"place": "the shed"}')
    response = world.client.responses.parse(model="auto", input=ASKED, user=ADA, text_format=Place)
    assert response.output_parsed == Place(place="the shed")
    shape = world.asked()["response_format"]
    assert (shape["type"], shape["json_schema"]["name"], shape["json_schema"]["strict"]) == (
        "json_schema",
        "Place",
        True,
    )


TOOL: Any = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}, "strict": False}
CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}


def test_functions_are_called_and_their_results_come_back(world: World) -> None:
    world.model.respond = lambda body: ChatServer.whole("", message={"content": None, "tool_calls": [CALL]})
    response = world.client.responses.create(model="auto", input=ASKED, user=ADA, tools=[TOOL])
    (call,) = response.output
    assert (call.type, call.call_id, call.name, call.arguments) == ("function_call", "call_1", "look", '{"at": 1}')
    function = {name: value for name, value in TOOL.items() if name != "type"}
    assert world.asked()["tools"] == [{"type": "function", "function": function}]
    result: Any = {"type": "function_call_output", "call_id": "call_1", "output": "a shed"}
    again: Any = [{"role": "user", "content": ASKED}, call.model_dump(exclude_none=True), result]
    world.client.responses.create(model="auto", input=again, user=ADA, tools=[TOOL])
    _, said, told = world.asked()["messages"]
    assert said == {"role": "assistant", "tool_calls": [CALL]}
    assert told == {"role": "tool", "tool_call_id": "call_1", "content": "a shed"}


def test_a_streamed_call_is_told_in_events(world: World) -> None:
    def calling(index: int, **function: Any) -> bytes:
        call = {"index": index, "id": f"call_{index}", "type": "function", "function": function}
        return event({"choices": [{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}]})

    pieces = (
        calling(0, name="look", arguments='{"a'),
        calling(0, arguments='": 1}'),
        calling(1, name="go", arguments=""),
    )
    world.model.respond = lambda body: ChatReply((*pieces, delta(finish="tool_calls"), event("[DONE]")))
    with world.client.responses.stream(model="auto", input=ASKED, user=ADA, tools=[TOOL]) as stream:
        final = stream.get_final_response()
    assert [(call.name, call.arguments, call.call_id) for call in final.output] == [
        ("look", '{"a": 1}', "call_0"),
        ("go", "", "call_1"),
    ]


def test_what_was_cut_by_its_length_is_incomplete(world: World) -> None:
    world.model.respond = lambda body: ChatReply((delta("In the"), delta(finish="length"), event("[DONE]")))
    with world.client.responses.create(model="auto", input=ASKED, user=ADA, stream=True) as stream:
        last = list(stream)[-1]
    assert (last.type, last.response.incomplete_details.reason) == ("response.incomplete", "max_output_tokens")


@pytest.mark.parametrize("field", ["previous_response_id", "conversation", "background", "prompt"])
def test_what_is_not_kept_here_is_refused_by_its_name(world: World, field: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        world.client.responses.create(model="auto", input=ASKED, user=ADA, extra_body={field: "resp_1"})
    assert (caught.value.param, caught.value.code) == (field, "invalid_input")
    assert world.model.requests == []


@pytest.mark.parametrize(
    "more",
    [
        {"tools": [{"type": "web_search"}]},
        {"input": [{"type": "item_reference", "id": "x"}]},
        {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]},
        {"input": [{"content": "nobody says this"}]},
    ],
)
def test_what_no_chat_can_do_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        chat_of({"model": "auto", "input": ASKED, **more})


def test_without_a_namespace_it_asks_for_one(world: World) -> None:
    with pytest.raises(openai.BadRequestError, match="whose memory"):
        world.client.responses.create(model="auto", input=ASKED)


def test_quotes_stand_in_for_a_model_that_fails(world: World) -> None:
    world.model.respond = lambda body: ChatReply((b"down",), status=503)
    response = world.client.responses.create(model="auto", input=ASKED, user=ADA)
    assert "shed behind the bakery" in response.output_text
    assert response.model_extra["aim_memory"]["degraded"]


def test_a_stream_that_breaks_ends_in_an_error(world: World) -> None:
    world.model.respond = lambda body: ChatReply((delta("In the "), delta("shed ")))
    with (
        pytest.raises(openai.APIError, match="broke off"),
        world.client.responses.create(model="auto", input=ASKED, user=ADA, stream=True) as stream,
    ):
        for _ in stream:
            pass
    assert json.dumps(world.asked()["messages"]).count(ASKED) == 1
