"""The LangGraph store, over HTTP: what its own suite does not ask."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aim_memory import Client, LimitExceededError

pytest.importorskip("langgraph", reason="pip install 'aim-memory[langgraph]'")

from langgraph.store.base import GetOp, InvalidNamespaceError, PutOp

from aim_memory.integrations.langgraph import AIMStore

SPACE = ("user", "ada")


@pytest.fixture
def store(client: Client, root: str) -> AIMStore:
    return AIMStore(client, root=(root,))


def keys(items: Any) -> list[str]:
    return [item.key for item in items]


def test_what_a_graph_puts_is_found_by_every_other_door(client: Client) -> None:
    store = AIMStore(client)
    store.put(("user", "bea"), "food", {"text": "Bea is allergic to peanuts."})
    (hit,) = client.query("What may Bea not eat?", namespace="user/bea").results
    assert (hit.id, hit.text) == ("food", "Bea is allergic to peanuts.")
    written = client.write("Bea moved to Oslo.", namespace="user/bea").results[0].id
    (found, *_) = store.search(("user", "bea"), query="Who moved to Oslo?")
    assert (found.key, found.value) == (written, {"text": "Bea moved to Oslo."})
    client.forget("user/bea")


def test_any_key_label_and_value_comes_back_as_it_went_in(store: AIMStore) -> None:
    values = [
        {},
        {"text": ""},
        {"深": {"nested": [1, 2.5, None, True, {"a": "/%"}]}},
        {"long": "line\n" * 4000},
        {"number": 2**53 - 1, "none": None},
    ]
    odd = ["k", "key:x", "a/b", "  ", "这是", "x" * 300, "%2F", "..", "é\n"]
    for namespace in [("a/b", "c%2F"), (" space ", "x\ny"), ("用户", "*")]:
        for key, value in zip(odd, values * 2, strict=False):
            store.put(namespace, key, value)
        for key, value in zip(odd, values * 2, strict=False):
            item = store.get(namespace, key)
            assert item is not None
            assert (item.namespace, item.key, item.value) == (namespace, key, value)
        assert set(keys(store.search(namespace, limit=100))) == set(odd)
    assert len(store.list_namespaces()) == 3


def test_a_value_beyond_the_server_s_limit_is_refused_not_cut(store: AIMStore) -> None:
    with pytest.raises(LimitExceededError, match="at most"):
        store.put(SPACE, "big", {"text": "x" * 100_000})
    assert store.get(SPACE, "big") is None


def test_putting_again_replaces_and_keeps_history_and_birth(store: AIMStore, client: Client, root: str) -> None:
    store.put(SPACE, "home", {"text": "I live in Oslo."})
    before = store.get(SPACE, "home")
    store.put(SPACE, "home", {"text": "I live in Rome."})
    after = store.get(SPACE, "home")
    assert before is not None
    assert after is not None
    assert after.created_at == before.created_at < after.updated_at
    history = client.history("home", namespace=f"{root}/user/ada").versions
    assert [version.text for version in history] == ["I live in Oslo.", "I live in Rome."]


def test_a_batch_of_new_and_known_keys_is_written_whole(store: AIMStore) -> None:
    store.put(SPACE, "k3", {"text": "old"})
    store.batch([PutOp(SPACE, f"k{i}", {"text": f"number {i}"}) for i in range(150)])
    assert [item.value["text"] for item in store.search(SPACE, limit=200, filter={"text": "number 3"})] == ["number 3"]
    assert len(store.search(SPACE, limit=200)) == 150


def test_a_batch_larger_than_a_request_is_several(store: AIMStore) -> None:
    store.batch([PutOp(SPACE, f"k{i}", {"text": f"{i} " + "x" * 13_000}) for i in range(60)])
    assert len(store.search(SPACE, limit=100)) == 60


def test_a_lifetime_ends_and_reading_renews_it(client: Client, root: str) -> None:
    now = datetime.now(UTC)
    early = AIMStore(client, root=(root,), ttl={"default_ttl": 10.0}, now=lambda: now - timedelta(minutes=11))
    early.put(SPACE, "gone", {"text": "it is raining"})
    assert early.get(SPACE, "gone") is None
    assert early.search(SPACE, query="rain") == []
    assert early.list_namespaces() == [] or early.search(SPACE) == []

    half = AIMStore(client, root=(root,), ttl={"default_ttl": 10.0}, now=lambda: now - timedelta(minutes=5))
    half.put(SPACE, "kept", {"text": "it is raining"})
    store = AIMStore(client, root=(root,), now=lambda: now)

    def end() -> datetime | None:
        return client.get("kept", namespace=f"{root}/user/ada").expires_at

    store.get(SPACE, "kept", refresh_ttl=False)
    assert end() == now + timedelta(minutes=5)
    assert keys(store.search(SPACE, query="rain")) == ["kept"]
    assert end() == now + timedelta(minutes=10)
    version = client.get("kept", namespace=f"{root}/user/ada").version
    store.get(SPACE, "kept")  # fresh enough: no write
    assert client.get("kept", namespace=f"{root}/user/ada").version == version


def test_filters_narrow_before_ranking_and_large_values_too(store: AIMStore) -> None:
    for i in range(120):
        store.put(SPACE, f"red{i}", {"text": f"a red apple {i}", "colour": "red", "size": i})
    store.put(SPACE, "green", {"text": "something green", "colour": "green", "tags": ["x"], "size": 7})
    store.put(SPACE, "large", {"text": "green " * 3000, "colour": "green", "tags": ["x"], "size": 8})
    assert set(keys(store.search(SPACE, query="a red apple", filter={"colour": "green"}))) == {"green", "large"}
    assert keys(store.search(SPACE, filter={"size": {"$gt": 6, "$lt": 8}, "tags": ["x"]})) == ["green"]
    assert keys(store.search(SPACE, filter={"colour": {"$ne": "red"}, "size": {"$gte": 8}})) == ["large"]
    store.put(SPACE, "deep", {"user": {"name": "Ada"}, "a.b": 1})
    assert keys(store.search(SPACE, filter={"user.name": "Ada"})) == ["deep"]
    assert keys(store.search(SPACE, filter={"user": {"name": "Ada"}, "a.b": {"$lte": 1}})) == ["deep"]
    with pytest.raises(ValueError, match=r"Unsupported operator: \$regex"):
        store.search(SPACE, filter={"text": {"$regex": ".*"}})


def test_pages_of_a_question_are_pages_of_one_order(store: AIMStore) -> None:
    for i in range(130):
        store.put(
            ("user", f"{i % 3}"), f"k{i}", {"text": f"the meeting is on day {i}"}, index=None if i % 10 else False
        )
    whole = [(item.namespace, item.key) for item in store.search(("user",), query="When is the meeting?", limit=200)]
    assert len(set(whole)) == len(whole) == 130
    pages = [
        (item.namespace, item.key)
        for offset in range(0, 130, 40)
        for item in store.search(("user",), query="When is the meeting?", limit=40, offset=offset)
    ]
    assert pages == whole


def test_a_label_that_is_none_is_refused_in_a_batch_too(store: AIMStore) -> None:
    for label in ("a.b", "", "\x00", 7):
        with pytest.raises(InvalidNamespaceError, match="is no label"):
            store.batch([GetOp(("user", label), "k")])  # type: ignore[arg-type]


def test_one_s_root_is_all_one_sees(client: Client, root: str) -> None:
    mine, yours = AIMStore(client, root=(root, "a")), AIMStore(client, root=(root, "ab"))
    yours.put(SPACE, "k", {"text": "the code is 4711"})
    assert mine.search((), query="code") == []
    assert mine.list_namespaces() == []
    assert yours.list_namespaces(prefix=("user",)) == [SPACE]


def test_awaiting_does_the_same(store: AIMStore) -> None:
    async def conversation() -> Any:
        await asyncio.gather(*(store.aput(SPACE, f"k{i}", {"text": f"fact {i}"}) for i in range(10)))
        await store.adelete(SPACE, "k0")
        return await store.asearch(SPACE, limit=20)

    assert sorted(keys(asyncio.run(conversation()))) == [f"k{i}" for i in range(1, 10)]
