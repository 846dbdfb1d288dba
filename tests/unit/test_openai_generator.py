"""What the generator over chat completions makes of good, bad and cut replies, over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing

import pytest
from pydantic import SecretStr

from aim_memory.errors import ConfigurationError, GeneratorError
from aim_memory.llm.chat import ChatEndpoint
from aim_memory.llm.openai import OpenAIGenerator
from aim_memory.settings import GeneratorSettings
from aim_memory.types import Delta, Message, Prompt, Usage
from tests.chat_server import ChatReply, ChatServer, delta, event

PROMPT = Prompt("Where?", (), (Message("user", "Where does Ada live?"),), confidence=0.5, max_tokens=64)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as running:
        yield running


def ask(server: ChatServer, reply: ChatReply, timeout_s: float = 10.0) -> list[Delta]:
    server.replies = [reply]
    settings = GeneratorSettings(
        kind="openai", url=server.url + "/", model="tiny", api_key=SecretStr("s3cret"), timeout_s=timeout_s
    )

    async def collect() -> list[Delta]:
        return [delta async for delta in OpenAIGenerator(ChatEndpoint(settings)).stream(PROMPT)]

    return asyncio.run(collect())


def test_the_request_carries_messages_model_and_key(server: ChatServer) -> None:
    ask(server, ChatServer.answer("In Lisbon."))
    [(headers, body)] = server.requests
    assert headers["authorization"] == "Bearer s3cret"
    assert body["model"] == "tiny"
    assert body["max_tokens"] == 64
    assert body["messages"] == [{"role": "user", "content": "Where does Ada live?"}]
    assert body["stream"] is True


def test_text_finish_and_usage_are_read(server: ChatServer) -> None:
    deltas = ask(server, ChatServer.answer("In Lisbon."))
    assert [delta.text for delta in deltas] == ["In ", "Lisbon. ", ""]
    assert deltas[-1] == Delta(finish="stop", usage=Usage(7, 5))


def test_an_event_cut_across_packets_is_one_event(server: ChatServer) -> None:
    whole = delta("里斯本") + delta(finish="length") + event("[DONE]")
    deltas = ask(server, ChatReply(tuple(whole[i : i + 5] for i in range(0, len(whole), 5))))
    assert [delta.text for delta in deltas] == ["里斯本", ""]
    assert deltas[-1].finish == "length"


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (ChatReply((b'{"error": "no such model"}',), 404, "application/json"), "404.*no such model"),
        (ChatReply((b"overloaded",), 503, "text/plain"), "503.*overloaded"),
        (ChatReply((delta("In "),)), "broke off"),
        (ChatReply((delta(finish="stop"), event("[DONE]"))), "empty"),
        (ChatReply((event("{not json"),)), "not JSON"),
        (ChatReply((event({"error": {"message": "out of memory"}}),)), "out of memory"),
        (ChatReply((event({"choices": "none"}),)), "unknown shape"),
        (ChatReply((event({"choices": [{"delta": {"content": 3}}]}),)), "not a string"),
        (ChatReply((b"<html>hello</html>",), content_type="text/html"), "text/event-stream"),
    ],
)
def test_what_is_no_answer_is_a_generator_error(server: ChatServer, reply: ChatReply, says: str) -> None:
    with pytest.raises(GeneratorError, match=says):
        ask(server, reply)


def test_a_server_that_hangs_is_left_at_the_deadline(server: ChatServer) -> None:
    with pytest.raises(GeneratorError, match="did not finish its answer"):
        ask(server, ChatReply((delta("In "),), hang=True), timeout_s=0.2)
    assert server.disconnected.wait(10)


def test_a_server_that_is_not_there_is_a_generator_error(server: ChatServer) -> None:
    url = server.url.replace("127.0.0.1", "127.0.0.254").replace(f":{server.url.split(':')[2]}", ":9/v1")
    generator = OpenAIGenerator(ChatEndpoint(GeneratorSettings(kind="openai", url=url, model="tiny")))

    async def collect() -> list[Delta]:
        return [delta async for delta in generator.stream(PROMPT)]

    with pytest.raises(GeneratorError, match="could not be reached"):
        asyncio.run(collect())


def test_closing_the_stream_hangs_up(server: ChatServer) -> None:
    server.replies = [ChatReply((delta("In "),), hang=True)]
    generator = OpenAIGenerator(ChatEndpoint(GeneratorSettings(kind="openai", url=server.url, model="tiny")))

    async def leave_early() -> Delta:
        async with aclosing(generator.stream(PROMPT)) as deltas:
            return await anext(deltas)

    assert asyncio.run(leave_early()).text == "In "
    assert server.disconnected.wait(10)


@pytest.mark.parametrize("missing", ["url", "model"])
def test_a_missing_setting_is_named(missing: str) -> None:
    settings = {"kind": "openai", "url": "http://127.0.0.1:1/v1", "model": "tiny", missing: None}
    with pytest.raises(ConfigurationError, match=f"AIM_GENERATOR__{missing.upper()}"):
        ChatEndpoint(GeneratorSettings.model_validate(settings))


def test_an_address_that_is_none_is_named() -> None:
    with pytest.raises(ConfigurationError, match="AIM_GENERATOR__URL is not an address"):
        ChatEndpoint(GeneratorSettings(kind="openai", url="http://[::1/v1", model="tiny"))


def test_a_failure_does_not_tell_the_address() -> None:
    url = "http://127.0.0.254:9/v1"
    endpoint = ChatEndpoint(GeneratorSettings(kind="openai", url=url, model="tiny"))
    with pytest.raises(GeneratorError) as failed:
        asyncio.run(endpoint.whole({"model": "tiny", "messages": []}))
    assert "127.0.0" not in failed.value.message
