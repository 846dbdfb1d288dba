"""Another tenant never sees a byte: random sequences through every door, by keys of all roles, over twenty tenants.

Each tenant has two words of its own. Its *name* is in what others could guess: namespaces, ids, sessions, users. Its
*secret* is in what only it may read: texts, metadata, speakers, sources, names of keys. A reply to one tenant must hold
no other's secret at all, and no other's name that was not in the request. And what is asked with another's names must
be answered as it is with names that nobody ever had.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as sized
from hypothesis import strategies as st
from starlette.testclient import TestClient

from aim_memory import assemble
from aim_memory.api.app import create_app
from aim_memory.keys import ROLES, Keyring, Role
from aim_memory.settings import ServerSettings
from tests.api.conftest import settings_in
from tests.figures import figure

TENANTS = 20
PROMISE = "another tenant never sees a byte"
MCP = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18"}
CANARY = re.compile(r"[ns]q\d\dzq", re.IGNORECASE)
"""A name or a secret."""
PASSING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{4}-\d\d-\d\d(?:T[0-9:.]+(?:Z|\+00:00))?"
    r'|"(?:timings_ms|usage)":\{[^}]*\}|"(?:sha256|id|created)":\s?[^,}]*'
)
"""What differs from one reply to the next: ids made by the server, moments, durations."""


@dataclass(frozen=True)
class Names:
    """What somebody's memories are called."""

    name: str
    made: str
    """Id of a memory that the server named."""
    key_id: str

    @property
    def space(self) -> str:
        return f"user/{self.name}"

    @property
    def session(self) -> str:
        return f"s-{self.name}"

    def memory(self, number: int) -> str:
        return f"m-{self.name}-{number}"


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: Any = None
    params: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def words(self) -> str:
        return f"{self.path} {self.body} {self.params} {self.headers}"


Ask = Callable[[Names, int], Request]
"""Of whose memories, and a number to vary it by."""


def tool(name: str, arguments: Callable[[Names, int], dict[str, Any]]) -> Ask:
    return lambda who, n: mcp("tools/call", {"name": name, "arguments": {"namespace": who.space, **arguments(who, n)}})


