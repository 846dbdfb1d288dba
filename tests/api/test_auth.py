"""Who may come in: nobody without a key, unless there are no keys and the caller is on this machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from starlette.routing import Mount

from aim_memory.api.app import create_app
from aim_memory.api.auth import OPEN_PATHS
from aim_memory.api.routes import console
from aim_memory.keys import ROLES, Role
from aim_memory.settings import ServerSettings, Settings
from tests.api.conftest import Keyed, local
from tests.api.doubles import OpenDoor, StubEngine, call


def every_route(routes: Iterable[Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Method and path of every route that is there, described or not, those of mounted apps included."""
    for route in routes:
        if (router := getattr(route, "original_router", None)) is not None:  # as FastAPI includes one
            yield from every_route(router.routes, before)
        elif isinstance(route, Mount):
            yield from every_route(route.routes, before + route.path)
        else:
            path = f"{before}{route.path}".replace("{", "").replace("}", "")
            yield from ((method, path) for method in route.methods or ("GET", "POST"))


@pytest.mark.anyio
async def test_without_a_key_every_route_is_shut_before_the_body_is_read(keyed: Keyed) -> None:
    routes = [*every_route(keyed.client.app.routes), ("GET", "/v1/nothing"), ("POST", "/mem0/v1/nothing/")]
    assert {path.split("/")[1] for _, path in routes} >= {"v1", "mem0", "mcp", "console", "health", "docs"}
    shut = [(method, path) for method, path in routes if path not in OPEN_PATHS | console.PATHS]
    assert len(shut) > 60
    for method, path in shut:
        for headers in ({}, {"authorization": "Bearer aim_0123_4567"}, {"authorization": "Basic YTpi"}):
            reply = await call(keyed.client.app, method, path, headers=headers, body=[b"{", b"}"])
            assert (reply.status, reply.reads) == (401, 0), (method, path)
            assert reply.headers["www-authenticate"].startswith("Bearer")
            assert reply.json.get("error", reply.json)["code"] == "unauthenticated"


def test_the_probes_are_open(keyed: Keyed) -> None:
    assert {path: keyed.client.get(path).status_code for path in OPEN_PATHS} == dict.fromkeys(OPEN_PATHS, 200)


@pytest.mark.parametrize("path", ["//health/live", "/health/live/", "/health/live/../../status", "/HEALTH/live"])
def test_no_other_spelling_of_a_probe_is_open(keyed: Keyed, path: str) -> None:
    assert keyed.client.get(f"http://memory.example{path}").status_code in (401, 404)


def test_a_key_opens_under_any_name_and_from_anywhere(keyed: Keyed) -> None:
    headers = {**keyed.headers(), "host": "anything.example", "origin": "https://elsewhere.example"}
    assert keyed.client.get("/status", headers=headers).status_code == 200


def test_a_revoked_key_is_shut_out_at_once(keyed: Keyed) -> None:
    issued = keyed.keyring.create("acme", "short-lived", "reader")
    headers = {"authorization": f"Bearer {issued.token}"}
    assert keyed.client.get("/status", headers=headers).status_code == 200
    assert keyed.keyring.revoke(issued.key.id)
    assert keyed.client.get("/status", headers=headers).status_code == 401


WRITE = ("POST", "/v1/memories", {"namespace": "user/ada", "text": "Tea at four."})
ASK = {"namespace": "user/ada", "query": "When is tea?"}
NEEDS: list[tuple[Role, tuple[str, str, Any]]] = [
    ("reader", ("POST", "/v1/query", ASK)),
    ("reader", ("POST", "/v1/answer", ASK)),
    ("reader", ("GET", "/v1/memories?namespace=user/ada", None)),
    ("reader", ("GET", "/v1/namespaces", None)),
    ("reader", ("GET", "/v1/sessions?namespace=user/ada", None)),
    ("writer", WRITE),
    ("writer", ("POST", "/v1/answer", {**ASK, "remember": True})),
    ("writer", ("PATCH", "/v1/memories/nobody", {"pinned": True})),
    ("writer", ("DELETE", "/v1/memories/nobody", None)),
    ("writer", ("DELETE", "/v1/sessions/nobody?namespace=user/ada", None)),
    ("writer", ("POST", "/v1/feedback", {"namespace": "user/ada", "ratings": [{"memory_id": "a", "value": 1}]})),
    ("admin", ("DELETE", "/v1/namespaces/user/nobody", None)),
]


