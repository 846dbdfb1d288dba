"""Memories over HTTP: written, read, listed, edited, erased."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient


def write(client: TestClient, namespace: str, **item: Any) -> dict[str, Any]:
    body = {"namespace": namespace, "memories": [{"text": "The kettle is blue.", **item}]}
    reply = client.post("/v1/memories", json=body)
    assert reply.status_code == 200, reply.text
    result: dict[str, Any] = reply.json()["results"][0]
    return result


def at(client: TestClient, namespace: str, memory_id: str) -> str:
    return f"/v1/memories/{memory_id}?namespace={namespace}"


@pytest.mark.parametrize(
    "form",
    [
        {"text": "Tea at four."},
        {"memories": [{"text": "Tea at four."}]},
        {"messages": [{"role": "user", "content": "Tea at four.", "name": "Ada"}]},
    ],
)
def test_all_three_forms_of_a_write(client: TestClient, namespace: str, form: dict[str, Any]) -> None:
    reply = client.post("/v1/memories", json={"namespace": namespace, "session_id": "s1", **form})
    (result,) = reply.json()["results"]
    assert (result["status"], result["indexing"]) == ("created", "ready")
    view = client.get(f"/v1/memories/{result['id']}").json()
    assert (view["text"], view["session_id"], view["namespace"]) == ("Tea at four.", "s1", namespace)


def test_a_memory_comes_back_as_it_was_given(client: TestClient, namespace: str) -> None:
    item = {
        "id": "turn:1",
        "text": "The kettle is blue. 水壶是蓝色的。",
        "session_id": "s1",
        "speaker": "Ada",
        "role": "user",
        "timestamp": "2026-03-02T09:15:00Z",
        "metadata": {"nested": {"list": [1, 2.5, None, True]}},
        "pinned": True,
        "expires_at": "2099-01-01T00:00:00Z",
        "source": "import",
    }
    assert write(client, namespace, **item)["id"] == "turn:1"
    reply = client.get(at(client, namespace, "turn:1"))
    assert {field: reply.json()[field] for field in item} == item
    assert reply.headers["etag"] == '"1"'


def test_same_id_same_content_is_unchanged_and_other_content_a_conflict(client: TestClient, namespace: str) -> None:
    assert write(client, namespace, id="a")["status"] == "created"
    assert write(client, namespace, id="a")["status"] == "unchanged"
    reply = client.post("/v1/memories", json={"namespace": namespace, "memories": [{"id": "a", "text": "Red."}]})
    assert (reply.status_code, reply.json()["code"]) == (409, "conflict")


def test_a_bad_item_does_not_undo_its_neighbours(client: TestClient, namespace: str) -> None:
    items = [{"text": "one"}, {"text": "bad", "id": "no spaces please"}, {"text": "three"}]
    results = client.post("/v1/memories", json={"namespace": namespace, "memories": items}).json()["results"]
    assert [result["status"] for result in results] == ["created", "rejected", "created"]
    assert "id" in results[1]["reason"]


def test_a_repeated_request_takes_effect_once(client: TestClient, namespace: str) -> None:
    headers = {"Idempotency-Key": f"once-{namespace}"}
    body = {"namespace": namespace, "memories": [{"text": "Tea at four."}, {"text": "Milk first."}]}
    first, second = (client.post("/v1/memories", json=body, headers=headers) for _ in range(2))
    assert first.content == second.content
    assert ("idempotent-replayed" in first.headers, second.headers.get("idempotent-replayed")) == (False, "true")
    assert len(client.get(f"/v1/memories?namespace={namespace}").json()["items"]) == 2
    other = client.post("/v1/memories", json={**body, "memories": [{"text": "No tea."}]}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é"])
def test_an_idempotency_key_is_plain(client: TestClient, namespace: str, key: str) -> None:
    headers = {"idempotency-key": key.encode()}
    reply = client.post("/v1/memories", json={"namespace": namespace, "text": "x"}, headers=headers)  # type: ignore[arg-type]
    assert (reply.status_code, reply.json()["field"]) == (422, "Idempotency-Key")


def test_an_edit_keeps_what_it_does_not_name(client: TestClient, namespace: str) -> None:
    write(client, namespace, id="a", speaker="Ada", metadata={"room": "kitchen"})
    where = at(client, namespace, "a")
    edited = client.patch(where, json={"text": "The kettle is green."}, headers={"If-Match": '"1"'})
    assert (edited.status_code, edited.headers["etag"]) == (200, '"2"')
    view = client.get(where).json()
    assert view == edited.json()
    assert (view["text"], view["speaker"], view["metadata"]) == ("The kettle is green.", "Ada", {"room": "kitchen"})
    history = client.get(f"/v1/memories/a/history?namespace={namespace}").json()
    assert [version["text"] for version in history["versions"]] == ["The kettle is blue.", "The kettle is green."]


def test_an_edit_of_an_old_version_is_refused(client: TestClient, namespace: str) -> None:
    write(client, namespace, id="a")
    where = at(client, namespace, "a")
    client.patch(where, json={"pinned": True}, headers={"If-Match": "*"})
    stale = client.patch(where, json={"pinned": False}, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")


@pytest.mark.parametrize("etag", ["", "1", 'W/"1"', '"0"', '"one"', '"1", "2"', '"' + "9" * 40 + '"'])
def test_if_match_is_one_strong_etag(client: TestClient, namespace: str, etag: str) -> None:
    write(client, namespace, id="a")
    reply = client.patch(at(client, namespace, "a"), json={"pinned": True}, headers={"If-Match": etag})
    assert (reply.status_code, reply.json()["field"]) == (422, "If-Match")


def test_evidence_is_the_original(client: TestClient, namespace: str) -> None:
    memory_id = write(client, namespace)["id"]
    reply = client.get(f"/v1/memories/{memory_id}/evidence").json()
    assert reply["original"][reply["start"] : reply["end"]] == "The kettle is blue."


def test_an_erased_memory_is_gone(client: TestClient, namespace: str) -> None:
    memory_id = write(client, namespace)["id"]
    assert client.delete(f"/v1/memories/{memory_id}").json() == {"deleted": 1}
    for tail in ("", "/history", "/evidence"):
        assert client.get(f"/v1/memories/{memory_id}{tail}").status_code == 404
    assert client.delete(f"/v1/memories/{memory_id}").status_code == 404
    assert client.patch(f"/v1/memories/{memory_id}", json={"pinned": True}).status_code == 404


def test_a_list_is_walked_page_by_page(client: TestClient, namespace: str) -> None:
    client.post("/v1/memories", json={"namespace": namespace, "memories": [{"text": f"note {n}"} for n in range(5)]})
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"namespace": namespace, "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/memories", params=params).json()
        seen += [item["text"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"note {n}" for n in range(5)]


def test_a_list_is_narrowed(client: TestClient, namespace: str) -> None:
    items = [
        {"id": "a", "text": "one", "speaker": "Ada", "session_id": "s1", "timestamp": "2026-01-01T00:00:00Z"},
        {"id": "b", "text": "two", "speaker": "Bo", "session_id": "s1", "timestamp": "2026-02-01T00:00:00Z"},
        {"id": "c", "text": "three", "speaker": "Ada", "session_id": "s2", "timestamp": "2026-03-01T00:00:00Z"},
    ]
    client.post("/v1/memories", json={"namespace": namespace, "memories": items})

    def ids(**params: str) -> list[str]:
        page = client.get("/v1/memories", params={"namespace": namespace, **params})
        return [item["id"] for item in page.json()["items"]]

    assert ids(session_id="s1") == ["a", "b"]
    assert ids(since="2026-02-01T00:00:00Z") == ["b", "c"]
    assert ids(until="2026-02-01T00:00:00") == ["a"]
    assert ids(filters=json.dumps({"speaker": {"eq": "Ada"}}), since="2026-01-15T00:00:00Z") == ["c"]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"namespace": "a", "cursor": "!"},
        {"namespace": "a", "cursor": "nonsense"},
        {"namespace": "a", "limit": "many"},
        {"namespace": "a", "since": "yesterday-ish"},
        {"namespace": "a", "filters": "{"},
        {"namespace": "a", "filters": "[1]"},
        {"namespace": "a", "filters": "[" * 20_000},
        {"namespace": "a", "filters": '{"speaker": "Ada", "and": 1}'},
        {"namespace": "a", "filters": '{"secret": {"eq": 1}}'},
        {"namespace": "a", "unknown": "1"},
    ],
)
def test_a_list_nobody_can_make_sense_of(client: TestClient, params: dict[str, str]) -> None:
    reply = client.get("/v1/memories", params=params)
    assert reply.status_code == 422, reply.text
    assert reply.json()["detail"]


@pytest.mark.parametrize("memory_id", ["nobody", "x" * 200, "a b", "%00", "..%2f..", "%ff", "💥"])
@pytest.mark.parametrize("query", ["", "?namespace=user/nobody"])
def test_an_id_that_is_not_there(client: TestClient, memory_id: str, query: str) -> None:
    assert client.get(f"/v1/memories/{memory_id}{query}").status_code in (404, 422)
    assert client.delete(f"/v1/memories/{memory_id}{query}").status_code in (404, 422)
