"""Answers as JSON: the shape reaches the model, values are checked, and nothing of another shape stands in silently."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from aim_memory import assemble
from aim_memory.answer import ExtractiveGenerator
from aim_memory.bodies import AnswerReply, AnswerRequest, WriteRequest
from aim_memory.embedded import LOCAL_TENANT
from aim_memory.engine import MemoryEngine
from aim_memory.llm.scripted import Reply, ScriptedGenerator
from aim_memory.settings import EmbedderSettings, Settings

NAMESPACE = "user/ada"
SHAPE = {"type": "json_schema", "json_schema": {"name": "rent", "schema": {"type": "object"}}}
GOOD = json.dumps({"rent": 900, "landlord": "Mr Ferreira", "paid": True})


@pytest.fixture
def generator() -> ScriptedGenerator:
    return ScriptedGenerator([GOOD])


@pytest.fixture
def engine(tmp_path: Path, generator: ScriptedGenerator) -> Iterator[MemoryEngine]:
    parts = assemble.open_parts(Settings(home=tmp_path, embedder=EmbedderSettings(kind="hashing")))
    known = {"scripted": generator, "extractive": ExtractiveGenerator()}
    opened = MemoryEngine(replace(parts, generators=known))
    for text in ("Ada's rent is 900 euros a month.", "The landlord of the flat is Mr Ferreira."):
        opened.write(LOCAL_TENANT, WriteRequest(namespace=NAMESPACE, text=text))
    yield opened
    opened.close()


def ask(engine: MemoryEngine, **more: Any) -> AnswerReply:
    request = AnswerRequest(
        namespace=NAMESPACE,
        query="What is the rent of Ada's flat, and who is the landlord?",
        response_format=SHAPE,
        **more,
    )
    return asyncio.run(engine.answer(LOCAL_TENANT, request))


def test_the_shape_reaches_the_model_and_the_value_comes_back(
    engine: MemoryEngine, generator: ScriptedGenerator
) -> None:
    reply = ask(engine)
    assert generator.prompts[0].response_format == SHAPE
    assert generator.prompts[0].messages[-1].content.endswith("without numbers in square brackets.")
    assert reply.parsed == {"rent": 900, "landlord": "Mr Ferreira", "paid": True}
    assert (reply.answer, reply.abstained, reply.degraded) == (GOOD, False, False)
    assert reply.verification.unsupported == []
    assert "Ferreira" in " ".join(reply.verification.supported)
    assert [citation.quote for citation in reply.citations] == ["900", "Mr Ferreira"]


def test_values_that_nothing_holds_are_named_and_the_shape_stays(
    engine: MemoryEngine, generator: ScriptedGenerator
) -> None:
    wrong = json.dumps({"rent": 950, "landlord": "Mr Ferreira"})
    generator._replies = [Reply(wrong)]
    reply = ask(engine)
    assert reply.verification.unsupported == ["950"]
    assert (reply.answer, reply.parsed["rent"]) == (wrong, 950)
    assert len(generator.prompts) == 2  # once more, on the originals


def test_what_rests_on_nothing_is_withdrawn(engine: MemoryEngine, generator: ScriptedGenerator) -> None:
    generator._replies = [Reply('{"visa": "K-77123"}')]
    reply = ask(engine)
    assert (reply.answer, reply.parsed, reply.abstained) == ("", None, True)


@pytest.mark.parametrize("nonsense", ["The rent is 900 euros.", '{"rent": 9', "NaN", "null", "[" * 5000])
def test_what_is_no_json_says_so(engine: MemoryEngine, generator: ScriptedGenerator, nonsense: str) -> None:
    generator._replies = [Reply(nonsense)]
    reply = ask(engine)
    assert (reply.answer, reply.parsed, reply.abstained, reply.degraded) == ("", None, True, True)
    assert reply.reason == "The generator's answer is not the JSON that was asked for."


def test_quotes_do_not_stand_in_for_json(engine: MemoryEngine, generator: ScriptedGenerator) -> None:
    generator._replies = [Reply(GOOD, fail_after=0)]
    reply = ask(engine)
    assert (reply.answer, reply.parsed, reply.abstained, reply.degraded) == ("", None, True, True)
    assert reply.reason == "The script says: fail here."
    assert len(reply.results) == 2  # what was found is there in any case
    reply = ask(engine, generator="extractive")
    assert (reply.answer, reply.abstained, reply.degraded) == ("", True, True)
    assert reply.reason == "Quotes cannot take the shape that was asked for."


def test_streamed_it_is_judged_at_its_end(engine: MemoryEngine, generator: ScriptedGenerator) -> None:
    async def listen() -> list[tuple[str, dict[str, Any]]]:
        request = AnswerRequest(namespace=NAMESPACE, query="What is the rent?", response_format=SHAPE, stream=True)
        return [(event.event, event.body) async for event in engine.stream_answer(LOCAL_TENANT, request)]

    events = asyncio.run(listen())
    assert "".join(body["text"] for name, body in events if name == "delta") == GOOD
    assert [name for name, _ in events if name == "verification"] == ["verification"]
    assert events[-1][1]["parsed"]["rent"] == 900


def test_text_is_no_shape_and_other_types_are_refused() -> None:
    assert AnswerRequest(namespace="n", query="q", response_format={"type": "text"}).response_format is None
    for wrong in ({"type": "xml"}, {}, {"type": "json_schema"}):
        with pytest.raises(ValidationError, match="json_schema"):
            AnswerRequest(namespace="n", query="q", response_format=wrong)
