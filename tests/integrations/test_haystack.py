"""Haystack's own tests of document stores, inherited whole, and what they do not ask; over HTTP and in a folder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from secrets import token_hex
from typing import Any

import pytest

from aim_memory.errors import InvalidInputError
from aim_memory.integrations.memory import Memory

pytest.importorskip("haystack", reason="pip install 'aim-memory[haystack]'")

from haystack import Pipeline
from haystack.components.builders import PromptBuilder
from haystack.dataclasses import ByteStream, Document
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy
from haystack.errors import FilterError
from haystack.testing import document_store as standard
from haystack.utils import Secret

from aim_memory.integrations.haystack import AIMDocumentStore, AIMRetriever


@pytest.fixture
def document_store(memory: Memory) -> AIMDocumentStore:
    return AIMDocumentStore(f"test/{token_hex(8)}", memory=memory)


# Older versions ask less.
Suite: Any = getattr(standard, "DocumentStoreBaseExtendedTests", standard.DocumentStoreBaseTests)


class TestStandard(Suite):  # type: ignore[misc]
    """Haystack's suite."""

    @pytest.fixture
    def document_store(self, memory: Memory) -> AIMDocumentStore:
        return AIMDocumentStore(f"test/{token_hex(8)}", memory=memory)

    @staticmethod
    def assert_documents_are_equal(received: list[Document], expected: list[Document]) -> None:
        """The store embeds by itself, and gives no embeddings back."""
        assert received == [replace(document, embedding=None) for document in expected]

    def test_write_documents(self, document_store: AIMDocumentStore) -> None:
        """Haystack leaves the default to each store; ours fails on what is there."""
        assert document_store.write_documents([Document(id="1", content="test doc")]) == 1
        with pytest.raises(DuplicateDocumentError, match="1"):
            document_store.write_documents([Document(id="1", content="other"), Document(id="2", content="new")])
        assert [document.id for document in document_store.filter_documents()] == ["1", "2"]


DOCUMENTS = [
    Document(id="launch", content="The launch is on 14 May.", meta={"topic": "work", "year": 2026}),
    Document(id="猫 / 1", content="我的猫叫饼干。", meta={"topic": "home", "tags": ["cat"], "at": {"city": "Oslo"}}),
    Document(id="party", content="The launch party is on a boat.", meta={"topic": "fun", "year": 2025}),
]


def test_what_bears_on_a_question_is_retrieved(document_store: AIMDocumentStore) -> None:
    document_store.write_documents(DOCUMENTS)
    retriever = AIMRetriever(document_store, top_k=1)
    (found,) = retriever.run("When is the launch?")["documents"]
    assert found.score
    assert replace(found, score=None) == DOCUMENTS[0]
    (cat,) = asyncio.run(retriever.run_async("我的猫叫什么？"))["documents"]
    assert cat.id == "猫 / 1"
    topic = {"field": "meta.topic", "operator": "in", "value": ["fun", "home"]}
    assert [one.id for one in retriever.run("When is the launch?", filters=topic)["documents"]] == ["party"]
    year = {"operator": "NOT", "conditions": [{"field": "meta.year", "operator": ">", "value": 2025}]}
    assert [one.id for one in retriever.run("launch", filters=year, top_k=5)["documents"]] == ["party", "猫 / 1"]
    assert retriever.run(" ")["documents"] == []


@pytest.mark.parametrize(
    "narrow",
    [
        {"field": "meta.at.city", "operator": "==", "value": "Oslo"},
        {"field": "meta.topic", "operator": "!=", "value": "work"},
        {"field": "meta.year", "operator": "not in", "value": [2026]},
        {"field": "content", "operator": "==", "value": "我的猫叫饼干。"},
        {"field": "meta.year", "operator": "==", "value": None},
        {
            "operator": "AND",
            "conditions": [
                {"field": "id", "operator": "!=", "value": "launch"},
                {"operator": "OR", "conditions": [{"field": "meta.year", "operator": "<=", "value": 2026}] * 30},
            ],
        },
        {"operator": "NOT", "conditions": [{"operator": "NOT", "conditions": [{"operator": "NOT", "conditions": [
            {"operator": "NOT", "conditions": [{"field": "meta.topic", "operator": "==", "value": "fun"}]}]}]}]},
    ],
)  # fmt: skip
def test_ranking_and_listing_agree_on_filters(document_store: AIMDocumentStore, narrow: dict[str, Any]) -> None:
    document_store.write_documents(DOCUMENTS)
    listed = {document.id for document in document_store.filter_documents(narrow)}
    assert listed
    assert {document.id for document in document_store.retrieve("launch 猫", filters=narrow)} == listed
    assert document_store.count_documents_by_filter(narrow) == len(listed)


