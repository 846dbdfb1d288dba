"""/mem0: where memories of users, agents, apps and runs lie, what filters mean, and how failures look."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from aim_memory.api.mem0.scope import Scope, residue, scopes_of
from aim_memory.errors import InvalidInputError
from tests.api.conftest import Keyed

ADA = Scope("user", "ada")


@pytest.fixture
def user(namespace: str) -> str:
    """A user of the test's own."""
    return namespace.removeprefix("user/")


def add(client: TestClient, text: str, **more: Any) -> str:
    reply = client.post("/mem0/v3/memories/add/", json={"messages": [{"role": "user", "content": text}], **more})
    assert reply.status_code == 200, reply.text
    memory_id: str = reply.json()["results"][0]["id"]
    return memory_id


def listed(client: TestClient, filters: dict[str, Any]) -> list[str]:
    reply = client.post("/mem0/v3/memories/", json={"filters": filters})
    assert reply.status_code == 200, reply.text
    return sorted(one["memory"] for one in reply.json()["results"])


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"user_id": "ada"}, [ADA]),
        ({"AND": [{"user_id": "ada"}, {"agent_id": "bot"}]}, [ADA]),
        ({"AND": [{"agent_id": "bot"}, {"run_id": {"in": ["1", "2"]}}]}, [Scope("agent", "bot")]),
        ({"OR": [{"user_id": "ada"}, {"agent_id": "bot"}]}, [Scope("agent", "bot"), ADA]),
        ({"user_id": {"in": ["ada", "bob"]}}, [ADA, Scope("user", "bob")]),
        ({"run_id": 7, "topic": "x"}, [Scope("run", "7")]),
        ({"AND": [{"user_id": "*"}, {"agent_id": "bot"}]}, [Scope("agent", "bot")]),
    ],
)
def test_a_filter_says_where_to_look(filters: dict[str, Any], expected: list[Scope]) -> None:
    assert scopes_of(filters) == expected


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"topic": "x"},
        {"user_id": "*"},
        {"user_id": {"ne": "ada"}},
        {"OR": [{"user_id": "ada"}, {"topic": "x"}]},
        {"NOT": [{"user_id": "ada"}]},
        {"user_id": {"in": [str(number) for number in range(17)]}},
        {"AND": {"user_id": "ada"}},
        {"OR": []},
    ],
)
def test_a_filter_that_does_not_say_where_to_look_is_refused(filters: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        scopes_of(filters)


@pytest.mark.parametrize(
    ("filters", "left"),
    [
        ({"user_id": "ada"}, True),
        ({"user_id": {"ne": "ada"}}, False),
        ({"user_id": "ada", "topic": "x"}, {"metadata.topic": {"eq": "x"}}),
        ({"OR": [{"user_id": "ada"}, {"topic": "x"}]}, True),
        ({"OR": [{"user_id": "bob"}, {"topic": "x"}]}, {"metadata.topic": {"eq": "x"}}),
        ({"AND": [{"user_id": "ada"}, {"agent_id": "bot"}]}, {"metadata.mem0.agent_id": {"eq": "bot"}}),
        ({"NOT": [{"topic": "x"}, {"user_id": "bob"}]}, {"not": {"metadata.topic": {"eq": "x"}}}),
        ({"metadata": {"a": 1, "b": {"gte": 2}}}, {"and": [{"metadata.a": {"eq": 1}}, {"metadata.b": {"gte": 2}}]}),
        ({"created_at": {"gte": "2024-01-01"}}, {"timestamp": {"gte": "2024-01-01"}}),
        ({"agent_id": "*"}, {"metadata.mem0.agent_id": {"exists": True}}),
        ({"categories": {"in": ["a", "b"]}}, {"or": [{"metadata.mem0.categories": {"contains": c}} for c in "ab"]}),
        ({"topic": {"icontains": "x"}}, {"metadata.topic": {"contains": "x"}}),
    ],
)
def test_what_a_filter_still_asks_within_a_namespace(filters: dict[str, Any], left: Any) -> None:
    assert residue(filters, ADA) == left


@pytest.mark.parametrize("filters", [{"keywords": {"contains": "x"}}, {"a": {"like": "x"}}, {"metadata": "x"}])
def test_what_cannot_be_asked_is_refused(filters: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        residue(filters, ADA)


@pytest.mark.parametrize("name", ["ada", "a/b", "ada@x.org", "100%", " ada ", "阿达", "a\nb", "user/../bob"])
def test_every_name_has_a_namespace_of_its_own_that_says_whose_it_is(name: str) -> None:
    assert Scope.of_namespace(Scope("user", name).namespace) == Scope("user", name)


def test_filters_find_what_lies_in_a_users_namespace(client: TestClient, user: str) -> None:
    add(client, "The kettle is blue.", user_id=user, agent_id="bot", metadata={"topic": "kitchen", "size": 3})
    add(client, "The gate is red.", user_id=user, run_id="trip 1", metadata={"topic": "garden"})
    mine = {"user_id": user}
    assert len(listed(client, mine)) == 2
    assert listed(client, {"AND": [mine, {"agent_id": "bot"}]}) == ["The kettle is blue."]
    assert listed(client, {"AND": [mine, {"run_id": "trip 1"}]}) == ["The gate is red."]
    assert listed(client, {"AND": [mine, {"NOT": [{"topic": "garden"}]}]}) == ["The kettle is blue."]
    assert listed(client, {**mine, "size": {"gt": 2}}) == ["The kettle is blue."]
    assert listed(client, {"AND": [mine, {"OR": [{"topic": "garden"}, {"size": {"lt": 1}}]}]}) == ["The gate is red."]
    assert listed(client, {"user_id": f"{user}0"}) == []


def test_native_memories_of_a_users_namespace_are_his(client: TestClient, namespace: str, user: str) -> None:
    client.post("/v1/memories", json={"namespace": namespace, "text": "The kettle is blue."})
    assert listed(client, {"user_id": user}) == ["The kettle is blue."]


def test_one_without_a_user_is_refused_in_mem0s_words(client: TestClient) -> None:
    reply = client.post("/mem0/v3/memories/search/", json={"query": "kettle"})
    assert (reply.status_code, reply.headers["content-type"]) == (400, "application/json")
    assert reply.json()["detail"].startswith("At least one of user_id")
    assert client.post("/mem0/v3/memories/add/", json={"messages": "x"}).status_code == 400
    assert client.delete("/mem0/v1/memories/").status_code == 400
    assert client.get("/mem0/v1/memories/none/").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
        {"timestamp": "soon"},
        {"timestamp": 1e300},
        {"expiration_date": "tomorrow"},
        {"expiration_date": "9999-12-31"},
        {"messages": 3},
        {"user_id": {"a": 1}},
    ],
)
def test_bad_input_is_a_400_that_says_why(client: TestClient, user: str, change: dict[str, Any]) -> None:
    reply = client.post("/mem0/v3/memories/add/", json={"messages": "Tea at four.", "user_id": user, **change})
    assert reply.status_code == 400, reply.text
    assert reply.json()["detail"]


