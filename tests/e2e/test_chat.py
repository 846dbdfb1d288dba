"""Chats through the engine: where notes stand from turn to turn, what is remembered, what is let go."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from aim_memory import assemble
from aim_memory.bodies import AnswerEvent, AnswerRequest, WriteRequest
from aim_memory.embedded import LOCAL_TENANT
from aim_memory.engine import Chat, MemoryEngine
from aim_memory.engine.remembering import Remembering
from aim_memory.errors import GeneratorError, GeneratorRefusedError, NotFoundError
from aim_memory.llm.scripted import Reply, ScriptedChat, ScriptedGenerator
from aim_memory.settings import EmbedderSettings, Settings
from aim_memory.types import Prompt, Space

NAMESPACE = "user/ada"
FACTS = [
    "Ada keeps her bicycle in the shed behind the bakery.",
    "The bicycle lock has the code 4471.",
    "Ada's rent is 900 euros a month.",
    "The landlord of the flat is Mr Ferreira.",
    "Ada's dentist is Dr Sousa in the Rua Augusta.",
]
QUESTIONS = [
    "Where does Ada keep her bicycle?",
    "And what is the code of the bicycle lock?",
    "What is the rent of Ada's flat?",
    "Who is the landlord of the flat?",
]


@pytest.fixture
def model() -> ScriptedChat:
    return ScriptedChat()


@pytest.fixture
def generator() -> ScriptedGenerator:
    return ScriptedGenerator(["Ada keeps it in the shed [1]."])


@pytest.fixture
def engine(tmp_path: Path, model: ScriptedChat, generator: ScriptedGenerator) -> Iterator[MemoryEngine]:
    parts = assemble.open_parts(Settings(home=tmp_path, embedder=EmbedderSettings(kind="hashing")))
    opened = MemoryEngine(replace(parts, chat=model, generators={"scripted": generator}))
    for fact in FACTS:
        opened.write(LOCAL_TENANT, WriteRequest(namespace=NAMESPACE, text=fact))
    yield opened
    opened.close()


def chat(engine: MemoryEngine, messages: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """The whole reply."""
    asked = Chat(
        {"model": "scripted", "messages": messages}, NAMESPACE, **{"remember": False, "max_tokens": 40, **more}
    )

    async def ask() -> dict[str, Any]:
        async with aclosing(engine.chat(LOCAL_TENANT, asked)) as replies:
            return await anext(replies)

    return asyncio.run(ask())


def conversation(engine: MemoryEngine, model: ScriptedChat) -> list[list[dict[str, Any]]]:
    """What the model was sent at each turn of one chat."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": "Be brief."}]
    for question in QUESTIONS:
        messages.append({"role": "user", "content": question})
        reply = chat(engine, messages)
        messages.append({"role": "assistant", "content": reply["choices"][0]["message"]["content"]})
    return [body["messages"] for body in model.bodies]


def test_a_chat_that_comes_back_begins_as_it_did(engine: MemoryEngine, model: ScriptedChat) -> None:
    turns = conversation(engine, model)
    for before, after in pairwise(turns):
        assert after[: len(before)] == before


def test_no_memory_is_said_twice_in_one_chat(engine: MemoryEngine, model: ScriptedChat) -> None:
    last = str(conversation(engine, model)[-1])
    assert all(last.count(fact) <= 1 for fact in FACTS[:4])
    assert sum(fact in last for fact in FACTS[:4]) >= 3
    assert last.count("quoted material") == 1


def test_numbers_go_on_through_the_chat(engine: MemoryEngine, model: ScriptedChat) -> None:
    last = "\n".join(str(message["content"]) for message in conversation(engine, model)[-1])
    numbers = [int(part.split(",")[0]) for part in last.split('{"number": ')[1:]]
    assert numbers == list(range(1, len(numbers) + 1))


def test_what_was_erased_since_is_not_sent_again(engine: MemoryEngine, model: ScriptedChat) -> None:
    messages = [{"role": "user", "content": QUESTIONS[0]}]
    (found,) = (hit for hit in chat(engine, messages)["aim_memory"]["results"] if hit["text"] == FACTS[0])
    assert FACTS[0] in str(model.bodies[-1])
    engine.delete(LOCAL_TENANT, found["id"])
    chat(engine, [*messages, {"role": "assistant", "content": "Fine."}, {"role": "user", "content": QUESTIONS[2]}])
    assert FACTS[0] not in str(model.bodies[-1])