def test_other_doors_memories_are_documents_too(memory: Memory) -> None:
    memory.write(namespace="test/shared", memories=[{"text": "I live in Oslo.", "metadata": {"topic": "home"}}])
    store = AIMDocumentStore("test/shared", memory=memory)
    home = {"field": "meta.topic", "operator": "==", "value": "home"}
    (listed,), (found,) = store.filter_documents(home), store.retrieve("Where do I live?", filters=home)
    assert (listed.content, listed.meta["topic"], found.id) == ("I live in Oslo.", "home", listed.id)
    assert store.update_by_filter(home, {"topic": "work"}) == 0  # what others wrote is not rewritten
    assert store.delete_by_filter(home) == 1
    assert store.count_documents() == 0


def test_documents_come_back_as_they_were(document_store: AIMDocumentStore) -> None:
    documents = [
        Document(id="blob", blob=ByteStream(b"\x00\xff", meta={"name": "x"}, mime_type="image/png"), meta={"a": "b"}),
        Document(id="empty", content=""),
        Document(id="nothing"),
        Document(id="long", content="word " * 6000, meta={"n": 1.5, "deep": [{"x": None}]}),
    ]
    assert asyncio.run(document_store.write_documents_async(documents)) == 4
    assert asyncio.run(document_store.filter_documents_async()) == documents
    assert asyncio.run(document_store.count_documents_async()) == 4


def test_overwriting_keeps_what_is_not_named(document_store: AIMDocumentStore) -> None:
    document_store.write_documents(DOCUMENTS)
    new = Document(id="launch", content="The launch moved to 20 May.", meta={"topic": "work"})
    assert document_store.write_documents([new, DOCUMENTS[1]], DuplicatePolicy.OVERWRITE) == 2
    assert document_store.filter_documents() == [new, *DOCUMENTS[1:]]
    assert document_store.write_documents([DOCUMENTS[0], Document(id="x", content="x")], DuplicatePolicy.SKIP) == 1


REFUSED: list[tuple[Document, str]] = [
    (Document(id="1", content="x" * 40_000), "text"),
    (Document(id="1", content="x", meta={"large": "x" * 20_000}), "meta and blob"),
    (Document(id="1", content="x", meta={"odd": float("nan")}), "JSON"),
    (Document(id="1", content="x", meta={"odd": {1, 2}}), "JSON"),
]


@pytest.mark.parametrize("policy", list(DuplicatePolicy))
@pytest.mark.parametrize(("document", "said"), REFUSED, ids=["text", "meta", "nan", "set"])
def test_what_cannot_be_held_is_refused(
    document_store: AIMDocumentStore, policy: DuplicatePolicy, document: Document, said: str
) -> None:
    with pytest.raises(InvalidInputError, match=said):
        document_store.write_documents([document], policy)
    assert document_store.count_documents() == 0


def test_filters_that_are_none_are_refused_before_anything_is_stored(document_store: AIMDocumentStore) -> None:
    assert document_store.filter_documents({}) == []
    looks: list[Callable[[Any], Any]] = [
        document_store.filter_documents,
        document_store.delete_by_filter,
        lambda filters: document_store.retrieve("x", filters=filters),
    ]
    for look in looks:
        with pytest.raises(ValueError):
            look({"topic": "work"})
        with pytest.raises(FilterError):
            look({"operator": "AND"})
        with pytest.raises(FilterError):
            look({"field": "meta.x", "operator": "~", "value": 1})


def test_a_pipeline_is_saved_without_its_key(url: str) -> None:
    store = AIMDocumentStore("test/saved", url=url, api_key=Secret.from_env_var("SOME_KEY", strict=False))
    pipeline = Pipeline()
    pipeline.add_component("memory", AIMRetriever(store, top_k=3, session_id="monday"))
    retriever = AIMRetriever.from_dict(json.loads(json.dumps(pipeline.get_component("memory").to_dict())))
    assert (retriever.top_k, retriever.session_id) == (3, "monday")
    assert retriever.document_store.to_dict() == store.to_dict()
    assert "SOME_KEY" in pipeline.dumps()
    with pytest.raises(ValueError):
        AIMDocumentStore("test/saved", url=url, api_key=Secret.from_token("aim_secret")).to_dict()


def test_a_retriever_connects_to_what_gives_a_text(document_store: AIMDocumentStore) -> None:
    pipeline = Pipeline()
    pipeline.add_component("question", PromptBuilder("{{ words }}", required_variables=["words"]))
    pipeline.add_component("memory", AIMRetriever(document_store))
    pipeline.connect("question.prompt", "memory.query")
    document_store.write_documents(DOCUMENTS)
    found = pipeline.run({"question": {"words": "When is the launch?"}})["memory"]["documents"]
    assert found[0].id == "launch"


def test_a_store_on_a_given_memory_says_that_it_cannot_be_saved(document_store: AIMDocumentStore) -> None:
    with pytest.raises(InvalidInputError, match="url"):
        document_store.to_dict()
