"""Export, then import: the same memories. What that means is said in docs/administration.md, and held here."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from aim_memory.bodies import MemoryView
from aim_memory.embedded import AIMMemory
from aim_memory.transfer import Problem, export_line, import_entries, line_schema, read_entries
from tests.vaults import DATABASES, furnish, settings_of

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "export.schema.json"
OF_ITS_OWN_STORE = {"created_at", "updated_at", "version"}
"""When this store was told, and how often it changed: a backup carries it, an export does not."""


@pytest.fixture(params=DATABASES)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AIMMemory]:
    settings = settings_of(request.param, tmp_path / "source")
    (tmp_path / "source").mkdir()
    furnish(settings)
    with AIMMemory(settings=settings) as memory:
        _add_every_field(memory)
        yield memory


@pytest.fixture
def target(tmp_path: Path) -> Iterator[AIMMemory]:
    with AIMMemory(settings=settings_of("sqlite", tmp_path / "target")) as memory:
        yield memory


def _add_every_field(memory: AIMMemory) -> None:
    full = {
        "id": "full:1",
        "text": "On 3 May 2026 Zoë paid €1,250.50 for “flat 7”.\n第二行：她的电话是 555-0199。 \u2028",
        "session_id": "s:1",
        "speaker": "Zoë",
        "role": "assistant",
        "timestamp": "2026-05-03T10:00:00.000001Z",
        "metadata": {"nested": {"list": [1, 2.5, None, True, "ä"]}, "empty": {}, "": "no name"},
        "pinned": True,
        "expires_at": "2999-12-31T23:59:59Z",
        "source": "mail",
    }
    memory.write(namespace="user/zoë lives/here", memories=[full, {"text": "  spaces at both ends  "}])
    for number, said in enumerate(("My phone is 555-0100.", "My phone is 555-0101.", "My phone is 555-0102.")):
        memory.write(namespace="user/phone", memories=[{"id": f"p{number}", "text": said, "speaker": "Ada"}])
    memory.delete("p1", namespace="user/phone")


def _exported(memory: AIMMemory) -> str:
    spaces = [space.namespace for space in memory.namespaces().items]
    return "".join(export_line(view) for space in spaces for view in memory.iterate(namespace=space))


def _views(memory: AIMMemory) -> list[dict[str, Any]]:
    spaces = [space.namespace for space in memory.namespaces().items]
    views: list[MemoryView] = [view for space in spaces for view in memory.iterate(namespace=space)]
    return [view.model_dump(exclude=OF_ITS_OWN_STORE) for view in views]


def test_an_export_is_imported_to_the_same_memories(source: AIMMemory, target: AIMMemory) -> None:
    exported = _exported(source)
    report = import_entries(read_entries(io.BytesIO(exported.encode())), target)
    assert report.counts == {"created": exported.count("\n")}, report.problems
    assert _exported(target) == exported
    assert _views(target) == _views(source)


def test_the_same_is_found_afterwards(source: AIMMemory, target: AIMMemory) -> None:
    import_entries(read_entries(io.BytesIO(_exported(source).encode())), target)
    for question in ("Where do I live?", "What is my phone?", "How much does Lena weigh?", "我的猫几岁？"):
        for space in (space.namespace for space in source.namespaces().items):
            found, again = (
                [(hit.id, round(hit.score, 6), hit.current) for hit in memory.query(question, namespace=space).results]
                for memory in (source, target)
            )
            if space != "user/ada":  # a memory there was strengthened by feedback, which is not exported
                assert again == found, (space, question)


def test_imported_twice_is_imported_once(source: AIMMemory, target: AIMMemory) -> None:
    exported = _exported(source).encode()
    first = import_entries(read_entries(io.BytesIO(exported)), target)
    again = import_entries(read_entries(io.BytesIO(exported)), target)
    assert again.counts == {"unchanged": first.counts["created"]}


def test_imported_where_it_came_from_it_brings_back_what_is_gone_and_nothing_else(source: AIMMemory) -> None:
    exported = _exported(source)
    source.delete("full:1", namespace="user/zoë lives/here")
    report = import_entries(read_entries(io.BytesIO(exported.encode())), source)
    assert report.counts == {"created": 1, "unchanged": exported.count("\n") - 1}, report.problems
    assert sorted(_exported(source).splitlines()) == sorted(exported.splitlines())


def test_every_exported_line_is_as_the_published_schema_says(source: AIMMemory) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert schema == line_schema(), "write docs/export.schema.json anew, and think of those who read exports"
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    lines = [json.loads(line) for line in _exported(source).split("\n") if line]
    assert len(lines) > 5
    for line in lines:
        validator.validate(line)
    assert not validator.is_valid({**lines[0], "format": "aim-memory/2"})
    assert not validator.is_valid({**lines[0], "text": None})


def test_a_line_of_a_newer_format_is_refused_and_one_without_is_read() -> None:
    newer, without = b'{"format": "aim-memory/2", "text": "x"}\n', b'{"text": "x"}\n'
    problem, entry = read_entries(io.BytesIO(newer + without), "user/ada")
    assert isinstance(problem, Problem)
    assert "Upgrade" in problem.reason
    assert not isinstance(entry, Problem)


def test_exported_wiped_and_imported_again_is_the_same(source: AIMMemory) -> None:
    exported, before = _exported(source), _views(source)
    for space in source.namespaces().items:
        source.forget(space.namespace)
    assert _views(source) == []
    import_entries(read_entries(io.BytesIO(exported.encode())), source)
    assert (_exported(source), _views(source)) == (exported, before)