@pytest.mark.parametrize(("needed", "request_"), NEEDS, ids=lambda value: str(value)[:50])
def test_roles_reach_as_far_as_they_say(keyed: Keyed, needed: Role, request_: tuple[str, str, Any]) -> None:
    method, path, body = request_
    for role in ROLES:
        reply = keyed.client.request(method, path, json=body, headers=keyed.headers(role=role))
        allowed = ROLES.index(role) >= ROLES.index(needed)
        assert (reply.status_code != 403) == allowed, (role, reply.text)
        if not allowed:
            assert reply.json()["code"] == "permission_denied"


def test_a_role_is_judged_before_the_body(keyed: Keyed) -> None:
    reply = keyed.client.post("/v1/memories", json={"nonsense": 1}, headers=keyed.headers(role="reader"))
    assert reply.status_code == 403


def test_tenants_do_not_meet(keyed: Keyed) -> None:
    ours, theirs = keyed.headers("acme"), keyed.headers("globex")
    canary = "the vault opens with saffron-4711"
    body = {"namespace": "shared/name", "memories": [{"id": "same-id", "text": canary, "session_id": "same"}]}
    written = keyed.client.post("/v1/memories", json=body, headers=ours).json()["results"][0]["id"]
    server_made = keyed.client.post(
        "/v1/memories", json={"namespace": "shared/name", "text": f"again, {canary}"}, headers=ours
    ).json()["results"][0]["id"]
    asked = {"namespace": "shared/name", "query": "how does the vault open?", "session_id": "same"}
    assert keyed.client.post("/v1/query", json=asked, headers=ours).json()["results"]
    seen = [
        keyed.client.post("/v1/query", json=asked, headers=theirs),
        keyed.client.post("/v1/answer", json=asked, headers=theirs),
        keyed.client.get("/v1/memories?namespace=shared/name", headers=theirs),
        keyed.client.get("/v1/namespaces", headers=theirs),
        keyed.client.get("/v1/sessions/same?namespace=shared/other", headers=theirs),
        *(
            keyed.client.request(method, f"/v1/memories/{memory_id}{tail}", json=sent, headers=theirs)
            for memory_id, query in ((written, "?namespace=shared/name"), (server_made, ""))
            for method, tail, sent in (
                ("GET", query, None),
                ("GET", f"/history{query}", None),
                ("GET", f"/evidence{query}", None),
                ("PATCH", query, {"text": "mine now"}),
                ("DELETE", query, None),
            )
        ),
        keyed.client.delete("/v1/namespaces/shared/name", headers=theirs),
    ]
    assert not [reply.text for reply in seen if "saffron" in reply.text]
    assert [reply.status_code for reply in seen[5:]] == [404] * 11
    kept = keyed.client.get(f"/v1/memories/{server_made}", headers=ours).json()
    assert (kept["text"], kept["version"]) == (f"again, {canary}", 1)


def test_a_foreign_id_and_a_missing_id_answer_alike(keyed: Keyed) -> None:
    ours, theirs = keyed.headers("acme"), keyed.headers("globex")
    body = {"namespace": "alike", "text": "ours"}
    foreign = keyed.client.post("/v1/memories", json=body, headers=ours).json()["results"][0]["id"]
    missing = f"{foreign[:-4]}0000" if not foreign.endswith("0000") else f"{foreign[:-4]}1111"
    replies = []
    for memory_id in (foreign, missing):
        reply = keyed.client.get(f"/v1/memories/{memory_id}", headers={**theirs, "x-request-id": "same"})
        replies.append((reply.status_code, reply.text.replace(memory_id, "ID")))
    assert replies[0] == replies[1]
    assert replies[0][0] == 404


