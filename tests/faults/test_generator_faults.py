"""Every way in which a model server can fail, on all routes that speak to one, whole and streamed.

The rows are those of the table in docs/openai.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

import pytest
from starlette.testclient import TestClient

from aim_memory import assemble
from aim_memory.api.app import create_app
from aim_memory.settings import EmbedderSettings, GeneratorSettings, RouterSettings, Settings
from tests.chat_server import ChatReply, ChatServer, delta, event
from tests.figures import figure

SILENCE_S = 0.6
"""Given until the first token and inside a stream."""
GIVEN_S = 1.5
"""Given for a whole answer."""
PROMISED_S = 2.0
"""A degraded answer comes at most so long after the time that was given to the model."""
TEXT = "Ada keeps her bicycle in the shed behind the bakery."
QUESTION = "Where does Ada keep her bicycle?"
ROOT = Path(__file__).resolve().parents[2]

Outcome = Literal["well", "quotes", "partial", "refused"]
"""The model's answer; quotes in its place; half an answer that says why; the model's own refusal."""


@dataclass(frozen=True)
class Fault:
    """What the model server does, and what a caller gets whole, streamed, and as a chat in both forms."""

    reply: Callable[[dict[str, Any]], ChatReply] | None
    outcome: Outcome = "quotes"
    streamed: Outcome | None = None
    chat: Outcome | None = None
    url: str | None = None

    def expected(self, route: str, stream: bool) -> Outcome:
        chat = self.chat or self.outcome
        if stream and self.streamed is not None:
            return self.streamed
        return chat if route == "chat" else self.outcome


def always(*pieces: bytes, **more: Any) -> Callable[[dict[str, Any]], ChatReply]:
    return lambda body: ChatReply(pieces, **more)


def failing(status: int, message: str, **headers: str) -> Callable[[dict[str, Any]], ChatReply]:
    body = json.dumps({"error": {"message": message}}).encode()
    return always(body, status=status, content_type="application/json", headers=tuple(headers.items()))


def in_form(whole: ChatReply, streamed: ChatReply) -> Callable[[dict[str, Any]], ChatReply]:
    return lambda body: streamed if body.get("stream") else whole


BEGUN = (delta("In the "), delta("shed "))
NONSENSE = {"prompt_tokens": -5, "completion_tokens": "many", "total_tokens": None}
ENDED = (delta("In the shed."), delta(finish="stop"))
FAULTS: dict[str, Fault] = {
    "connection refused": Fault(None, url="http://127.0.0.1:9/v1"),
    "no such host": Fault(None, url="http://no-such-host.invalid/v1"),
    "not TLS": Fault(None, url="https://{host}/v1"),
    "key not accepted (401)": Fault(failing(401, "Incorrect API key: sk-secret-9")),
    "no such model (404)": Fault(failing(404, "no such model"), chat="refused"),
    "context too long (400)": Fault(failing(400, "maximum context length is 9"), chat="refused"),
    "busy (429)": Fault(failing(429, "slow down", **{"retry-after": "3600"})),
    "internal error (500)": Fault(failing(500, "out of memory")),
    "unavailable (503), an HTML page": Fault(always(b"<html>down</html>", status=503, content_type="text/html")),
    "silence before the first token": Fault(always(silent=True)),
    "silence in the middle": Fault(always(*BEGUN, hang=True), streamed="partial"),
    "keep-alives and nothing else": Fault(always(b": ping\n\n" * 9, hang=True)),
    "cut in the middle": Fault(always(*BEGUN), streamed="partial"),
    "an error in the stream": Fault(always(event({"error": {"message": "lost the GPU"}}))),
    "garbage in the middle": Fault(always(*BEGUN, event("{not json")), streamed="partial"),
    "no JSON": Fault(in_form(ChatReply((b"yes?",), content_type="application/json"), ChatReply((event("yes?"),)))),
    "JSON of another shape": Fault(
        in_form(ChatReply((b'{"a": 1}',), content_type="application/json"), ChatReply((event({"choices": "none"}),)))
    ),
    "wrong content type": Fault(always(b"<html>hello</html>", content_type="text/html")),
    "nothing at all": Fault(always()),
    "an empty answer": Fault(
        in_form(
            ChatReply((b'{"choices": []}',), content_type="application/json"),
            ChatReply((delta(""), delta(finish="stop"), event("[DONE]"))),
        )
    ),
    "an endless line": Fault(always(b"data: " + b"x" * 4_500_000)),
    "usage that lies": Fault(
        in_form(
            ChatServer.whole("In the shed.", usage=NONSENSE),
            ChatReply((*ENDED, event({"choices": [], "usage": NONSENSE}), event("[DONE]"))),
        ),
        outcome="well",
    ),
}


@pytest.fixture(scope="module")
def model() -> Iterator[ChatServer]:
    with ChatServer() as running:
        yield running


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], TestClient]]:
    """Servers by the address of their model. The breaker is not what is tried here."""
    home = tmp_path_factory.mktemp("home")
    with ExitStack() as open_:

        @cache
        def server(url: str) -> TestClient:
            return open_.enter_context(_server(home, url))

        yield server


@contextmanager
def _server(home: Path, url: str) -> Iterator[TestClient]:
    generator = GeneratorSettings(
        kind="openai", url=url, model="tiny", timeout_s=GIVEN_S, first_token_s=SILENCE_S, stall_s=SILENCE_S
    )
    router = RouterSettings(retries=0, timeout_s=GIVEN_S, failures=1000)
    settings = Settings(home=home, embedder=EmbedderSettings(kind="hashing"), generator=generator, router=router)
    engine = assemble.open_engine(settings)
    app = create_app(settings, engine, assemble.open_keyring(settings, engine))
    with TestClient(app, base_url="http://127.0.0.1:8765", client=("127.0.0.1", 50000)) as client:
        client.post("/v1/memories", json={"namespace": "user/ada", "memories": [{"id": "bike", "text": TEXT}]})
        yield client


@pytest.fixture
def client(fault: Fault, model: ChatServer, servers: Callable[[str], TestClient]) -> TestClient:
    """A server whose model has the fault."""
    model.respond = fault.reply
    return servers((fault.url or model.url).format(host=model.url.split("/")[2]))


def answered(client: TestClient, stream: bool) -> tuple[int, str, dict[str, Any]]:
    """(status, text, what is said about it) of the route for answers."""
    body = {"namespace": "user/ada", "query": QUESTION, "stream": stream}
    reply = client.post("/v1/answer", json=body)
    if not stream:
        return reply.status_code, reply.json()["answer"], reply.json()
    events = [block.split("\n") for block in reply.text.strip().split("\n\n")]
    bodies = [(name.removeprefix("event: "), json.loads(line.removeprefix("data: "))) for name, line in events]
    assert bodies[-1][0] == "done"
    return reply.status_code, "".join(body["text"] for name, body in bodies if name == "delta"), bodies[-1][1]


def chatted(client: TestClient, stream: bool, **headers: str) -> tuple[int, str, dict[str, Any]]:
    """The same of the route for chats; an error is what is said about it."""
    body = {"model": "auto", "messages": [{"role": "user", "content": QUESTION}], "user": "user/ada", "stream": stream}
    reply = client.post("/v1/chat/completions", json=body, headers={"x-aim-memory": "read", **headers})
    if not reply.headers["content-type"].startswith("text/event-stream"):
        whole = reply.json()
        text = "" if "error" in whole else whole["choices"][0]["message"]["content"]
        return reply.status_code, text, whole.get("error") or whole["aim_memory"]
    lines = [line.removeprefix("data: ") for line in reply.text.strip().split("\n\n")]
    chunks = [json.loads(line) for line in lines if line != "[DONE]"]
    text = "".join(choice["delta"].get("content") or "" for one in chunks for choice in one.get("choices", ()))
    assert (lines[-1] == "[DONE]") == ("error" not in chunks[-1])
    return reply.status_code, text, chunks[-1].get("error") or chunks[-1]["aim_memory"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_an_answer_is_degraded_or_partial_and_says_why(
    client: TestClient, fault: Fault, stream: bool, request: pytest.FixtureRequest
) -> None:
    start = perf_counter()
    status, text, body = answered(client, stream)
    late = perf_counter() - start - GIVEN_S
    assert status == 200
    match fault.expected("answer", stream):
        case "well":
            assert (text, body["degraded"]) == ("In the shed.", False)
            assert body["usage"] == {"prompt_tokens": 0, "completion_tokens": 0}
        case "partial":
            assert text == body["answer"] == "In the shed "
            assert body["degraded"]
            assert body["reason"]
        case _:
            assert text == body["answer"] == TEXT
            assert body["citations"][0]["quote"] == TEXT
            assert body["degraded"]
            assert body["reason"]
            assert "secret" not in body["reason"]
    assert late <= PROMISED_S
    figure(
        "generator down, slow, lying, cut: an answer in 2 s after the timeout",
        request.node.callspec.id,
        f"{max(0.0, late):.2f} s",
    )


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_chat_is_quotes_or_a_clear_error(client: TestClient, fault: Fault, stream: bool) -> None:
    status, text, told = chatted(client, stream)
    match fault.expected("chat", stream):
        case "well":
            assert (status, text, told["degraded"]) == (200, "In the shed.", False)
        case "quotes":
            assert (status, text) == (200, TEXT)
            assert told["degraded"]
            assert told["reason"]
            assert told["citations"][0]["memory_id"] == "bike"
        case "partial":
            assert (status, text) == (200, "In the shed ")
            assert told["code"] == "generator"
        case "refused":
            assert status in (400, 404)
            assert told["code"] == "generator_refused"
    assert "secret" not in json.dumps(told)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_chat_without_fallback_gets_the_error(client: TestClient, fault: Fault, stream: bool) -> None:
    status, _, told = chatted(client, stream, **{"x-aim-fallback": "off"})
    match fault.expected("chat", stream):
        case "well":
            assert status == 200
        case "partial":
            assert (status, told["code"]) == (200, "generator")
        case "refused":
            assert status in (400, 404)
        case "quotes":
            assert (status, told["type"]) == (502, "api_error")
            assert told["message"]


def responded(client: TestClient, stream: bool) -> tuple[int, str, dict[str, Any]]:
    """The same of the route for responses."""
    body = {"model": "auto", "input": QUESTION, "user": "user/ada", "stream": stream}
    reply = client.post("/v1/responses", json=body, headers={"x-aim-memory": "read"})
    if not reply.headers["content-type"].startswith("text/event-stream"):
        whole = reply.json()
        text = "" if whole.get("error") else whole["output"][0]["content"][0]["text"]
        return reply.status_code, text, whole.get("error") or whole["aim_memory"]
    events = [json.loads(block.split("\ndata: ")[1]) for block in reply.text.strip().split("\n\n")]
    text = "".join(one["delta"] for one in events if one["type"] == "response.output_text.delta")
    last = events[-1]
    assert last["type"] in ("response.completed", "error")
    return reply.status_code, text, last if last["type"] == "error" else last["response"]["aim_memory"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_response_fails_as_a_chat_does(client: TestClient, fault: Fault, stream: bool) -> None:
    status, text, told = responded(client, stream)
    match fault.expected("chat", stream):
        case "well":
            assert (status, text, told["degraded"]) == (200, "In the shed.", False)
        case "quotes":
            assert (status, text, told["degraded"]) == (200, TEXT, True)
            assert told["reason"]
        case "partial":
            assert (status, text, told["code"]) == (200, "In the shed ", "generator")
        case "refused":
            assert status in (400, 404)
            assert told["code"] == "generator_refused"
    assert "secret" not in json.dumps(told)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_json_that_was_asked_for_is_never_quotes(client: TestClient, fault: Fault, stream: bool) -> None:
    shape = {"type": "json_object"}
    body = {"namespace": "user/ada", "query": QUESTION, "stream": stream, "response_format": shape}
    reply = client.post("/v1/answer", json=body)
    told = json.loads(reply.text.strip().split("\ndata: ")[-1]) if stream else reply.json()
    assert (reply.status_code, told["answer"], told["parsed"]) == (200, "", None)
    assert (told["abstained"], told["degraded"]) == (True, True)
    assert told["reason"]
    assert told["results"][0]["id"] == "bike"
    assert "secret" not in told["reason"]


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_preview_of_extraction_says_what_failed(client: TestClient, fault: Fault) -> None:
    reply = client.post("/v1/admin/extract/preview", json={"namespace": "user/ada"})
    told = reply.json()
    if reply.status_code == 200:  # the model said something, which is no JSON
        assert (told["items"], len(told["unreadable"])) == ([], 1)
    else:
        refused = fault.expected("chat", False) == "refused"
        assert reply.status_code == (422 if refused else 502)
        assert told["code"] == ("generator_refused" if refused else "generator")
    assert "secret" not in reply.text


def test_the_table_in_the_documentation_is_this_one() -> None:
    page = (ROOT / "docs/openai.md").read_text(encoding="utf-8")
    assert [name for name in FAULTS if f"\n| {name} |" not in page] == []
