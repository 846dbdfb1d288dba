"""LangChain's own standard tests of retrievers, and what it expects of a chat history, over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aim_memory import Client

pytest.importorskip("langchain_core", reason="pip install 'aim-memory[langchain]'")
standard = pytest.importorskip("langchain_tests.integration_tests", reason="pip install langchain-tests")

from langchain_core.messages import (  # noqa: E402
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from aim_memory.integrations.langchain import AIMChatMessageHistory, AIMRetriever  # noqa: E402


class TestStandard(standard.RetrieversIntegrationTests):  # type: ignore[misc]
    """langchain-tests' suite, inherited whole."""

    @pytest.fixture(autouse=True)
    def _memories(self, client: Client, root: str) -> None:
        self._params = {"memory": client, "namespace": f"{root}/user/ada"}
        texts = ["The launch is on 14 May.", "I live in Oslo.", "My cat is called Biscuit.", "Rent is 1,250 euros."]
        client.write(namespace=f"{root}/user/ada", memories=[{"text": text} for text in texts])

    @property
    def retriever_constructor(self) -> type[AIMRetriever]:
        return AIMRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return self._params

    @property
    def retriever_query_example(self) -> str:
        return "When is the launch?"


def test_a_document_says_where_it_comes_from(client: Client, root: str) -> None:
    namespace = f"{root}/user/ada"
    memories = [
        {"text": "The launch is on 14 May.", "speaker": "Ada", "metadata": {"topic": "work"}},
        {"text": "The launch party is on a boat.", "metadata": {"topic": "fun"}},
    ]
    ids = [result.id for result in client.write(namespace=namespace, memories=memories).results]
    retriever = AIMRetriever(memory=client, namespace=namespace, k=1)
    (document,) = retriever.invoke("When is the launch?")
    assert (document.id, document.page_content) == (ids[0], "The launch is on 14 May.")
    assert document.metadata["topic"] == "work"
    assert document.metadata["speaker"] == "Ada"
    assert document.metadata["score"] > 0
    other = AIMRetriever(memory=client, namespace=namespace, filters={"metadata.topic": {"eq": "fun"}})
    assert [document.id for document in other.invoke("When is the launch?")] == ids[1:]


def messages() -> list[BaseMessage]:
    return [
        SystemMessage("Be brief."),
        HumanMessage("你好，我叫李明。", name="li"),
        HumanMessage([{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "x"}}]),
        AIMessage("", tool_calls=[{"name": "look", "args": {"at": "x"}, "id": "1"}]),
        ToolMessage("a cat " * 4000, tool_call_id="1"),
        AIMessage("A cat."),
        HumanMessage("yes"),
        HumanMessage("yes"),
    ]


def test_a_history_gives_back_every_message_as_it_was(client: Client, root: str) -> None:
    history = AIMChatMessageHistory(client, namespace=f"{root}/user/ada", session_id="on monday / 1")
    assert history.messages == []
    history.add_messages(messages())
    history.add_user_message("bye")
    again = AIMChatMessageHistory(client, namespace=f"{root}/user/ada", session_id="on monday / 1")
    assert again.messages == [*messages(), HumanMessage("bye")]
    last = AIMChatMessageHistory(client, namespace=f"{root}/user/ada", session_id="on monday / 1", limit=2)
    assert last.messages == [HumanMessage("yes"), HumanMessage("bye")]


def test_conversations_are_apart_and_all_are_remembered(client: Client, root: str) -> None:
    namespace = f"{root}/user/ada"
    monday = AIMChatMessageHistory(client, namespace=namespace, session_id="monday")
    tuesday = AIMChatMessageHistory(client, namespace=namespace, session_id="tuesday")
    asyncio.run(monday.aadd_messages([HumanMessage("My dentist is Dr. Okafor.")]))
    asyncio.run(tuesday.aadd_messages([HumanMessage("Hello.")]))
    client.write("A note.", namespace=namespace, session_id="tuesday")
    assert asyncio.run(tuesday.aget_messages()) == [HumanMessage("Hello.")]
    (found,) = AIMRetriever(memory=client, namespace=namespace, k=1).invoke("Who is my dentist?")
    assert found.page_content == "My dentist is Dr. Okafor."
    asyncio.run(monday.aclear())
    assert monday.messages == []
    assert tuesday.messages == [HumanMessage("Hello.")]