def test_what_the_chat_says_itself_is_not_said_again(engine: MemoryEngine, model: ScriptedChat) -> None:
    chat(engine, [{"role": "user", "content": f"{FACTS[0]} Where is that bakery?"}])
    assert str(model.bodies[-1]).count(FACTS[0]) == 1


def test_notes_of_earlier_turns_go_when_they_are_too_many(engine: MemoryEngine, model: ScriptedChat) -> None:
    messages: list[dict[str, Any]] = []
    for question in QUESTIONS:
        messages += [{"role": "user", "content": question}]
        chat(engine, messages, max_tokens=8)
        messages += [{"role": "assistant", "content": "Fine."}]
    assert sum(fact in str(model.bodies[-1]) for fact in FACTS) <= 3


def test_values_that_nothing_holds_are_named(engine: MemoryEngine, model: ScriptedChat) -> None:
    model.said = "The rent is 900 euros, in all 950 euros with the 17 of yours."
    reply = chat(engine, [{"role": "user", "content": "I pay 17 euros for water. What is Ada's rent?"}])
    known = reply["aim_memory"]["verification"]
    assert known["unsupported"] == ["950 euros"]
    assert "900 euros" in known["supported"]


def test_a_finished_exchange_is_remembered_once(engine: MemoryEngine, model: ScriptedChat) -> None:
    chat(engine, [{"role": "user", "content": "My cat is called Figo."}], remember=True, session_id="s")
    texts = [memory.text for memory in engine.list(LOCAL_TENANT, NAMESPACE, session_id="s").items]
    assert texts == ["My cat is called Figo.", "So it is."]


def test_an_exchange_gets_its_vectors_behind(engine: MemoryEngine) -> None:
    chat(engine, [{"role": "user", "content": "My cat is called Figo."}], remember=True, session_id="s")
    engine.flush()
    memories = engine.list(LOCAL_TENANT, NAMESPACE, session_id="s").items
    assert [memory.indexing for memory in memories] == ["ready", "ready"]


def test_a_store_that_is_held_delays_no_reply(engine: MemoryEngine) -> None:
    exchange = WriteRequest(namespace=NAMESPACE, text="My cat is called Figo.")
    remembering = Remembering(engine._parts, engine._writing, patience_s=0.0)
    with engine.store.begin(Space(LOCAL_TENANT, NAMESPACE)):
        assert "not remembered yet" in str(remembering.keep(LOCAL_TENANT, exchange, None))
    remembering.close()
    assert "My cat is called Figo." in [memory.text for memory in engine.list(LOCAL_TENANT, NAMESPACE).items]


def test_a_reply_says_when_its_exchange_cannot_be_remembered(engine: MemoryEngine) -> None:
    told = chat(engine, [{"role": "user", "content": "All of it. " * 4000}], remember=True)["aim_memory"]
    assert (told["remembered"], told["degraded"]) == (False, True)
    assert "Not all of the exchange is remembered: text" in told["reason"]


def test_closing_waits_for_what_is_still_to_be_remembered(engine: MemoryEngine, tmp_path: Path) -> None:
    for number in range(20):
        chat(engine, [{"role": "user", "content": f"Note number {number}."}], remember=True)
    engine.close()
    again = assemble.open_engine(Settings(home=tmp_path, embedder=EmbedderSettings(kind="hashing")))
    texts = [memory.text for memory in again.list(LOCAL_TENANT, NAMESPACE, limit=100).items]
    again.close()
    assert [f"Note number {number}." in texts for number in range(20)] == [True] * 20


def test_of_what_is_left_the_user_s_turn_is_kept_and_of_what_fails_nothing(
    engine: MemoryEngine, model: ScriptedChat
) -> None:
    async def leave() -> None:
        body = {"model": "scripted", "messages": [{"role": "user", "content": "I leave early."}], "stream": True}
        async with aclosing(engine.chat(LOCAL_TENANT, Chat(body, NAMESPACE))) as chunks:
            await anext(chunks)

    asyncio.run(leave())
    model.failure = GeneratorError("down")
    with pytest.raises(GeneratorError, match="down"):
        chat(engine, [{"role": "user", "content": "Zebra quagga okapi?"}], remember=True, fall_back=False)
    engine.flush()
    texts = [memory.text for memory in engine.list(LOCAL_TENANT, NAMESPACE, limit=100).items]
    assert texts == [*FACTS, "I leave early."]