def test_what_means_nothing_here_is_named(client: TestClient, user: str) -> None:
    body = {"messages": "Tea at four.", "user_id": user, "custom_instructions": "x", "enable_graph": True}
    assert client.post("/mem0/v3/memories/add/", json=body).json()["ignored"] == ["custom_instructions", "enable_graph"]


def test_an_immutable_memory_stays_as_it_is(client: TestClient, user: str) -> None:
    memory_id = add(client, "Tea at four.", user_id=user, immutable=True)
    reply = client.put(f"/mem0/v1/memories/{memory_id}/", json={"text": "Tea at five."})
    assert reply.status_code == 403
    assert client.get(f"/mem0/memories/{memory_id}").json()["memory"] == "Tea at four."


def test_linked_deletion_takes_what_was_superseded(client: TestClient, user: str) -> None:
    said = ["I live in Paris.", "I live in Rome now.", "I live in Oslo now.", "I like tea."]
    ids = [add(client, text, user_id=user, timestamp=1_700_000_000 + at) for at, text in enumerate(said)]
    client.delete(f"/mem0/v1/memories/{ids[2]}/", params={"delete_linked": True})
    assert listed(client, {"user_id": user}) == ["I like tea."]


def test_keys_are_taken_where_mem0s_clients_show_them_and_nowhere_else(keyed: Keyed) -> None:
    token = keyed.headers("acme", "writer")["authorization"].removeprefix("Bearer ")
    shown = ({"authorization": f"Token {token}"}, {"x-api-key": token}, {"authorization": f"Bearer {token}"})
    assert [keyed.client.get("/mem0/v1/ping/", headers=headers).status_code for headers in shown] == [200] * 3
    assert [keyed.client.get("/v1/namespaces", headers=headers).status_code for headers in shown] == [401, 401, 200]
    assert keyed.client.get("/mem0/v1/ping/").status_code == 401


