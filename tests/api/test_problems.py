"""Every failure has one status, one code, and says nothing it should not."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from aim_memory import errors
from aim_memory.api import problems
from aim_memory.api.app import create_app
from aim_memory.errors import AIMMemoryError
from aim_memory.settings import Settings
from tests.api.conftest import local
from tests.api.doubles import OpenDoor, StubEngine

QUESTION = {"namespace": "user/ada", "query": "when?"}


def every_class(root: type[AIMMemoryError] = AIMMemoryError) -> Iterator[type[AIMMemoryError]]:
    yield root
    for child in root.__subclasses__():
        yield from every_class(child)


OURS = [cls for cls in every_class() if cls.__module__ == errors.__name__]


def made(cls: type[AIMMemoryError]) -> AIMMemoryError:
    return errors.MissingExtraError("server", "secret-package") if cls is errors.MissingExtraError else cls("secret-9")


def asked(settings: Settings, error: Exception) -> TestClient:
    def fail() -> None:
        raise error

    return local(create_app(settings, StubEngine(query=fail), OpenDoor()), raise_server_exceptions=False)


def test_every_error_class_has_its_own_entry() -> None:
    assert set(OURS) == set(problems.KINDS)


def test_codes_tell_classes_apart() -> None:
    assert len({cls.code for cls in OURS}) == len(OURS)


@pytest.mark.parametrize("cls", OURS, ids=lambda cls: cls.__name__)
def test_an_error_becomes_its_problem(cls: type[AIMMemoryError], settings: Settings) -> None:
    with asked(settings, made(cls)) as client:
        reply = client.post("/v1/query", json=QUESTION)
    kind, body = problems.KINDS[cls], reply.json()
    assert reply.status_code == kind.status == body["status"]
    assert reply.headers["content-type"] == "application/problem+json"
    assert (body["code"], body["title"]) == (cls.code, kind.title)
    assert body["type"] == f"urn:aim-memory:{cls.code}"
    assert body["request_id"] == reply.headers["x-request-id"]
    assert ("secret" in reply.text) == (kind.status != 500)
    assert ("retry-after" in reply.headers) == (kind.status in (429, 503))
    assert ("www-authenticate" in reply.headers) == (kind.status == 401)


def test_retry_after_is_what_the_error_asks_for(settings: Settings) -> None:
    with asked(settings, errors.OverloadedError(retry_after_s=2.1)) as client:
        assert client.post("/v1/query", json=QUESTION).headers["retry-after"] == "3"


def test_a_field_at_fault_is_named(settings: Settings) -> None:
    with asked(settings, errors.LimitExceededError("too many", field="top_k")) as client:
        assert client.post("/v1/query", json=QUESTION).json()["field"] == "top_k"


def test_a_crash_is_logged_with_its_request_and_not_shown(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "aim_memory.api"), asked(settings, ZeroDivisionError("secret-9")) as client:
        reply = client.post("/v1/query", json=QUESTION, headers={"x-request-id": "abc-1"})
    assert (reply.status_code, reply.json()["code"]) == (500, "internal")
    assert "secret" not in reply.text
    assert "abc-1" in caplog.text
    assert "secret-9" in caplog.text


def test_unknown_fields_are_named(client: TestClient) -> None:
    body = client.post("/v1/query", json={**QUESTION, "topk": 3, "limit": 4}).json()
    assert body["status"] == 422
    assert body["errors"] == [
        {"field": "topk", "message": "unknown field"},
        {"field": "limit", "message": "unknown field"},
    ]
    assert body["detail"] == "topk: unknown field (and 1 more)"


def test_a_fault_deep_in_a_batch_is_located(client: TestClient) -> None:
    body = client.post("/v1/memories", json={"namespace": "a", "memories": [{"text": "fine"}, {"text": 5}]}).json()
    assert body["field"] == "memories[1].text"


def test_two_forms_of_a_write_are_one_too_many(client: TestClient) -> None:
    body = client.post("/v1/memories", json={"namespace": "a", "text": "x", "memories": []}).json()
    assert body["detail"] == "give exactly one of 'memories', 'messages' and 'text'"


def test_thousands_of_faults_make_a_short_reply(client: TestClient) -> None:
    reply = client.post("/v1/query", json={**QUESTION, **{f"{number}{'x' * 500}": 1 for number in range(1500)}})
    assert reply.status_code == 422
    assert len(reply.json()["errors"]) == problems.MOST_ERRORS
    assert len(reply.content) < 5000


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/v1/memories/", 404, "not_found"),
        ("PUT", "/v1/memories", 405, "method_not_allowed"),
    ],
)
def test_what_http_refuses_is_a_problem_too(client: TestClient, method: str, path: str, status: int, code: str) -> None:
    reply = client.request(method, path)
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert path in reply.json()["detail"]
    assert reply.headers["content-type"] == "application/problem+json"