# Without keys


@pytest.fixture
def app(settings: Settings) -> Any:
    named = settings.model_copy(update={"server": ServerSettings(allowed_hosts=("Memory.test",))})
    return create_app(named, StubEngine(), OpenDoor())


LOCAL = ("127.0.0.1", 50000)
ADMITTED: list[tuple[tuple[str, int] | None, dict[str, str]]] = [
    (LOCAL, {}),
    (LOCAL, {"host": "localhost"}),
    (LOCAL, {"host": "LOCALHOST:8765"}),
    (("127.0.0.9", 1), {}),
    (("::1", 50000), {"host": "[::1]:8765"}),
    (("::ffff:127.0.0.1", 50000), {}),
    (LOCAL, {"host": "memory.test:8765"}),
    (LOCAL, {"origin": "http://127.0.0.1:8765"}),
    (LOCAL, {"authorization": "Bearer whatever-a-client-must-send"}),
]
REFUSED: list[tuple[tuple[str, int] | None, dict[str, str]]] = [
    (("192.168.1.5", 50000), {}),
    (("10.0.0.1", 50000), {"host": "localhost"}),
    (("::ffff:10.0.0.1", 50000), {}),
    (("testclient", 50000), {}),
    (None, {}),
    (LOCAL, {"host": "evil.example"}),
    (LOCAL, {"host": "127.0.0.1.evil.example"}),
    (LOCAL, {"host": "localhost@evil.example"}),
    (LOCAL, {"host": "evil.example#localhost"}),
    (LOCAL, {"host": "[::1"}),
    (LOCAL, {"host": ""}),
    (LOCAL, {"origin": "https://evil.example"}),
    (LOCAL, {"origin": "http://127.0.0.1:3000"}),
    (LOCAL, {"origin": "null"}),
    (LOCAL, {"x-forwarded-for": "127.0.0.1"}),
    (LOCAL, {"forwarded": "for=10.0.0.1"}),
    (LOCAL, {"via": "1.1 proxy"}),
]


@pytest.mark.anyio
@pytest.mark.parametrize(("client", "headers"), ADMITTED)
async def test_callers_on_this_machine_come_in(
    app: Any, client: tuple[str, int] | None, headers: dict[str, str]
) -> None:
    async with app.router.lifespan_context(app):
        assert (await call(app, "GET", "/status", headers=headers, client=client)).status == 200


@pytest.mark.anyio
@pytest.mark.parametrize(("client", "headers"), REFUSED)
async def test_everybody_else_stays_out(app: Any, client: tuple[str, int] | None, headers: dict[str, str]) -> None:
    async with app.router.lifespan_context(app):
        reply = await call(app, "POST", "/v1/query", headers=headers, client=client, body=[b"{", b"}"])
    assert (reply.status, reply.reads) == (403, 0)
    assert reply.json["code"] == "permission_denied"


@pytest.mark.anyio
async def test_a_web_socket_is_not_taken(app: Any) -> None:
    sent = []

    async def send(message: Any) -> None:
        sent.append(message)

    async with app.router.lifespan_context(app):
        scope = {"type": "websocket", "path": "/health/live", "headers": [], "client": LOCAL}
        await app(scope, None, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_the_first_key_shuts_the_door_of_a_running_server(settings: Settings) -> None:
    app = create_app(settings)
    with local(app) as client:
        assert client.get("/status").status_code == 200
        issued = app.state.service.keyring.create("local", "first", "admin")
        assert client.get("/status").status_code == 401
        assert client.get("/status", headers={"authorization": f"Bearer {issued.token}"}).status_code == 200
        assert app.state.service.keyring.revoke(issued.key.id)
        assert client.get("/status").status_code == 401