def test_roles_and_tenants_hold(keyed: Keyed) -> None:
    reader, writer = keyed.headers("acme", "reader"), keyed.headers("acme", "writer")
    body = {"messages": "Tea at four.", "user_id": "ada"}
    assert keyed.client.post("/mem0/memories", json=body, headers=reader).status_code == 403
    added = keyed.client.post("/mem0/memories", json=body, headers=writer).json()["results"][0]["id"]
    path = f"/mem0/memories/{added}"
    assert keyed.client.get(path, headers=reader).status_code == 200
    assert keyed.client.get(path, headers=keyed.headers("other", "admin")).status_code == 404
    assert keyed.client.delete("/mem0/v2/entities/user/ada/", headers=writer).status_code == 403
    assert keyed.client.delete("/mem0/v1/memories/?user_id=ada", headers=writer).status_code == 200
    assert keyed.client.get(path, headers=reader).status_code == 404


def test_the_self_hosted_paths_speak_of_the_same_memories(client: TestClient, user: str) -> None:
    body = {"messages": [{"role": "user", "content": "The kettle is blue."}], "user_id": user}
    (added,) = client.post("/mem0/memories", json=body).json()["results"]
    (found,) = client.post("/mem0/search", json={"query": "kettle", "user_id": user}).json()["results"]
    (shown,) = client.get("/mem0/memories", params={"user_id": user}).json()["results"]
    assert found["id"] == shown["id"] == added["id"]
    assert client.put(f"/mem0/memories/{added['id']}", json={"text": "The kettle is red."}).status_code == 200
    events = client.get(f"/mem0/memories/{added['id']}/history").json()
    assert [event["event"] for event in events] == ["ADD", "UPDATE"]
    assert client.delete("/mem0/memories", params={"user_id": user}).status_code == 200
    assert client.get("/mem0/memories", params={"user_id": user}).json() == {"results": []}


def test_what_is_erased_whole_is_noted(keyed: Keyed) -> None:
    admin = keyed.headers("acme", "admin")
    for path in ("/mem0/v1/memories/?user_id=eve", "/mem0/v2/entities/user/eve/"):
        body = {"messages": "Tea at four.", "user_id": "eve"}
        assert keyed.client.post("/mem0/memories", json=body, headers=admin).status_code == 200
        assert keyed.client.delete(path, headers=admin).status_code == 200
        newest = keyed.client.get("/v1/admin/audit", headers=admin).json()["items"][0]
        assert (newest["action"], newest["outcome"], newest["name"]) == ("erase", "ok", "acme admin")
    assert keyed.client.delete("/mem0/v2/entities/team/x/", headers=admin).status_code == 404