def test_quotes_stand_in_only_where_they_can(engine: MemoryEngine, model: ScriptedChat) -> None:
    model.failure = GeneratorError("down")
    messages = [{"role": "user", "content": QUESTIONS[0]}]
    assert FACTS[0] in chat(engine, messages)["choices"][0]["message"]["content"]
    body = {"model": "scripted", "messages": messages}
    for shaped in ({"tools": [{}]}, {"response_format": {"type": "json_object"}}, {"n": 2}, {"logprobs": True}):
        with pytest.raises(GeneratorError, match="down"):
            asyncio.run(anext(engine.chat(LOCAL_TENANT, Chat({**body, **shaped}, NAMESPACE))))
    with pytest.raises(GeneratorError, match="down"):  # there is nothing to quote
        chat(engine, [{"role": "user", "content": "Zebra quagga okapi?"}])


def test_a_refusal_is_the_callers_own(engine: MemoryEngine, model: ScriptedChat) -> None:
    model.failure = GeneratorRefusedError("temperature is too hot", field="temperature")
    with pytest.raises(GeneratorRefusedError, match="too hot"):
        chat(engine, [{"role": "user", "content": QUESTIONS[0]}])
    assert len(model.bodies) == 2  # with notes, and without
    with pytest.raises(NotFoundError):
        asyncio.run(anext(engine.chat(LOCAL_TENANT, Chat({"model": "none", "messages": []}))))


# --- answers as they come ---------------------------------------------------------------------------------------


def test_each_sentence_is_cited_and_checked_before_the_next_is_over(
    engine: MemoryEngine, generator: ScriptedGenerator
) -> None:
    generator._replies = [Reply("The lock has the code 4471. It cost 950 euros in a shop. Fine.")]

    async def listen() -> list[AnswerEvent]:
        request = AnswerRequest(namespace=NAMESPACE, query=QUESTIONS[1], stream=True)
        return [event async for event in engine.stream_answer(LOCAL_TENANT, request)]

    events = asyncio.run(listen())
    names = [event.event for event in events if event.event != "delta"]
    assert names == ["context", "citation", "verification", "verification", "verification", "verification", "done"]
    first, second, third, whole = (event.body for event in events if event.event == "verification")
    assert (first["supported"], first["start"], first["end"]) == (["4471"], 0, 27)
    assert second["unsupported"] == ["950 euros"]
    assert (third["supported"], third["unsupported"]) == ([], [])
    assert whole == {"supported": ["4471"], "unsupported": ["950 euros"]}
    said = [event.body.get("text", event.event) for event in events]
    assert said.index("verification") < said.index(" 950")
    assert "[unverified]" in events[-1].body["answer"]


# --- answers in a session ---------------------------------------------------------------------------------------


def asked(engine: MemoryEngine, generator: ScriptedGenerator, question: str, **more: Any) -> Prompt:
    request = AnswerRequest(namespace=NAMESPACE, query=question, **{"session_id": "s", **more})
    asyncio.run(engine.answer(LOCAL_TENANT, request))
    return generator.prompts[-1]


def test_prompts_of_a_session_begin_alike(engine: MemoryEngine, generator: ScriptedGenerator) -> None:
    first, second = (asked(engine, generator, question).messages[1].content for question in QUESTIONS[:2])
    fence = second.index("</memories")
    shared = next(place for place, pair in enumerate(zip(first, second, strict=False)) if len(set(pair)) == 2)
    assert first.startswith("<memories-")
    assert shared > 0.6 * fence
    other = asked(engine, generator, QUESTIONS[0], session_id="t").messages[1].content
    assert other.splitlines()[0] != first.splitlines()[0]


def test_a_narrowed_question_sees_nothing_of_the_turn_before(
    engine: MemoryEngine, generator: ScriptedGenerator
) -> None:
    asked(engine, generator, QUESTIONS[0])
    narrowed = asked(engine, generator, QUESTIONS[1], filters={"session_id": {"eq": "elsewhere"}})
    assert narrowed.listed == ()


def test_the_number_in_a_citation_is_the_number_in_the_prompt(
    engine: MemoryEngine, generator: ScriptedGenerator
) -> None:
    request = AnswerRequest(namespace=NAMESPACE, query=QUESTIONS[0])
    reply = asyncio.run(engine.answer(LOCAL_TENANT, request))
    first = generator.prompts[-1].listed[0]
    assert [citation.memory_id for citation in reply.citations] == [first.memory_id]


def test_erasing_a_namespace_forgets_what_its_prompts_held(engine: MemoryEngine, generator: ScriptedGenerator) -> None:
    asked(engine, generator, QUESTIONS[0])
    engine.erase(LOCAL_TENANT, NAMESPACE)
    assert asked(engine, generator, QUESTIONS[0]).listed == ()
