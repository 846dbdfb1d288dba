"""The HTTP SDK: what it sends, when it sends again, and what it makes of what comes back. No network: the transport
is a function."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from aim_memory import AsyncClient, Client, errors
from aim_memory.bodies import MemoryItem

URL = "http://memory.test"
NOW = datetime(2025, 5, 1, 12, tzinfo=UTC)
WRITTEN = {"results": [{"id": "m1", "status": "created"}], "seq": 1}
ANSWERED = {
    "answer": "Dr. Okafor",
    "citations": [],
    "verification": {},
    "abstained": False,
    "degraded": False,
    "mode": "fast",
    "results": [],
    "context": "",
    "confidence": 1.0,
    "tokens": {"context": 1, "full_text": 2},
    "usage": {},
    "timings_ms": {},
    "generator": "extractive",
}
Reply = httpx2.Response | Exception


class Wire:
    """Answers requests with the replies it was given, in turn, and keeps the requests and the pauses."""

    def __init__(self, *replies: Reply) -> None:
        self._replies: Iterator[Reply] = iter(replies)
        self.requests: list[httpx2.Request] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        request.read()
        self.requests.append(request)
        reply = next(self._replies)
        if isinstance(reply, Exception):
            raise reply
        return reply

    def client(self, **options: Any) -> Client:
        return Client(URL, "secret", transport=httpx2.MockTransport(self), sleep=self.pauses.append, **options)

    @property
    def sent(self) -> httpx2.Request:
        return self.requests[-1]

    def body(self) -> Any:
        return json.loads(self.sent.content)


def ok(body: object) -> httpx2.Response:
    return httpx2.Response(200, json=body)


def problem(status: int, code: str, headers: dict[str, str] | None = None, **members: Any) -> httpx2.Response:
    body = {
        "type": f"urn:{code}",
        "title": "Trouble",
        "status": status,
        "detail": "It failed.",
        "code": code,
        **members,
    }
    return httpx2.Response(status, json=body, headers={"x-request-id": "r-7", **(headers or {})})


# --- what is sent --------------------------------------------------------------------------------------------------


def test_write_sends_what_was_given_and_nothing_else() -> None:
    wire = Wire(ok(WRITTEN))
    reply = wire.client().write("My dentist is Dr. Okafor.", namespace="user/ada")
    assert (wire.sent.method, wire.sent.url.path) == ("POST", "/v1/memories")
    assert wire.body() == {"namespace": "user/ada", "text": "My dentist is Dr. Okafor."}
    assert wire.sent.headers["authorization"] == "Bearer secret"
    assert reply.results[0].status == "created"


def test_a_batch_keeps_naive_times_as_utc_and_metadata_whole() -> None:
    wire = Wire(ok(WRITTEN))
    item = MemoryItem(text="a", timestamp=NOW.replace(tzinfo=None), metadata={"kept": None})
    wire.client().write(namespace="n", memories=[item, {"text": "乙", "id": "x"}])
    assert wire.body()["memories"] == [
        {"text": "a", "timestamp": "2025-05-01T12:00:00Z", "metadata": {"kept": None}},
        {"text": "乙", "id": "x"},
    ]


def test_each_write_has_an_idempotency_key_of_its_own_and_retries_keep_it() -> None:
    wire = Wire(problem(503, "overloaded"), ok(WRITTEN), ok(WRITTEN), ok(WRITTEN))
    client = wire.client()
    client.write("a", namespace="n")
    client.write("a", namespace="n")
    client.write("a", namespace="n", idempotency_key="mine")
    keys = [request.headers["idempotency-key"] for request in wire.requests]
    assert keys[0] == keys[1] != keys[2]
    assert keys[3] == "mine"


def test_each_edit_has_one_too_so_that_a_lost_reply_is_no_edit_lost_or_made_twice() -> None:
    wire = Wire(httpx2.ReadTimeout("slow"), ok(_view("m1")), ok(_view("m1")))
    client = wire.client()
    client.update("m1", if_match=1, text="b")
    client.update("m1", idempotency_key="mine", text="b")
    keys = [request.headers["idempotency-key"] for request in wire.requests]
    assert keys[0] == keys[1] != keys[2] == "mine"


def test_query_options_reach_the_body() -> None:
    wire = Wire(problem(404, "not_found"))
    with pytest.raises(errors.NotFoundError):
        wire.client().query("q", namespace="n", top_k=3, mode="strict", as_of=NOW, filters={"speaker": {"eq": "Ada"}})
    assert wire.body() == {
        "query": "q",
        "namespace": "n",
        "top_k": 3,
        "mode": "strict",
        "as_of": "2025-05-01T12:00:00Z",
        "filters": {"speaker": {"eq": "Ada"}},
        "explain": False,
    }


def test_edits_tell_left_out_from_none() -> None:
    view = problem(404, "not_found")
    wire = Wire(view, view)
    client = wire.client()
    for changes in ({"text": "b"}, {"expires_at": None}):
        with pytest.raises(errors.NotFoundError):
            client.update("m1", namespace="n", if_match=3, **changes)  # type: ignore[arg-type]
        assert wire.body() == changes
    assert wire.sent.headers["if-match"] == '"3"'
    assert wire.sent.url.params["namespace"] == "n"


@pytest.mark.parametrize(
    ("call", "raw_path"),
    [
        (lambda client: client.get("a/b?c#d"), b"/v1/memories/a%2Fb%3Fc%23d"),
        (lambda client: client.delete(".."), b"/v1/memories/%2E%2E"),
        (lambda client: client.forget("user/ada"), b"/v1/namespaces/user/ada"),
        (lambda client: client.forget("user/../bob"), b"/v1/namespaces/user/%2E%2E/bob"),
        (lambda client: client.forget("用户/阿达"), b"/v1/namespaces/%E7%94%A8%E6%88%B7/%E9%98%BF%E8%BE%BE"),
    ],
)
def test_names_stay_in_their_place_in_the_path(call: Callable[[Client], object], raw_path: bytes) -> None:
    wire = Wire(problem(404, "not_found"))
    with pytest.raises(errors.NotFoundError):
        call(wire.client())
    assert wire.sent.url.raw_path == raw_path


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda client: client.query("q", namespace="n", top_k=0), "top_k"),
        (lambda client: client.query("q", namespace="n", as_of="yesterday"), "as_of"),
        (lambda client: client.write(namespace="n"), None),
        (lambda client: client.write(namespace="n", memories=[{"text": "a", "colour": 1}]), "memories.0.colour"),
        (lambda client: client.write(namespace="n", memories=[{"text": "a", "metadata": {"x": float("nan")}}]), None),
        (lambda client: client.write("half a pair: \ud800", namespace="n"), None),
        (lambda client: client.update("m1", colour="red"), "colour"),
    ],
)
def test_invalid_requests_are_refused_before_they_are_sent(call: Callable[[Client], object], field: str | None) -> None:
    wire = Wire()
    with pytest.raises(errors.InvalidInputError) as caught:
        call(wire.client())
    assert caught.value.field == field
    assert wire.requests == []


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8765", "localhost", "ftp://memory.test", "http://", "http://memory.test:port", ""]
)
def test_a_url_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(errors.InvalidInputError, match="is no URL"):
        Client(url)


def test_timeouts_are_sixty_seconds_and_five_to_connect_and_can_be_changed() -> None:
    wire = Wire(ok({}), ok({}))
    client = wire.client()
    client.status()
    assert wire.sent.extensions["timeout"] == {"connect": 5.0, "read": 60.0, "write": 60.0, "pool": 60.0}
    client.with_options(timeout=2.0).status()
    assert wire.sent.extensions["timeout"] == {"connect": 2.0, "read": 2.0, "write": 2.0, "pool": 2.0}


# --- when it is sent again -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_passing_failures_are_tried_again(status: int) -> None:
    wire = Wire(httpx2.Response(status), ok({"version": "1"}))
    assert wire.client().status() == {"version": "1"}
    assert len(wire.pauses) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 422, 500, 507])
def test_lasting_failures_are_not(status: int) -> None:
    wire = Wire(httpx2.Response(status))
    with pytest.raises(errors.AIMMemoryError):
        wire.client().status()
    assert len(wire.requests) == 1


def test_pauses_double_with_jitter_and_end() -> None:
    wire = Wire(*[httpx2.ConnectError("refused")] * 7)
    with pytest.raises(errors.ConnectionFailedError, match="refused") as caught:
        wire.client(max_retries=6).status()
    assert caught.value.retryable
    assert len(wire.requests) == 7
    for pause, longest in zip(wire.pauses, (0.5, 1, 2, 4, 8, 8), strict=True):
        assert 0.75 * longest <= pause <= longest


def test_retry_after_is_honoured_in_seconds_and_as_a_date() -> None:
    date = "Thu, 01 May 2025 12:00:00 GMT"
    later = "Thu, 01 May 2025 12:00:09 GMT"
    wire = Wire(
        problem(429, "overloaded", {"retry-after": "3"}),
        problem(503, "overloaded", {"retry-after": later, "date": date}),
        ok({}),
    )
    wire.client().status()
    assert wire.pauses == [3.0, 9.0]


def test_a_server_that_asks_for_an_hour_is_not_waited_for() -> None:
    wire = Wire(problem(503, "overloaded", {"retry-after": "3600"}))
    with pytest.raises(errors.OverloadedError) as caught:
        wire.client().status()
    assert (wire.pauses, caught.value.retry_after_s) == ([], 3600.0)


@pytest.mark.parametrize(
    ("first", "deleted"),
    [(httpx2.ReadError("reset"), True), (problem(504, "timeout"), True), (problem(503, "overloaded"), False)],
)
def test_a_deletion_whose_reply_was_lost_has_happened(first: Reply, deleted: bool) -> None:
    wire = Wire(first, problem(404, "not_found"))
    if deleted:
        assert wire.client().delete("m", namespace="n").deleted == 1
    else:  # refused before it began: then there was no such memory
        with pytest.raises(errors.NotFoundError):
            wire.client().delete("m", namespace="n")
    assert len(wire.requests) == 2


@pytest.mark.parametrize(
    "lost", [httpx2.ReadTimeout("slow"), httpx2.ReadError("reset"), problem(504, "deadline_exceeded")]
)
def test_what_may_not_happen_twice_is_not_sent_twice(lost: Reply) -> None:
    for call in (
        lambda client: client.answer("q", namespace="n", remember=True),
        lambda client: client.feedback([{"memory_id": "m", "value": 1}], namespace="n"),
        lambda client: client.forget("n"),
    ):
        wire = Wire(lost)
        with pytest.raises(errors.AIMMemoryError):
            call(wire.client())
        assert len(wire.requests) == 1


@pytest.mark.parametrize("unsent", [httpx2.ConnectError("refused"), problem(503, "overloaded")])
def test_what_surely_did_not_happen_is_sent_again(unsent: Reply) -> None:
    wire = Wire(unsent, ok({"accepted": 1}))
    assert wire.client().feedback([{"memory_id": "m", "value": 1}], namespace="n").accepted == 1


def test_with_options_changes_the_copy_alone() -> None:
    wire = Wire(httpx2.Response(503), httpx2.Response(503), ok({}))
    client = wire.client()
    with pytest.raises(errors.OverloadedError):
        client.with_options(max_retries=0).status()
    client.status()


# --- what comes back -----------------------------------------------------------------------------------------------


def _every_error(root: type[errors.AIMMemoryError] = errors.AIMMemoryError) -> list[type[errors.AIMMemoryError]]:
    """Of the product; tests derive errors of their own, which no server sends."""
    branches = [branch for branch in root.__subclasses__() if branch.__module__ == errors.__name__]
    return [root, *(found for branch in branches for found in _every_error(branch))]


@pytest.mark.parametrize("kind", _every_error())
def test_every_error_of_the_server_is_the_same_error_here(kind: type[errors.AIMMemoryError]) -> None:
    wire = Wire(problem(418, kind.code, field="query", request_id="r-7"))
    expected = errors.ConfigurationError if kind is errors.MissingExtraError else kind
    with pytest.raises(expected, match="It failed") as caught:
        wire.client(max_retries=0).status()
    if kind is not errors.MissingExtraError:
        assert type(caught.value) is kind
    assert caught.value.request_id == "r-7"
    if isinstance(caught.value, errors.InvalidInputError):
        assert caught.value.field == "query"


@pytest.mark.parametrize(
    "reply",
    [httpx2.Response(200, text="<html>Welcome to nginx</html>"), httpx2.Response(418, text="teapot"), ok({"seq": 1})],
)
def test_a_stranger_is_recognised(reply: httpx2.Response) -> None:
    with pytest.raises(errors.AIMMemoryError, match="Check the address"):
        Wire(reply).client().write("a", namespace="n")


def test_a_body_that_cannot_be_decoded_is_a_failed_connection() -> None:
    broken = httpx2.Response(200, headers={"content-encoding": "gzip"}, stream=Chunks(b"not gzip"))
    with pytest.raises(errors.ConnectionFailedError):
        Wire(broken).client(max_retries=0).status()


def test_a_redirect_is_not_followed_with_the_key() -> None:
    wire = Wire(httpx2.Response(307, headers={"location": "http://elsewhere.test/status"}))
    with pytest.raises(errors.AIMMemoryError, match="Check the address"):
        wire.client().status()
    assert len(wire.requests) == 1


def test_fields_of_a_newer_server_are_passed_over() -> None:
    reply = Wire(ok({**WRITTEN, "news": 1})).client().write("a", namespace="n")
    assert reply.seq == 1


def _view(id: str) -> dict[str, Any]:
    return {
        "id": id, "namespace": "n", "text": id, "summary": id, "session_id": None, "speaker": None, "role": None,
        "timestamp": "2025-05-01T12:00:00Z", "created_at": "2025-05-01T12:00:00Z", "updated_at": "2025-05-01T12:00:00Z",
        "metadata": {}, "pinned": False, "expires_at": None, "source": None, "trust": "user", "version": 1,
        "current": True, "valid_from": "2025-05-01T12:00:00Z", "valid_until": None, "superseded_by": None,
        "anchors": [], "indexing": "ready",
    }  # fmt: skip


def test_iterate_follows_the_pages() -> None:
    pages = [{"items": [_view("a"), _view("b")], "next_cursor": "2"}, {"items": [_view("c")], "next_cursor": None}]
    wire = Wire(*map(ok, pages))
    found = wire.client().iterate(
        namespace="n", since=NOW, until=NOW + timedelta(days=1), filters={"pinned": {"eq": True}}
    )
    assert [memory.id for memory in found] == ["a", "b", "c"]
    first, second = (request.url.params for request in wire.requests)
    assert "cursor" not in first
    assert second["cursor"] == "2"
    assert second["since"] == "2025-05-01T12:00:00+00:00"
    assert json.loads(second["filters"]) == {"pinned": {"eq": True}}


def test_a_raw_response_is_shown_as_it_came_and_is_the_same_reply() -> None:
    answered = httpx2.Response(200, json=WRITTEN, headers={"x-request-id": "r-9", "idempotent-replayed": "true"})
    raw = Wire(problem(503, "overloaded"), answered).client().with_raw_response.write("a", namespace="n")
    assert (raw.status_code, raw.request_id, raw.retries) == (200, "r-9", 1)
    assert raw.headers["idempotent-replayed"] == "true"
    assert json.loads(raw.content) == WRITTEN
    assert raw.parse() == Wire(ok(WRITTEN)).client().write("a", namespace="n")


def test_what_fails_is_raised_where_responses_are_raw_too() -> None:
    with pytest.raises(errors.NotFoundError) as caught:
        Wire(problem(404, "not_found")).client().with_raw_response.get("m")
    assert caught.value.request_id == "r-7"


# --- streams -------------------------------------------------------------------------------------------------------


class Chunks(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body in pieces that knows whether it was closed."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = pieces
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def __aiter__(self) -> Any:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


def stream(*pieces: bytes | Exception) -> tuple[httpx2.Response, Chunks]:
    chunks = Chunks(*pieces)
    return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=chunks), chunks


EVENTS = (
    b'event: context\ndata: {"con',
    b'text": "c"}\n\n: keep-alive\n\nevent: delta\n',
    b'data: {"text": "\xe4\xbd\xa0"}\n\n',
)


def test_stream_answer_yields_events_as_they_come() -> None:
    response, chunks = stream(*EVENTS)
    wire = Wire(response)
    events = [(event.event, event.body) for event in wire.client().stream_answer("q", namespace="n")]
    assert events == [("context", {"context": "c"}), ("delta", {"text": "你"})]
    assert wire.body()["stream"] is True
    assert chunks.closed


def test_leaving_a_stream_closes_it() -> None:
    response, chunks = stream(*EVENTS)
    events = Wire(response).client().stream_answer("q", namespace="n")
    next(events)
    assert not chunks.closed
    events.close()  # type: ignore[attr-defined]
    assert chunks.closed


def test_errors_before_and_within_a_stream_are_raised() -> None:
    late, chunks = stream(
        EVENTS[0], b'text": "c"}\n\nevent: error\ndata: {"code": "generator", "detail": "It died."}\n\n'
    )
    wire = Wire(problem(503, "overloaded"), problem(404, "not_found"), late)
    with pytest.raises(errors.NotFoundError, match="It failed"):
        next(wire.client().stream_answer("q", namespace="n"))
    with pytest.raises(errors.GeneratorError, match="It died"):
        list(wire.client().stream_answer("q", namespace="n"))
    assert chunks.closed


def test_a_cut_stream_is_a_failed_connection() -> None:
    response, chunks = stream(EVENTS[0], EVENTS[1], httpx2.ReadError("cut"))
    events = Wire(response).client().stream_answer("q", namespace="n")
    assert next(events).event == "context"
    with pytest.raises(errors.ConnectionFailedError, match="cut"):
        list(events)
    assert chunks.closed


# --- the async client ----------------------------------------------------------------------------------------------


def test_the_async_client_sends_retries_and_streams_alike() -> None:
    response, chunks = stream(*EVENTS)
    wire = Wire(problem(503, "overloaded"), ok(ANSWERED), response, httpx2.ConnectError("refused"), ok(WRITTEN))

    async def sleep(pause: float) -> None:
        wire.pauses.append(pause)

    async def talk() -> list[str]:
        async with AsyncClient(URL, transport=httpx2.MockTransport(wire), sleep=sleep) as client:
            assert (await client.answer("q", namespace="n")).answer == "Dr. Okafor"
            events = [event.event async for event in client.stream_answer("q", namespace="n")]
            with pytest.raises(errors.ConnectionFailedError):
                await client.with_options(max_retries=0).status()
            raw = await client.with_raw_response.write("a", namespace="n")
            assert (raw.status_code, raw.parse().seq) == (200, 1)
            return events

    assert asyncio.run(talk()) == ["context", "delta"]
    assert len(wire.pauses) == 1
    assert chunks.closed


def test_async_pages_are_followed() -> None:
    pages = [{"items": [_view("a")], "next_cursor": "1"}, {"items": [_view("b")], "next_cursor": None}]
    wire = Wire(*map(ok, pages))

    async def collect() -> list[str]:
        async with AsyncClient(URL, transport=httpx2.MockTransport(wire)) as client:
            return [memory.id async for memory in client.iterate(namespace="n")]

    assert asyncio.run(collect()) == ["a", "b"]
