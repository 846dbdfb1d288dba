"""What is said when a generator fails: before its first word, in the middle, in a whole answer."""

from __future__ import annotations

import asyncio

from aim_memory.engine.speaking import Transcript, spoken, whole
from aim_memory.llm.scripted import Reply, ScriptedGenerator
from aim_memory.types import Delta, Prompt
from tests.evidence import block

PROMPT = Prompt("Where does Ada live?", (block("m1", "Ada lives in Lisbon."),), (), confidence=0.9)


def streamed(*replies: Reply) -> list[Delta]:
    async def collect() -> list[Delta]:
        return [delta async for delta in spoken(ScriptedGenerator(replies), PROMPT)]

    return asyncio.run(collect())


def told(*replies: Reply) -> Transcript:
    return asyncio.run(whole(ScriptedGenerator(replies), PROMPT))


def test_what_works_is_left_alone() -> None:
    assert [delta.text for delta in streamed(Reply("In Lisbon."))] == ["In", " Lisbon.", ""]
    assert told(Reply("In Lisbon.")).reason is None


def test_quotes_stand_in_for_one_that_never_begins() -> None:
    deltas = streamed(Reply(fail_after=0))
    assert deltas[0].text == "Ada lives in Lisbon."
    assert all(delta.degraded and "fail here" in (delta.reason or "") for delta in deltas)


def test_half_an_answer_stays_and_says_why_there_is_no_more() -> None:
    deltas = streamed(Reply("In Lisbon.", fail_after=1))
    assert [delta.text for delta in deltas] == ["In", ""]
    assert (deltas[-1].finish, deltas[-1].degraded) == ("length", True)
    assert "fail here" in (deltas[-1].reason or "")


def test_half_a_whole_answer_is_replaced_for_nobody_has_seen_it() -> None:
    transcript = told(Reply("In Porto.", fail_after=1))
    assert transcript.text == "Ada lives in Lisbon."
    assert "fail here" in (transcript.reason or "")
