"""Query, answer, sessions, namespaces, feedback, health: each route does what it says."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from aim_memory.api.app import create_app
from aim_memory.bodies import AnswerReply, QueryReply
from aim_memory.settings import Settings
from tests.api.conftest import local
from tests.api.doubles import OpenDoor, StubEngine

NOTES = [
    {"id": "launch", "text": "The launch of the kettle app is on 14 May 2026.", "speaker": "Ada", "session_id": "s1"},
    {"id": "rent", "text": "The rent of the studio is 1,250 euros a month.", "speaker": "Ada", "session_id": "s1"},
    {"id": "cat", "text": "My cat is called Biscuit.", "speaker": "Bo", "session_id": "s2"},
]


@pytest.fixture
def notes(client: TestClient, namespace: str) -> str:
    client.post("/v1/memories", json={"namespace": namespace, "memories": NOTES})
    return namespace


def post(client: TestClient, path: str, **body: Any) -> dict[str, Any]:
    reply = client.post(path, json=body)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def test_a_query_finds_and_accounts(client: TestClient, notes: str) -> None:
    reply = post(client, "/v1/query", namespace=notes, query="When is the launch of the app?", top_k=2, explain=True)
    QueryReply.model_validate(reply)
    assert reply["results"][0]["id"] == "launch"
    assert len(reply["results"]) <= 2
    assert reply["results"][0]["scores"]
    assert "14 May" in reply["context"]
    assert reply["work"]["stored"] == 3


def test_a_query_is_narrowed_by_filters(client: TestClient, notes: str) -> None:
    asked = {"namespace": notes, "query": "What is there?", "filters": {"speaker": {"eq": "Bo"}}}
    assert [hit["id"] for hit in post(client, "/v1/query", **asked)["results"]] == ["cat"]


def test_an_empty_namespace_answers_politely(client: TestClient, namespace: str) -> None:
    assert post(client, "/v1/query", namespace=namespace, query="Anything?")["results"] == []
    reply = post(client, "/v1/answer", namespace=namespace, query="Anything?")
    assert reply["abstained"] is True
    assert reply["citations"] == []


def test_an_answer_quotes_its_source(client: TestClient, notes: str) -> None:
    reply = post(client, "/v1/answer", namespace=notes, query="How much is the rent of the studio?")
    AnswerReply.model_validate(reply)
    assert "1,250" in reply["answer"]
    (citation, *_) = reply["citations"]
    assert citation["memory_id"] == "rent"
    assert NOTES[1]["text"][citation["start"] : citation["end"]] == citation["quote"]


def test_an_answer_is_remembered_when_asked(client: TestClient, notes: str) -> None:
    before = len(client.get(f"/v1/memories?namespace={notes}").json()["items"])
    post(client, "/v1/answer", namespace=notes, query="What is my cat called?", remember=True)
    items = client.get(f"/v1/memories?namespace={notes}").json()["items"]
    assert len(items) > before
    assert "What is my cat called?" in [item["text"] for item in items]


@pytest.mark.parametrize(
    "bad",
    [
        {"query": ""},
        {"query": "  "},
        {"top_k": 0},
        {"mode": "slow"},
        {"max_tokens": 0},
        {"as_of": "someday"},
        {"session_id": "no spaces"},
        {"filters": {"text": {"eq": "x"}}},
        {"filters": {"speaker": {"like": "x"}}},
        {"filters": {"and": []}},
    ],
)
@pytest.mark.parametrize("path", ["/v1/query", "/v1/answer"])
def test_a_question_nobody_can_make_sense_of(client: TestClient, path: str, bad: dict[str, Any]) -> None:
    reply = client.post(path, json={"namespace": "a", "query": "when?", **bad})
    assert reply.status_code == 422, reply.text


def test_an_unknown_generator_is_named(client: TestClient) -> None:
    for stream in (False, True):
        body = {"namespace": "a", "query": "when?", "generator": "oracle", "stream": stream}
        reply = client.post("/v1/answer", json=body)
        assert (reply.status_code, reply.json()["field"]) == (422, "generator")
        assert "extractive" in reply.json()["detail"]


def test_a_session_takes_a_course_and_is_set_at_rest(client: TestClient, notes: str) -> None:
    where = f"/v1/sessions/talk?namespace={notes}"
    assert client.get(where).status_code == 404
    post(client, "/v1/query", namespace=notes, query="When is the launch?", session_id="talk")
    post(client, "/v1/query", namespace=notes, query="And the rent?", session_id="talk")
    session = client.get(where).json()
    assert (session["turns"], session["recent"]) == (2, ["When is the launch?", "And the rent?"])
    assert [item["id"] for item in client.get(f"/v1/sessions?namespace={notes}").json()["items"]] == ["talk"]
    assert client.delete(where).json() == {"reset": True}
    assert client.delete(where).json() == {"reset": False}
    assert client.get(where).status_code == 404


def test_namespaces_are_listed_and_erased(client: TestClient) -> None:
    for name in ("zoo/a", "zoo/b", "zoo/c/d"):
        post(client, "/v1/memories", namespace=name, text="here")
    seen, cursor = [], "zoo"
    while cursor:
        page = client.get("/v1/namespaces", params={"cursor": cursor, "limit": 1}).json()
        seen += [item["namespace"] for item in page["items"] if item["namespace"].startswith("zoo/")]
        cursor = page["next_cursor"]
    assert seen == ["zoo/a", "zoo/b", "zoo/c/d"]
    receipt = client.delete("/v1/namespaces/zoo/c/d").json()
    assert (receipt["namespace"], receipt["erased"]["memories"]) == ("zoo/c/d", 1)
    assert client.get("/v1/memories?namespace=zoo/c/d").json()["items"] == []
    assert len(client.get("/v1/memories?namespace=zoo/a").json()["items"]) == 1


def test_a_namespace_that_never_was_cannot_be_erased(client: TestClient) -> None:
    assert client.delete("/v1/namespaces/user/nobody").status_code == 404


def test_feedback_counts_what_is_there(client: TestClient, notes: str) -> None:
    ratings = [{"memory_id": "launch", "value": 1}, {"memory_id": "cat", "value": -1}, {"memory_id": "no", "value": 1}]
    assert post(client, "/v1/feedback", namespace=notes, ratings=ratings) == {"accepted": 2}


@pytest.mark.parametrize("ratings", [[], [{"memory_id": "a", "value": 2}], [{"memory_id": "a"}], {}])
def test_feedback_is_plus_or_minus_one(client: TestClient, ratings: Any) -> None:
    assert client.post("/v1/feedback", json={"namespace": "a", "ratings": ratings}).status_code == 422


def test_alive_and_ready(client: TestClient) -> None:
    assert client.get("/health/live").json() == {"status": "alive"}
    assert client.get("/health/ready").json() == {"status": "ready"}


def test_not_ready_while_draining_or_without_a_store(settings: Settings) -> None:
    engine = StubEngine()
    app = create_app(settings, engine, OpenDoor())
    with local(app) as client:
        assert client.get("/health/ready").status_code == 200
        engine.is_ready = False
        assert client.get("/health/ready").status_code == 503
        engine.is_ready = True
        app.state.service.draining = True
        assert client.get("/health/ready").status_code == 503
        assert client.get("/health/live").status_code == 200
    assert engine.closed


def test_status_for_programs_and_for_people(client: TestClient) -> None:
    figures = client.get("/status").json()
    assert {"version", "store", "embedder", "generators"} <= figures.keys()
    page = client.get("/status", headers={"accept": "text/html,*/*"})
    assert page.headers["content-type"].startswith("text/html")
    assert "sqlite" in page.text


def test_a_page_shows_figures_and_runs_nothing(settings: Settings) -> None:
    with local(create_app(settings, StubEngine(), OpenDoor())) as client:
        page = client.get("/status", headers={"accept": "text/html"})
    assert "&lt;b&gt;bold&lt;/b&gt;" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_front_door_says_where_to_go(client: TestClient) -> None:
    assert client.get("/").json()["links"]["docs"] == "/docs"
    page = client.get("/", headers={"accept": "text/html"})
    assert 'href="/docs"' in page.text
    assert client.get("/docs").status_code == 200
