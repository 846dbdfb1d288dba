"""Bodies at their limits and beyond, and what no store or client could hold."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from aim_memory.api.app import create_app
from aim_memory.settings import LimitSettings, ServerSettings, Settings
from tests.api.conftest import local
from tests.api.doubles import OpenDoor, StubEngine, call

LIMITS = LimitSettings()
JSON = {"content-type": "application/json"}


def padded(size: int) -> bytes:
    """A valid question whose body has exactly ``size`` bytes."""
    core = b'{"namespace": "user/none", "query": "when?"}'
    return core + b" " * (size - len(core))


@pytest.mark.parametrize(("extra", "status"), [(0, 200), (1, 413), (99 * LIMITS.body_bytes, 413)])
def test_a_declared_body(client: TestClient, extra: int, status: int) -> None:
    reply = client.post("/v1/query", content=padded(LIMITS.body_bytes + extra), headers=JSON)
    assert reply.status_code == status


@pytest.mark.parametrize(("extra", "status"), [(0, 200), (1, 413)])
def test_a_body_in_chunks(client: TestClient, extra: int, status: int) -> None:
    body = padded(LIMITS.body_bytes + extra)
    chunks = (body[at : at + 65536] for at in range(0, len(body), 65536))
    assert client.post("/v1/query", content=chunks, headers=JSON).status_code == status


@pytest.mark.anyio
async def test_an_announced_giant_is_refused_unread(settings: Settings) -> None:
    app = create_app(settings, StubEngine(), OpenDoor())
    async with app.router.lifespan_context(app):
        reply = await call(app, "POST", "/v1/query", headers={**JSON, "content-length": "1048577"})
    assert (reply.status, reply.reads) == (413, 0)
    assert reply.json["code"] == "limit_exceeded"


@pytest.mark.anyio
async def test_an_endless_body_is_cut_off(settings: Settings) -> None:
    app = create_app(settings, StubEngine(), OpenDoor())
    async with app.router.lifespan_context(app):
        reply = await call(app, "POST", "/v1/query", headers=JSON, body=[b" " * 65536] * 1000)
    assert (reply.status, reply.reads) == (413, 17)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "not JSON"),
        (b'{"query": NaN}', "NaN"),
        (b'{"query": -Infinity}', "-Infinity"),
        (b'{"threshold": 1e999}', "too large"),
        (b'{"top_k": ' + b"9" * 5000 + b"}", "too long"),
        (b'{"query": "a\\u0000b"}', "NUL"),
        (b'{"a\\u0000b": 1}', "NUL"),
        (b'{"query": "\\ud800"}', "surrogate"),
        (b'{"query": ["\\udc00"]}', "surrogate"),
        (b'{"query": "\xff"}', "UTF-8"),
        (b"[" * 100_000, "levels"),
        (b"[" * 65 + b"]" * 65, "levels"),
        (b'"just text"', "object"),
        (b"", "required"),
    ],
)
def test_what_is_not_clean_json_is_refused(client: TestClient, body: bytes, said: str) -> None:
    reply = client.post("/v1/query", content=body, headers=JSON)
    assert reply.status_code == 422
    assert said in reply.json()["detail"]


def test_nesting_at_the_limit_passes(client: TestClient, namespace: str) -> None:
    nested: Any = "leaf"
    for _ in range(LIMITS.json_depth - 5):  # the request, its list, the memory and its metadata are levels too
        nested = [nested]
    body = {"namespace": namespace, "memories": [{"text": "deep", "metadata": {"nested": nested}}]}
    assert client.post("/v1/memories", json=body).status_code == 200
    body["memories"][0]["metadata"] = {"nested": [[nested]]}  # type: ignore[index]
    assert "levels" in client.post("/v1/memories", json=body).json()["detail"]


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_only_json_is_taken(client: TestClient, media_type: str) -> None:
    reply = client.post("/v1/query", content=padded(100), headers={"content-type": media_type})
    assert (reply.status_code, reply.json()["code"]) == (415, "unsupported_media_type")


def test_json_dialects_are_json(client: TestClient) -> None:
    headers = {"content-type": "application/vnd.notes+json; charset=utf-8"}
    assert client.post("/v1/query", content=padded(100), headers=headers).status_code == 200


def written(**item: Any) -> Callable[[str], tuple[str, dict[str, Any]]]:
    return lambda namespace: ("/v1/memories", {"namespace": namespace, "memories": [{"text": "fine", **item}]})


def asked(**fields: Any) -> Callable[[str], tuple[str, dict[str, Any]]]:
    return lambda namespace: ("/v1/query", {"namespace": namespace, "query": "when?", **fields})


def batch(size: int) -> Callable[[str], tuple[str, dict[str, Any]]]:
    items = [{"text": f"note {number}"} for number in range(size)]
    return lambda namespace: ("/v1/memories", {"namespace": namespace, "memories": items})


def metadata(size: int) -> dict[str, str]:
    """Metadata whose JSON has exactly ``size`` bytes."""
    return {"note": "x" * (size - len(json.dumps({"note": ""})))}


def conditions(number: int) -> dict[str, Any]:
    return {"or": [{"speaker": {"eq": str(at)}} for at in range(number)]}


def nested(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {"speaker": {"eq": "Ada"}}
    for _ in range(depth - 1):
        found = {"not": found}
    return found


AT_AND_BEYOND = {
    "message bytes": lambda extra: written(text="x" * (LIMITS.message_bytes + extra)),
    "message bytes, not characters": lambda extra: written(text="é" * (LIMITS.message_bytes // 2) + "x" * extra),
    "items": lambda extra: batch(LIMITS.batch_items + extra),
    "id": lambda extra: written(id="i" * (LIMITS.id_chars + extra)),
    "session id": lambda extra: asked(session_id="s" * (LIMITS.id_chars + extra)),
    "metadata bytes": lambda extra: written(metadata=metadata(LIMITS.metadata_bytes + extra)),
    "metadata keys": lambda extra: written(metadata={str(at): at for at in range(LIMITS.metadata_keys + extra)}),
    "query bytes": lambda extra: asked(query="q" * (LIMITS.query_bytes + extra)),
    "top_k": lambda extra: asked(top_k=LIMITS.top_k + extra),
    "filter conditions": lambda extra: asked(filters=conditions(LIMITS.filter_conditions + extra)),
    "filter depth": lambda extra: asked(filters=nested(LIMITS.filter_depth + extra)),
}


@pytest.mark.parametrize("extra", [0, 1])
@pytest.mark.parametrize("limit", AT_AND_BEYOND)
def test_a_limit_holds_and_is_reached(client: TestClient, namespace: str, limit: str, extra: int) -> None:
    path, body = AT_AND_BEYOND[limit](extra)(namespace)
    reply = client.post(path, json=body)
    assert reply.status_code == (422 if extra else 200), reply.text
    if extra:
        assert reply.json()["code"] == "limit_exceeded"


@pytest.mark.parametrize("path", ["/v1/memories?namespace=a", "/v1/sessions?namespace=a", "/v1/namespaces?"])
@pytest.mark.parametrize(("limit", "status"), [(0, 422), (1, 200), (200, 200), (201, 422), (10**30, 422)])
def test_pages_have_a_size(client: TestClient, path: str, limit: int, status: int) -> None:
    assert client.get(f"{path}&limit={limit}").status_code == status


@pytest.mark.parametrize("name", ["", " ", "/a", "a//b", "a/", "a\u0000b", "a\nb", "x" * 257])
def test_names_that_are_no_namespace(client: TestClient, name: str) -> None:
    assert client.post("/v1/query", json={"namespace": name, "query": "when?"}).status_code == 422
    assert client.get("/v1/memories", params={"namespace": name}).status_code == 422


@pytest.mark.parametrize("path", ["/v1/admin/stats", "/v1/admin/export"])
def test_what_is_told_of_a_namespace_takes_the_name_of_one(client: TestClient, path: str) -> None:
    assert client.get(path, params={"namespace": "a//b"}).status_code == 422


ADDRESSES = ["/v1/memories/a%00b", "/v1/admin/jobs/%00", "/v1/namespaces?cursor=%00", "/v1/admin/jobs?before=a%00"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_holds_no_nul(client: TestClient, address: str) -> None:
    reply = client.get(address)
    assert (reply.status_code, "NUL" in reply.text) == (422, True)


@pytest.mark.parametrize("moment", [20260302, "20260302", 1.5, "1.5", "nan", True, 10**400])
def test_a_number_is_no_moment(client: TestClient, namespace: str, moment: Any) -> None:
    body = json.dumps({"namespace": namespace, "memories": [{"text": "Tea at four.", "timestamp": moment}]})
    reply = client.post("/v1/memories", content=body, headers=JSON)
    assert (reply.status_code, "ISO 8601" in reply.text) == (422, True)


def test_numbers_are_such_as_a_machine_holds(client: TestClient, namespace: str) -> None:
    asked = json.dumps({"namespace": namespace, "query": "when?", "max_tokens": 10**400})
    assert client.post("/v1/query", content=asked, headers=JSON).status_code == 422
    assert client.get(f"/v1/admin/audit?before={2**63}").status_code == 422


def test_what_is_no_id_is_refused_not_passed_over(client: TestClient, namespace: str) -> None:
    body = {"namespace": namespace, "ratings": [{"memory_id": "no id", "value": 1}]}
    assert client.post("/v1/feedback", json=body).status_code == 422
    assert client.get(f"/v1/memories?namespace={namespace}&session_id=no+id").status_code == 422


@pytest.mark.parametrize("sent", ["abc-1", "0199a3f2-5c1e-7000-8a51-3f6f0c2d9b10", "a" * 128])
def test_a_sane_request_id_is_kept(client: TestClient, sent: str) -> None:
    assert client.get("/health/live", headers={"x-request-id": sent}).headers["x-request-id"] == sent


@pytest.mark.parametrize("sent", ["", "a b", "a" * 129, "<script>", "a,b"])
def test_any_other_gets_a_fresh_one(client: TestClient, sent: str) -> None:
    got = [client.get("/health/live", headers={"x-request-id": sent}).headers["x-request-id"] for _ in range(2)]
    assert sent not in got
    assert got[0] != got[1]


def test_a_call_that_misses_its_deadline_is_a_504(settings: Settings) -> None:
    release = threading.Event()
    hurried = settings.model_copy(update={"server": ServerSettings(query_timeout_s=0.01)})
    with local(create_app(hurried, StubEngine(query=release.wait), OpenDoor())) as client:
        reply = client.post("/v1/query", json={"namespace": "a", "query": "when?"})
        release.set()
    assert (reply.status_code, reply.json()["code"]) == (504, "timeout")


def test_calls_that_hang_do_not_pile_up(settings: Settings) -> None:
    release = threading.Event()
    small = ServerSettings(query_timeout_s=0.01, threads=1, backlog=0)
    with local(
        create_app(settings.model_copy(update={"server": small}), StubEngine(query=release.wait), OpenDoor())
    ) as client:
        statuses = [client.post("/v1/query", json={"namespace": "a", "query": "q"}).status_code for _ in range(3)]
        release.set()
    assert statuses == [504, 503, 503]
