"""The whole service over PostgreSQL, and that nobody can tell from its answers which database is beneath."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from aim_memory import AIMMemory
from aim_memory.settings import Settings
from aim_memory.transfer import export_line, import_entries, read_entries
from tests import postgres
from tests.figures import figure

EXAMPLES = Path(__file__).parents[2] / "examples"
SPACE = "user/ada"
NAMES = {"id", "text", "speaker", "role", "session_id", "timestamp"}


def _memory(home: Path, url: str | None) -> AIMMemory:
    return AIMMemory(settings=Settings(home=home, embedder={"kind": "hashing"}, database={"url": url}))


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[AIMMemory]:
    with _memory(tmp_path, postgres.url(tmp_path)) as opened:
        yield opened


def _said(day: int, text: str) -> dict[str, Any]:
    return {"text": text, "speaker": "Ada", "role": "user", "timestamp": f"2026-03-{day:02}T09:00:00Z"}


def test_the_whole_way_over_postgresql(memory: AIMMemory, tmp_path: Path) -> None:
    told = [_said(1, "I live in Paris."), _said(2, "我的猫叫米粒。"), _said(5, "I have moved: I live in Oslo now.")]
    old, cat, new = (result.id for result in memory.write(namespace=SPACE, memories=told).results)

    assert memory.query("What is my cat called? 我的猫叫什么?", namespace=SPACE).results[0].id == cat
    first = memory.query("Where do I live now?", namespace=SPACE).results[0]
    assert (first.id, first.current) == (new, True)
    assert memory.get(old).superseded_by == new
    assert [version.kind for version in memory.history(old).versions] == ["write", "supersede"]
    reply = memory.answer("Where do I live now?", namespace=SPACE)
    assert "Oslo" in reply.answer
    assert reply.citations[0].memory_id == new

    memory.delete(new, namespace=SPACE)
    assert memory.get(old).superseded_by is None
    assert memory.query("Where do I live now?", namespace=SPACE).results[0].id == old

    lines = [export_line(each) for each in memory.iterate(namespace=SPACE)]
    (tmp_path / "copy").mkdir()
    with _memory(tmp_path / "copy", postgres.url(tmp_path / "copy")) as copy:
        report = import_entries(read_entries(BytesIO("".join(lines).encode())), copy)
        assert report.counts == {"created": 2}
        assert [export_line(each) for each in copy.iterate(namespace=SPACE)] == lines

    erased = memory.forget(SPACE).erased
    assert (erased["memories"], memory.query("cat", namespace=SPACE).results) == (2, [])


def test_example_conversations_are_recalled_alike_on_both(tmp_path: Path) -> None:
    turns, questions = (_lines(name) for name in ("conversations.jsonl", "questions.jsonl"))
    with ExitStack() as stack:
        urls = {"sqlite": None, "postgresql": postgres.url(tmp_path)}
        memories = [stack.enter_context(_memory(tmp_path / name, url)) for name, url in urls.items()]
        for namespace, own in groupby(turns, key=lambda turn: turn["namespace"]):
            items = [{name: turn[name] for name in NAMES & turn.keys()} for turn in own]
            for memory, start in ((memory, start) for start in range(0, len(items), 100) for memory in memories):
                memory.write(namespace=namespace, memories=items[start : start + 100])
        for question in questions:
            on_sqlite, on_postgresql = (_recalled(memory, question) for memory in memories)
            assert on_postgresql == on_sqlite
            assert on_sqlite[0]
    size = f"{len(turns)} turns, {len(questions)} questions, hits with scores and contexts"
    figure("SQLite and PostgreSQL answer alike", size, "0 differences")


def _recalled(memory: AIMMemory, question: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """The hits with all their fields, and the context for a prompt."""
    for earlier in question.get("history") or ():
        memory.query(earlier, namespace=question["namespace"], session_id=question["id"])
    found = memory.query(question["question"], namespace=question["namespace"], session_id=question["id"])
    return [hit.model_dump() for hit in found.results], found.context


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (EXAMPLES / name).read_text("utf-8").splitlines()]
