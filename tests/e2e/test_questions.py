"""Forty paraphrased questions about the example conversations, answered by quoting alone, with the real embedder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aim_memory import AIMMemory
from aim_memory.bodies import AnswerReply
from aim_memory.settings import Settings

EXAMPLES = Path(__file__).parents[2] / "examples"
LEAST_RIGHT = 32


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (EXAMPLES / name).read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AIMMemory]:
    with AIMMemory(tmp_path_factory.mktemp("examples"), settings=Settings()) as opened:
        turns = rows("conversations.jsonl")
        for namespace in sorted({turn["namespace"] for turn in turns}):
            own = [
                {name: value for name, value in turn.items() if name != "namespace"}
                for turn in turns
                if turn["namespace"] == namespace
            ]
            for start in range(0, len(own), 100):
                opened.write(namespace=namespace, memories=own[start : start + 100])
        yield opened


def asked(memory: AIMMemory, question: dict[str, Any]) -> AnswerReply:
    session = question["id"]
    for earlier in question.get("history") or ():
        memory.query(earlier, namespace=question["namespace"], session_id=session)
    return memory.answer(question["question"], namespace=question["namespace"], session_id=session)


def bare(text: str) -> str:
    """Without white space, case and thousands separators."""
    return re.sub(r"(?<=\d),(?=\d)", "", re.sub(r"\s+", "", text)).lower()


def is_right(question: dict[str, Any], reply: AnswerReply) -> bool:
    if question["kind"] == "none":
        return reply.abstained
    answer = bare(reply.answer)
    return not reply.abstained and any(all(bare(one) in answer for one in group) for group in question["expect"])


@pytest.mark.real_embedder
def test_most_questions_are_answered_right_and_every_citation_is_exact(memory: AIMMemory) -> None:
    questions = rows("questions.jsonl")
    texts = {turn["id"]: turn["text"] for turn in rows("conversations.jsonl")}
    wrong = []
    for question in questions:
        reply = asked(memory, question)
        if not is_right(question, reply):
            wrong.append(f"{question['id']} ({question['kind']}): {reply.answer!r}")
        for citation in reply.citations:
            assert texts[citation.memory_id][citation.start : citation.end] == citation.quote
        assert "[unverified]" not in reply.answer
    right = len(questions) - len(wrong)
    assert right >= LEAST_RIGHT, f"{right} of {len(questions)} right; wrong:\n" + "\n".join(wrong)
