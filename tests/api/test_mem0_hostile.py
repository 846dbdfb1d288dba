"""Whatever is sent to mem0's paths, the server answers it: 2xx, or 4xx with a reason in mem0's shape."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.api.test_hostile import ANYTHING, MOMENTS, SCALARS, body_of, often

SOMEBODY = st.sampled_from(["ada", "bob", 7, "*", "", "a/b", "%00", "\x00", "\ud800", "阿达", None, 10**400])
IDS = dict.fromkeys(("user_id", "agent_id", "app_id", "run_id"), SOMEBODY)
TIMES = MOMENTS | st.sampled_from([-1e13, 1e300, 10**400, "0001-01-01", "9999-12-31", "٣", "nan", [], {}, True])
OPERATORS = st.sampled_from(["eq", "ne", "in", "nin", "gt", "gte", "lt", "lte", "contains", "icontains", "like", ""])
OPERANDS = SCALARS | st.lists(SCALARS, max_size=3) | st.just("*")
KEYS = st.sampled_from([*IDS, "metadata", "categories", "created_at", "timestamp", "role", "keywords", "a", ".", ""])
FILTERS = st.recursive(
    st.dictionaries(KEYS, OPERANDS | st.dictionaries(OPERATORS, OPERANDS, max_size=2), max_size=3),
    lambda inner: st.dictionaries(
        st.sampled_from(["AND", "OR", "NOT", "and", "metadata"]), inner | st.lists(inner, max_size=3), max_size=2
    ),
    max_leaves=6,
)
PARTS = st.dictionaries(st.sampled_from(["type", "text", "image_url"]), st.just("text") | ANYTHING, max_size=2)
MESSAGES = st.lists(
    body_of(
        role=st.sampled_from(["user", "system"]), content=st.text() | st.lists(PARTS), name=st.text(), timestamp=TIMES
    ),
    max_size=3,
)
NUMBERS = st.sampled_from([-1, 0, 1, 3, 100, 101, 2**63, 10**400])
ADDED = body_of(
    messages=MESSAGES | st.text(min_size=1),
    metadata=st.dictionaries(st.text(), ANYTHING, max_size=3),
    timestamp=TIMES,
    expiration_date=TIMES,
    immutable=st.booleans(),
    categories=st.lists(st.text(), max_size=2),
    **IDS,
)
SOUGHT = body_of(
    query=st.text(),
    filters=FILTERS,
    top_k=NUMBERS,
    limit=NUMBERS,
    page=NUMBERS,
    page_size=NUMBERS,
    threshold=st.floats(allow_nan=False, allow_infinity=False),
    reference_date=TIMES,
    start_date=TIMES,
    end_date=TIMES,
    metadata=ANYTHING,
    categories=ANYTHING,
    latest_only=st.booleans(),
    **IDS,
)
EDITED = body_of(text=st.text(), data=st.text(), metadata=ANYTHING, timestamp=TIMES, expiration_date=TIMES)


@pytest.fixture(scope="module")
def held(client: TestClient) -> str:
    """A memory that is there."""
    sent = {"messages": "The kettle is blue.", "user_id": "ada", "metadata": {"a": 1}}
    memory_id: str = client.post("/mem0/v3/memories/add/", json=sent).json()["results"][0]["id"]
    return memory_id


def survives(client: TestClient, method: str, path: str, body: Any = None, **params: Any) -> None:
    try:
        reply = client.request(method, f"/mem0{path}", json=body, params=params)
    except UnicodeEncodeError:  # half a surrogate, which no client can send
        return
    assert reply.status_code < 500, (method, path, body, params, reply.text)
    if reply.status_code >= 400:
        assert isinstance(reply.json()["detail"], str)


@often
@given(body=ADDED | ANYTHING, whose=SOMEBODY)
def test_no_addition_breaks_it(client: TestClient, body: Any, whose: Any) -> None:
    survives(client, "POST", "/v3/memories/add/", body)
    if isinstance(body, dict):
        survives(client, "POST", "/memories", {"messages": "The gate is red.", "user_id": "ada", **body})


@often
@given(body=SOUGHT | ANYTHING)
def test_no_search_breaks_it(client: TestClient, held: str, body: Any) -> None:
    sought = body
    if isinstance(body, dict):
        sought = {"query": "kettle", "filters": {"user_id": "ada"}, **body}
    for path in ("/v3/memories/search/", "/v1/memories/search/", "/v3/memories/", "/v2/memories/"):
        survives(client, "POST", path, sought)


@often
@given(body=EDITED | ANYTHING, rated=body_of(memory_id=st.text(), feedback=st.text()))
def test_no_edit_breaks_it(client: TestClient, held: str, body: Any, rated: Any) -> None:
    survives(client, "PUT", f"/v1/memories/{held}/", body)
    listed = {**body, "memory_id": held} if isinstance(body, dict) else body
    survives(client, "PUT", "/v1/batch/", {"memories": [listed]})
    survives(client, "DELETE", "/v1/batch/", {"memories": [body]})
    survives(client, "POST", "/v1/feedback/", {"memory_id": held, **rated} if rated else body)


@settings(often, suppress_health_check=list(HealthCheck))
@given(name=st.text(min_size=1), whose=st.dictionaries(st.sampled_from([*IDS, "page", "limit", "filters"]), st.text()))
def test_no_name_breaks_it(client: TestClient, name: str, whose: dict[str, str]) -> None:
    if name.isprintable() and not set(name) & set("?#"):
        for method, path in (
            ("GET", f"/v1/memories/{name}/"),
            ("GET", f"/memories/{name}/history"),
            ("DELETE", f"/memories/{name}"),
            ("DELETE", f"/v2/entities/user/{name}/"),
            ("DELETE", f"/v2/entities/{name}/ada-who-is-nobody/"),
        ):
            survives(client, method, path)
    survives(client, "GET", "/v1/memories/", **whose)
    survives(client, "DELETE", "/v1/memories/", **{**whose, "run_id": "a-run-that-never-was"})
