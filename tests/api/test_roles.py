"""Each role at each route, to what is its own tenant's and to what is another's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

import httpx2
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from aim_memory import assemble
from aim_memory.api.app import create_app
from aim_memory.engine import MemoryEngine
from aim_memory.keys import ROLES, Role
from aim_memory.llm.scripted import ScriptedChat
from tests.api.conftest import Keyed, settings_in

CANARY = "the vault opens with saffron-4711"
HOME = "user/ada"
MCP = {"accept": "application/json, text/event-stream"}
READERS = frozenset({"reader", "writer", "admin", "operator"})
ALLOWED: dict[str, frozenset[str]] = {
    "anybody": frozenset(get_args(Role)),
    "auditor": frozenset({"auditor", "admin", "operator"}),
    "reader": READERS,
    "writer": READERS - {"reader"},
    "admin": frozenset({"admin", "operator"}),
    "operator": frozenset({"operator"}),
}
"""Who passes where something is asked for."""


@dataclass(frozen=True)
class Visit:
    """One request to a route, made so that nothing but the role can refuse it."""

    needs: str
    params: dict[str, str] = field(default_factory=dict)
    json: Any = None
    content: str | None = None
    everybodys: bool = False
    """It is about the whole service: an operator of any tenant finds every tenant's rows in it."""


def at_home(needs: str, **fields: Any) -> Visit:
    return Visit(needs, {"namespace": HOME}, **fields)


ASK = {"namespace": HOME, "query": "how does the vault open?"}
USER = {"user_id": "ada"}
FILTERS = {"filters": USER}
SAID = [{"role": "user", "content": "Tea at four."}]
CHAT = {"model": "extractive", "messages": SAID, "user": HOME}
LINE = f'{{"id": "imported", "namespace": "{HOME}", "text": "Tea at five."}}\n'

