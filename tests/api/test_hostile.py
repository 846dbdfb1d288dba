"""Whatever is sent, the server answers it: 2xx, or 4xx with a reason, never a crash and never a hang."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from aim_memory.settings import LimitSettings

LIMITS = LimitSettings()
# fmt: off
WORST = [
    "x", "_", "1", "1,", "9.", "$1", "+1 ", "-", ".", "a.", "x-1", "\n", "\n ", "a? ", "**a ", "[a](", "一", "二十",
]
"""Repeated to the very limit: what patterns for numbers, names, marks, lines and questions find hardest to read."""
OTHERS = [
    "é", "X", "1/", "1:", "1.", "1 000 ", "10 km ", "%", "a@", "@a.b", "/", "$", "(", '"', "#", "*", "`", "|", "\t",
    "a ", "Ab ", "is ", "I am ", "my ", "of the ", "not ", "mr. ", "at 5 ", "12:", "May ", "2026-", "的", "。", "年",
    "e\u0301", "👩‍👧", "\u200b", "\u202e", "http://", "- - ", "<a>", "{", "\\", "[", "| ", "> ", "？", "Where is it? ",
]
# fmt: on
UNITS = [*WORST, *(pytest.param(unit, marks=pytest.mark.deep) for unit in OTHERS)]


def filled(unit: str, size: int) -> str:
    """``unit`` over and over, ending in a letter, in at most ``size`` bytes."""
    return unit * ((size - 1) // len(unit.encode())) + "z"


@pytest.mark.parametrize("unit", UNITS, ids=ascii)
def test_a_text_of_one_thing_repeated_is_remembered_in_time(client: TestClient, namespace: str, unit: str) -> None:
    text = filled(unit, LIMITS.message_bytes)
    written = client.post("/v1/memories", json={"namespace": namespace, "text": text})
    assert written.status_code == 200, written.text
    question = filled(unit, LIMITS.query_bytes)
    for path in ("/v1/query", "/v1/answer"):
        reply = client.post(path, json={"namespace": namespace, "query": question})
        assert reply.status_code == 200, reply.text


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=8
)
OPERATORS = st.sampled_from(["eq", "ne", "in", "nin", "gt", "gte", "lt", "lte", "contains", "exists", "like"])
FIELDS = st.sampled_from(["speaker", "role", "timestamp", "pinned", "metadata.a", "metadata.a.b", "metadata.", "text"])
FILTERS = st.recursive(
    st.dictionaries(
        FIELDS, st.dictionaries(OPERATORS, SCALARS | st.lists(SCALARS, max_size=3), max_size=2), max_size=2
    ),
    lambda inner: st.dictionaries(
        st.sampled_from(["and", "or", "not"]), inner | st.lists(inner, max_size=3), min_size=1, max_size=2
    ),
    max_leaves=6,
)
MOMENTS = st.datetimes().map(lambda moment: moment.isoformat()) | st.sampled_from(
    ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"]
)


def body_of(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Bodies with these fields, each there or not, each as it should be or anything at all."""
    return st.fixed_dictionaries({}, optional={name: some | ANYTHING for name, some in fields.items()})


QUESTIONS = body_of(
    query=st.text(min_size=1),
    top_k=st.integers(-1, 101),
    mode=st.sampled_from(["fast", "strict", "auto"]),
    filters=FILTERS,
    session_id=st.from_regex(r"[a-z]{1,5}", fullmatch=True),
    as_of=MOMENTS,
    known_at=MOMENTS,
    reference_date=MOMENTS,
    max_tokens=st.integers(0, 2000),
    threshold=st.floats(allow_nan=False, allow_infinity=False),
    explain=st.booleans(),
)
MEMORIES = body_of(
    text=st.text(min_size=1),
    id=st.from_regex(r"[a-z]{1,3}", fullmatch=True),
    speaker=st.text(),
    role=st.text(),
    timestamp=MOMENTS,
    expires_at=MOMENTS,
    metadata=st.dictionaries(st.text(), ANYTHING, max_size=3),
    pinned=st.booleans(),
    source=st.text(),
)
often = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def survives(client: TestClient, method: str, path: str, body: Any) -> None:
    reply = client.request(method, path, json=body)
    assert reply.status_code < 500, (path, body, reply.text)
    if reply.status_code >= 400:
        assert reply.json()["detail"]


@often
@given(question=QUESTIONS | ANYTHING, known=st.booleans())
def test_no_question_breaks_it(client: TestClient, question: Any, known: bool) -> None:
    if isinstance(question, dict) and known:
        question = {"namespace": "user/hostile", "query": "when?", **question}
    survives(client, "POST", "/v1/query", question)
    survives(client, "POST", "/v1/answer", question)


@often
@given(memories=st.lists(MEMORIES, max_size=3) | ANYTHING, edit=MEMORIES | ANYTHING)
def test_no_memory_breaks_it(client: TestClient, memories: Any, edit: Any) -> None:
    survives(client, "POST", "/v1/memories", {"namespace": "user/hostile", "memories": memories})
    survives(client, "PATCH", "/v1/memories/a?namespace=user/hostile", edit)


@often
@given(namespace=st.text(), memory_id=st.text(min_size=1), cursor=st.text(), filters=st.text())
def test_no_name_breaks_it(client: TestClient, namespace: str, memory_id: str, cursor: str, filters: str) -> None:
    params = {"namespace": namespace, "cursor": cursor, "filters": filters}
    for path in ("/v1/memories", "/v1/namespaces", "/v1/sessions"):
        for some in (params, {"namespace": namespace}, {"namespace": "user/hostile", "cursor": cursor}):
            assert client.get(path, params={k: v for k, v in some.items() if v.isprintable()}).status_code < 500
    if "/" not in memory_id and memory_id.isprintable() and memory_id.strip("."):
        assert client.get(f"/v1/memories/{memory_id.replace('%', '')}").status_code < 500