def mcp(method: str, params: dict[str, Any]) -> Request:
    return Request("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}, headers=MCP)


def memory(method: str, tail: str = "", body: Any = None) -> Ask:
    return lambda who, n: Request(method, f"/v1/memories/{who.memory(n)}{tail}", body, params={"namespace": who.space})


def made(method: str, tail: str = "", body: Any = None) -> Ask:
    """Of a memory that the server named, which needs no namespace."""
    return lambda who, n: Request(method, f"/v1/memories/{who.made}{tail}", body)


def question(path: str, **more: Any) -> Ask:
    return lambda who, n: Request(
        "POST", path, {"namespace": who.space, "query": "Where is the vault?", "session_id": who.session, **more}
    )


def mem0(method: str, path: str, body: Callable[[Names], Any] = lambda who: None, **params: str) -> Ask:
    """``{user}`` and ``{memory}`` in the path and the parameters are filled in."""

    def ask(who: Names, n: int) -> Request:
        filled = {key: value.format(user=who.name) for key, value in params.items()}
        return Request(method, f"/mem0{path.format(user=who.name, memory=who.made)}", body(who), filled)

    return ask


def in_namespace(method: str, path: str) -> Ask:
    return lambda who, n: Request(method, path, params={"namespace": who.space})


ASKS: Sequence[Ask] = (
    memory("GET"),
    memory("GET", "/history"),
    memory("GET", "/evidence"),
    memory("PATCH", body={"pinned": True}),
    memory("DELETE"),
    made("GET"),
    made("GET", "/history"),
    made("GET", "/evidence"),
    made("PATCH", body={"pinned": True}),
    made("DELETE"),
    question("/v1/query"),
    question("/v1/query", explain=True),
    question("/v1/answer"),
    question("/v1/answer", stream=True),
    in_namespace("GET", "/v1/memories"),
    in_namespace("GET", "/v1/sessions"),
    in_namespace("GET", "/v1/admin/stats"),
    in_namespace("GET", "/v1/admin/export"),
    lambda who, n: Request("GET", f"/v1/sessions/{who.session}", params={"namespace": who.space}),
    lambda who, n: Request("DELETE", f"/v1/sessions/{who.session}", params={"namespace": who.space}),
    lambda who, n: Request("DELETE", f"/v1/namespaces/{who.space}"),
    lambda who, n: Request("DELETE", f"/v1/admin/keys/{who.key_id}"),
    lambda who, n: Request("GET", f"/v1/admin/jobs/{who.made}"),
    lambda who, n: Request("GET", "/v1/namespaces", params={"cursor": who.space[:-1]}),
    lambda who, n: Request(
        "POST",
        "/v1/feedback",
        {"namespace": who.space, "ratings": [{"memory_id": who.memory(n), "value": 1}]},
    ),
    lambda who, n: Request(
        "POST",
        "/v1/chat/completions",
        {"model": "extractive", "messages": [{"role": "user", "content": "Where is the vault?"}], "stream": n == 0},
        headers={"x-aim-namespace": who.space, "x-aim-session": who.session, "x-aim-memory": "read"},
    ),
    mem0("GET", "/v1/memories/{memory}/"),
    mem0("GET", "/memories/{memory}/history"),
    mem0("PUT", "/v1/memories/{memory}/", lambda who: {"metadata": {"seen": True}}),
    mem0("DELETE", "/v1/memories/{memory}/"),
    mem0("PUT", "/v1/batch/", lambda who: {"memories": [{"memory_id": who.made, "text": "Another text."}]}),
    mem0("DELETE", "/v1/batch/", lambda who: {"memories": [{"memory_id": who.made}]}),
    mem0("POST", "/v1/feedback/", lambda who: {"memory_id": who.made, "feedback": "POSITIVE"}),
    mem0("POST", "/v3/memories/search/", lambda who: {"query": "vault", "filters": {"user_id": who.name}}),
    mem0("POST", "/v3/memories/", lambda who: {"filters": {"user_id": who.name}}),
    mem0("GET", "/memories", user_id="{user}"),
    mem0("DELETE", "/v1/memories/", user_id="{user}"),
    mem0("DELETE", "/v2/entities/user/{user}/"),
    tool("search_memories", lambda who, n: {"query": "Where is the vault?", "session_id": who.session}),
    tool("get_memories", lambda who, n: {}),
    tool("get_memory", lambda who, n: {"memory_id": who.memory(n)}),
    tool("get_memory", lambda who, n: {"memory_id": who.made}),
    tool("update_memory", lambda who, n: {"memory_id": who.memory(n), "pinned": True}),
    tool("delete_memory", lambda who, n: {"memory_id": who.memory(n)}),
    tool("delete_all_memories", lambda who, n: {}),
    tool("answer", lambda who, n: {"query": "Where is the vault?"}),
    lambda who, n: mcp("resources/read", {"uri": f"memory://{who.space}"}),
    lambda who, n: mcp("prompts/get", {"name": "memory_context", "arguments": {"query": "vault?"}}),
)
"""What names memories, so that it can name another's."""
OVERVIEWS: Sequence[Request] = (
    *(
        Request("GET", path)
        for path in (
            "/v1/namespaces",
            "/v1/models",
            "/status",
            "/",
            "/metrics",
            "/openapi.json",
            "/v1/admin/stats",
            "/v1/admin/export",
            "/v1/admin/jobs",
            "/v1/admin/keys",
            "/v1/admin/audit",
            "/mem0/v1/ping/",
            "/mem0/v1/entities/",
        )
    ),
    mcp("resources/list", {}),
    mcp("tools/call", {"name": "memory_status", "arguments": {}}),
)
SERVICE = ("/v1/admin/jobs", "/v1/admin/keys", "/v1/admin/audit")
"""Where an operator is shown all tenants, as it has to be."""


@dataclass(frozen=True)
class Tenant(Names):
    secret: str
    keys: dict[Role, str]

    def writes(self, n: int) -> list[Request]:
        """Something new through each door; the second is a memory that the server names."""
        said = f"The vault of {self.secret} opens with number {n}."
        item = {"id": self.memory(n), "text": said, "speaker": self.secret, "session_id": self.session}
        marked = {**item, "source": self.secret, "metadata": {self.secret: self.secret}}
        chat = {"model": "extractive", "messages": [{"role": "user", "content": f"I am {self.secret}; the vault?"}]}
        line = json.dumps({"text": f"{said} Imported.", "namespace": self.space, "speaker": self.secret})
        return [
            Request("POST", "/v1/memories", {"namespace": self.space, "memories": [marked]}),
            Request("POST", "/v1/memories", {"namespace": f"team/{self.name}", "text": said}),
            Request("POST", "/v1/chat/completions", {**chat, "user": self.space}),
            Request("POST", "/mem0/v3/memories/add/", {"messages": said, "user_id": self.name, "run_id": self.session}),
            mcp("tools/call", {"name": "add_memory", "arguments": {"text": said, "namespace": self.space}}),
            Request("POST", "/v1/admin/keys", {"name": f"key of {self.secret}", "role": "reader"}),
            Request("POST", "/v1/admin/import", line.encode(), headers={"content-type": "application/x-ndjson"}),
        ]


class House:
    """A server and its twenty tenants."""

    def __init__(self, client: TestClient, keyring: Keyring) -> None:
        self._client = client
        self.statuses: Counter[int] = Counter()
        self.tenants = [self._move_in(keyring, number) for number in range(TENANTS)]

    def _move_in(self, keyring: Keyring, number: int) -> Tenant:
        name, secret = f"nq{number:02}zq", f"sq{number:02}zq"
        issued = {role: keyring.create(f"tenant-{name}", f"{role} of {secret}", role) for role in ROLES}
        keys = {role: one.token for role, one in issued.items()}
        written = self._client.post(
            "/v1/memories",
            json={"namespace": f"user/{name}", "text": f"The vault of {secret} is below the stairs."},
            headers={"authorization": f"Bearer {keys['writer']}"},
        )
        made = written.json()["results"][0]["id"]
        tenant = Tenant(name, made, issued["reader"].key.id, secret, keys)
        for request in tenant.writes(0):
            assert self.send(tenant, "admin", request)[0] == 200, request
        assert self.send(tenant, "reader", question("/v1/query")(tenant, 0))[0] == 200, "which begins a session"
        return tenant

    def write(self, tenant: Tenant, role: Role, n: int, choice: int) -> None:
        """Writes through one of the doors. What the server named last is what others ask for from now on."""
        writes = tenant.writes(n)
        request = writes[choice % len(writes)]
        status, body = self.send(tenant, role, request)
        if status == 200 and request is writes[1]:
            made = json.loads(body)["results"][0]["id"]
            self.tenants[self.tenants.index(tenant)] = replace(tenant, made=made)

    def send(self, tenant: Tenant, role: Role, request: Request) -> tuple[int, str]:
        """Sends it, and looks for what is not the caller's in the reply. Returns status and body."""
        headers = {"authorization": f"Bearer {tenant.keys[role]}", "x-request-id": "same", **request.headers}
        content = {"content": request.body} if isinstance(request.body, bytes) else {"json": request.body}
        reply = self._client.request(
            request.method, request.path, params=request.params, headers=headers, **(content if request.body else {})
        )
        self.statuses[reply.status_code] += 1
        own = {tenant.name, tenant.secret, *CANARY.findall(request.words)}
        shown = {found.lower() for found in CANARY.findall(f"{reply.headers} {reply.text}")}
        assert shown <= own, (request, role, shown - own, reply.text)
        assert reply.status_code < 500, (request, reply.text)
        return reply.status_code, reply.text


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    patient = ServerSettings(query_timeout_s=60, write_timeout_s=60, answer_timeout_s=60)
    settings = settings_in(tmp_path_factory.mktemp("house"), server=patient)
    engine = assemble.open_engine(settings)
    keyring = assemble.open_keyring(settings, engine)
    with TestClient(create_app(settings, engine, keyring), base_url="http://memory.example") as client:
        yield House(client, keyring)


def nobody(who: Tenant) -> Names:
    """Names of the same form that nobody ever had."""
    tail = "0000" if who.made[-4:] != "0000" else "1111"
    return Names(who.name.replace("zq", "zg"), who.made[:-4] + tail, f"{who.key_id[:-4]}{tail}")


def faceless(reply: tuple[int, str], who: Names) -> tuple[int, str]:
    """A reply without names, and without what differs from one moment to the next."""
    text = reply[1].replace(who.made, "MADE").replace(who.key_id, "KEY").replace(who.name, "NAME")
    return reply[0], PASSING.sub("*", text)


TENANT = st.integers(0, TENANTS - 1)
STEP = st.tuples(
    st.sampled_from(["write", "write", "own", "overview", "foreign", "foreign", "foreign"]),
    st.sampled_from(ROLES),
    TENANT,
    TENANT,
    st.integers(0, 2**16),
    st.integers(0, 2),
)


def take(house: House, kind: str, role: Role, caller: Tenant, other: Tenant, choice: int, n: int) -> None:
    ask = ASKS[choice % len(ASKS)]
    if kind == "write":
        house.write(caller, role, n, choice)
    elif kind == "overview":
        request = OVERVIEWS[choice % len(OVERVIEWS)]
        if role != "operator" or request.path not in SERVICE:
            house.send(caller, role, request)
    elif kind == "own" or caller is other:
        house.send(caller, role, ask(caller, n))
    elif role != "operator" or "/v1/admin/" not in ask(other, n).path:
        alike(house, caller, role, ask, other, n)


def alike(house: House, caller: Tenant, role: Role, ask: Ask, other: Tenant, n: int) -> None:
    """Asks with another's names and with nobody's."""
    replies = [faceless(house.send(caller, role, ask(who, n)), who) for who in (other, nobody(other))]
    assert replies[0] == replies[1], (ask(other, n), role)


@pytest.mark.parametrize("place", range(len(ASKS)))
def test_another_s_names_and_nobody_s_are_answered_alike(house: House, place: int) -> None:
    caller, other = house.tenants[0], house.tenants[1]
    for role in ROLES:
        if role != "operator":  # who is shown everybody's keys and jobs
            alike(house, caller, role, ASKS[place], other, 0)
    kept = [house.send(other, "reader", ask(other, 0))[0] for ask in (ASKS[0], ASKS[5])]
    assert kept == [200, 200], "what another asked for is no longer there"


@pytest.mark.parametrize("sequences", [30, pytest.param(1000, marks=pytest.mark.deep)])
def test_another_tenant_never_sees_a_byte(house: House, sequences: int) -> None:
    house.statuses.clear()

    @sized(
        max_examples=sequences,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(steps=st.lists(STEP, min_size=8, max_size=16))
    def nothing_crosses(steps: list[tuple[str, Role, int, int, int, int]]) -> None:
        for kind, role, caller, other, choice, n in steps:
            take(house, kind, role, house.tenants[caller], house.tenants[other], choice, n)

    nothing_crosses()
    requests, granted = sum(house.statuses.values()), house.statuses[200]
    assert granted > requests // 4
    figure(
        PROMISE,
        f"{sequences} random sequences over {TENANTS} tenants, {requests:,} requests, {granted:,} of them granted",
        "0 foreign bytes; foreign and missing names answered alike",
    )