VISITS: dict[str, Visit] = {
    "GET /": Visit("anybody"),
    "GET /docs": Visit("anybody"),
    "GET /docs/oauth2-redirect": Visit("anybody"),
    "GET /openapi.json": Visit("anybody"),
    "GET /status": Visit("anybody"),
    "GET /metrics": Visit("anybody"),
    "GET /health/live": Visit("anybody"),
    "GET /health/ready": Visit("anybody"),
    "GET /console": Visit("anybody"),
    "GET /console/": Visit("anybody"),
    "GET /console/{name}": Visit("anybody"),
    "POST /mcp": Visit("anybody", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"}),
    "POST /v1/memories": Visit("writer", json={"namespace": HOME, "text": "Tea at four."}),
    "GET /v1/memories": at_home("reader"),
    "GET /v1/memories/{memory_id}": at_home("reader"),
    "PATCH /v1/memories/{memory_id}": at_home("writer", json={"pinned": True}),
    "DELETE /v1/memories/{memory_id}": at_home("writer"),
    "GET /v1/memories/{memory_id}/history": at_home("reader"),
    "GET /v1/memories/{memory_id}/evidence": at_home("reader"),
    "POST /v1/query": Visit("reader", json=ASK),
    "POST /v1/answer": Visit("reader", json=ASK),
    "POST /v1/feedback": Visit("writer", json={"namespace": HOME, "ratings": [{"memory_id": "secret", "value": 1}]}),
    "POST /v1/chat/completions": Visit("reader", json=CHAT),
    "POST /v1/responses": Visit("reader", json={"model": "extractive", "input": "Tea at four.", "user": HOME}),
    "POST /v1/embeddings": Visit("reader", json={"model": "auto", "input": "tea"}),
    "GET /v1/models": Visit("reader"),
    "GET /v1/models/{model:path}": Visit("reader"),
    "GET /v1/sessions": at_home("reader"),
    "GET /v1/sessions/{session_id}": at_home("reader"),
    "DELETE /v1/sessions/{session_id}": at_home("writer"),
    "GET /v1/namespaces": Visit("reader"),
    "DELETE /v1/namespaces/{namespace:path}": Visit("admin"),
    "GET /v1/admin/stats": Visit("auditor"),
    "GET /v1/admin/jobs": Visit("auditor"),
    "GET /v1/admin/jobs/{job_id}": Visit("auditor"),
    "DELETE /v1/admin/jobs/{job_id}": Visit("admin"),
    "GET /v1/admin/audit": Visit("auditor"),
    "GET /v1/admin/keys": Visit("admin"),
    "POST /v1/admin/keys": Visit("admin", json={"name": "another"}),
    "DELETE /v1/admin/keys/{key_id}": Visit("admin"),
    "GET /v1/admin/export": Visit("admin"),
    "POST /v1/admin/import": Visit("admin", content=LINE),
    "POST /v1/admin/reindex": Visit("operator", json={}),
    "GET /v1/admin/reindex": Visit("operator"),
    "POST /v1/admin/reindex/rollback": Visit("operator", json={"dry_run": True}),
    "POST /v1/admin/verify": Visit("operator"),
    "POST /v1/admin/backup": Visit("operator", everybodys=True),
    "POST /v1/admin/extract": Visit("admin", json={"namespace": HOME}),
    "POST /v1/admin/extract/preview": Visit("admin", json={"namespace": HOME}),
    "GET /mem0/v1/ping/": Visit("reader"),
    "POST /mem0/v3/memories/add/": Visit("writer", json={**USER, "messages": SAID}),
    "POST /mem0/v1/memories/": Visit("writer", json={**USER, "messages": SAID}),
    "POST /mem0/memories": Visit("writer", json={**USER, "messages": SAID}),
    "POST /mem0/v3/memories/search/": Visit("reader", json={**FILTERS, "query": "vault"}),
    "POST /mem0/v2/memories/search/": Visit("reader", json={**FILTERS, "query": "vault"}),
    "POST /mem0/v1/memories/search/": Visit("reader", json={**USER, "query": "vault"}),
    "POST /mem0/search": Visit("reader", json={**USER, "query": "vault"}),
    "POST /mem0/v3/memories/": Visit("reader", json=FILTERS),
    "POST /mem0/v2/memories/": Visit("reader", json=FILTERS),
    "GET /mem0/v1/memories/": Visit("reader", USER),
    "GET /mem0/memories": Visit("reader", USER),
    "DELETE /mem0/v1/memories/": Visit("writer", USER),
    "DELETE /mem0/memories": Visit("writer", USER),
    "GET /mem0/v1/memories/{memory_id}/": Visit("reader"),
    "GET /mem0/memories/{memory_id}": Visit("reader"),
    "PUT /mem0/v1/memories/{memory_id}/": Visit("writer", json={"text": "Tea at six."}),
    "PUT /mem0/memories/{memory_id}": Visit("writer", json={"text": "Tea at six."}),
    "DELETE /mem0/v1/memories/{memory_id}/": Visit("writer"),
    "DELETE /mem0/memories/{memory_id}": Visit("writer"),
    "GET /mem0/v1/memories/{memory_id}/history/": Visit("reader"),
    "GET /mem0/memories/{memory_id}/history": Visit("reader"),
    "PUT /mem0/v1/batch/": Visit("writer", json={"memories": [{"memory_id": "ID", "text": "Tea at six."}]}),
    "DELETE /mem0/v1/batch/": Visit("writer", json={"memories": [{"memory_id": "ID"}]}),
    "GET /mem0/v1/entities/": Visit("reader"),
    "DELETE /mem0/v2/entities/{kind}/{name}/": Visit("admin"),
    "DELETE /mem0/v1/entities/{kind}/{name}/": Visit("admin"),
    "POST /mem0/v1/feedback/": Visit("writer", json={"memory_id": "ID", "feedback": "POSITIVE"}),
}
TOOLS: dict[str, tuple[str, dict[str, Any]]] = {
    "add_memory": ("writer", {"text": "Tea at four."}),
    "search_memories": ("reader", {"query": "vault"}),
    "get_memories": ("reader", {}),
    "get_memory": ("reader", {"memory_id": "secret"}),
    "update_memory": ("writer", {"memory_id": "secret", "text": "Tea at six."}),
    "delete_memory": ("writer", {"memory_id": "secret"}),
    "delete_all_memories": ("admin", {"namespace": HOME}),
    "answer": ("reader", {"query": "how does the vault open?"}),
    "memory_status": ("reader", {}),
}


def operations(routes: Any) -> Iterator[str]:
    """Method and template of every route, however it came into the app."""
    for route in routes:
        if (router := getattr(route, "original_router", None)) is not None:
            yield from operations(router.routes)
        else:
            yield from (f"{method} {route.path}" for method in sorted(route.methods - {"HEAD"}))


@dataclass
class House:
    """A server in which one tenant keeps a secret, again after whatever was done to it."""

    keyed: Keyed
    memory_id: str = ""
    job_id: str = ""
    key_id: str = ""

    def furnish(self) -> None:
        client, ours = self.keyed.client, self.keyed.headers("acme", "admin")
        kept = {"namespace": HOME, "memories": [{"id": "secret", "text": CANARY, "session_id": "s"}]}
        self._keep(ours, kept)
        made = client.post("/v1/memories", json={"namespace": HOME, "text": f"again, {CANARY}"}, headers=ours)
        self.memory_id = made.json()["results"][0]["id"]
        client.post("/v1/query", json={**ASK, "session_id": "s"}, headers=ours)
        self.key_id = self.keyed.keyring.create("acme", "spare", "reader").key.id

    def _keep(self, ours: dict[str, str], kept: dict[str, Any]) -> None:
        client = self.keyed.client
        if client.post("/v1/memories", json=kept, headers=ours).status_code == 409:  # somebody edited it
            client.delete("/v1/memories/secret", params={"namespace": HOME}, headers=ours)
            client.post("/v1/memories", json=kept, headers=ours)

    def visit(self, operation: str, visit: Visit, headers: dict[str, str]) -> httpx2.Response:
        method, _, template = operation.partition(" ")
        memory = self.memory_id if template.startswith("/mem0") else "secret"
        at = {"memory_id": memory, "session_id": "s", "job_id": "none", "key_id": self.key_id, "name": "ada"}
        at |= {"namespace:path": HOME, "model:path": "extractive", "kind": "user"}
        for name, value in at.items():
            template = template.replace(f"{{{name}}}", value)
        more = {"content": visit.content.encode()} if visit.content else {}
        if visit.json is not None:
            more["json"] = _filled(visit.json, self.memory_id)
        kind = {"content-type": "application/x-ndjson"} if visit.content else {}
        return self.keyed.client.request(
            method, template, params=visit.params, headers={**headers, **kind, **MCP}, follow_redirects=False, **more
        )

    def is_whole(self) -> bool:
        """Whether the secret is there as it was."""
        ours = self.keyed.headers("acme", "reader")
        shown = self.keyed.client.get("/v1/memories/secret", params={"namespace": HOME}, headers=ours).json()
        made = self.keyed.client.get(f"/v1/memories/{self.memory_id}", headers=ours).json()
        spare = next(key for key in self.keyed.keyring.list("acme") if key.id == self.key_id)
        texts = shown.get("text"), made.get("text"), spare.revoked_at
        return texts == (CANARY, f"again, {CANARY}", None) and not shown["pinned"]


def _filled(body: Any, memory_id: str) -> Any:
    if isinstance(body, dict):
        return {name: _filled(value, memory_id) for name, value in body.items()}
    if isinstance(body, list):
        return [_filled(value, memory_id) for value in body]
    return memory_id if body == "ID" else body


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    settings = settings_in(tmp_path_factory.mktemp("roles"))
    engine = MemoryEngine(replace(assemble.open_parts(settings), chat=ScriptedChat()))
    app = create_app(settings, engine, assemble.open_keyring(settings, engine))
    app.state.keyring = assemble.open_keyring(settings, engine)
    return app


@pytest.fixture(scope="module")
def house(app: FastAPI) -> Iterator[House]:
    with TestClient(app, base_url="http://memory.example") as client:
        yield House(Keyed(client, app.state.keyring))


def test_every_route_is_visited(app: FastAPI) -> None:
    assert set(operations(app.routes)) == set(VISITS)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_what_it_should_of_its_own_tenant(house: House, role: Role) -> None:
    house.furnish()
    headers = house.keyed.headers("acme", role)
    for operation, visit in VISITS.items():
        reply = house.visit(operation, visit, headers)
        allowed = role in ALLOWED[visit.needs]
        assert (reply.status_code == 403) != allowed, (operation, reply.status_code, reply.text)
        assert reply.status_code < 500, (operation, reply.text)
        assert reply.status_code != 422, (operation, reply.text)
        if allowed and not operation.startswith("GET"):
            house.furnish()
        if not allowed:
            assert CANARY not in reply.text, operation
            assert operation.startswith("GET") or house.is_whole(), operation


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reaches_nothing_of_another_tenant(house: House, role: Role) -> None:
    house.furnish()
    headers = house.keyed.headers("globex", role)
    for operation, visit in VISITS.items():
        reply = house.visit(operation, visit, headers)
        reaches_all = role == "operator" and (visit.everybodys or operation == "DELETE /v1/admin/keys/{key_id}")
        assert (reply.status_code == 403) != (role in ALLOWED[visit.needs]), (operation, reply.text)
        assert reply.status_code < 500, (operation, reply.text)
        if reaches_all:
            house.furnish()
            continue
        assert CANARY not in reply.text, operation
        assert operation.startswith("GET") or house.is_whole(), operation


def test_an_auditor_sees_no_memory_anywhere(house: House) -> None:
    house.furnish()
    headers = house.keyed.headers("acme", "auditor")
    seen = [house.visit(operation, visit, headers) for operation, visit in VISITS.items()]
    assert not [reply.url for reply in seen if "saffron" in reply.text]
    assert {reply.status_code for reply in seen} >= {200, 403}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_asks_for_the_role_of_its_route(house: House, role: Role, tool: str) -> None:
    needs, arguments = TOOLS[tool]
    for tenant in ("globex", "acme"):
        house.furnish()
        headers = {**house.keyed.headers(tenant, role), **MCP, "x-aim-namespace": HOME}
        call = {"name": tool, "arguments": arguments}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
        reply = house.keyed.client.post("/mcp", json=body, headers=headers)
        refused = "takes a key with the role" in reply.text
        assert refused != (role in ALLOWED[needs]), (tenant, reply.text)
        if tenant == "globex" or refused:
            assert CANARY not in reply.text
        if tenant == "globex":
            assert house.is_whole()


def test_every_tool_is_tried(house: House) -> None:
    headers = {**house.keyed.headers("acme", "reader"), **MCP}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    tools = house.keyed.client.post("/mcp", json=body, headers=headers).json()["result"]["tools"]
    assert {tool["name"] for tool in tools} == set(TOOLS)


def test_a_key_of_an_auditor_is_made_by_an_admin_and_may_end(house: House, tmp_path: Path) -> None:
    client, admin = house.keyed.client, house.keyed.headers("acme", "admin")
    body = {"name": "metrics", "role": "auditor", "expires_at": "2999-01-01T00:00:00Z"}
    made = client.post("/v1/admin/keys", json=body, headers=admin).json()
    assert (made["role"], made["expires_at"]) == ("auditor", "2999-01-01T00:00:00Z")
    headers = {"authorization": f"Bearer {made['key']}"}
    assert client.get("/metrics", headers=headers).status_code == 200
    assert client.delete(f"/v1/admin/keys/{made['id']}", headers=admin).status_code == 200
    assert client.get("/metrics", headers=headers).status_code == 401
