"""Every format: all turns are kept with their times, the rest is reported exactly, and twice is once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from aim_memory import AIMMemory, errors
from aim_memory.api.mem0.scope import entities_of, home_of
from aim_memory.bodies import MemoryItem, MemoryView, WriteReply
from aim_memory.importers import mem0
from aim_memory.importers.reading import FORMATS, read
from aim_memory.importers.turns import PIECE_BYTES
from aim_memory.transfer import Entry, LeftOut, Problem, Report, import_entries
from tests.chatbots.doubles import memory_in
from tests.importers import exports


@dataclass(frozen=True)
class Fixture:
    origin: str
    make: Callable[[Path], Path]
    left_out: dict[str, int]
    rejected: int
    namespaces: set[str]


def chatgpt_archive(folder: Path) -> Path:
    files = {
        "chat.html": b"<html>",
        "conversations.json": exports.chatgpt(),
        "user.json": {},
        "dalle/a.png": b"\x89PNG",
    }
    return exports.archive(folder / "export.zip", files)


FIXTURES = [
    Fixture("chatgpt", lambda folder: exports.write(folder / "conversations.json", exports.chatgpt()),
            exports.CHATGPT_LEFT_OUT, 1, {"default"}),
    Fixture("chatgpt", chatgpt_archive, exports.CHATGPT_LEFT_OUT | {
            f"a {kind} file, not read": 1 for kind in (".html", ".json", ".png")}, 1, {"default"}),
    Fixture("claude", lambda folder: exports.write(folder / "conversations.json", exports.claude()),
            exports.CLAUDE_LEFT_OUT, 2, {"default"}),
    Fixture("mem0", lambda folder: exports.write(folder / "mem0.json", exports.mem0()),
            exports.MEM0_LEFT_OUT, 1, {"user/ada", "user/bo%2Fb"}),
    Fixture("mem0", lambda folder: exports.write_lines(folder / "mem0.jsonl", exports.mem0()["results"]),
            {}, 1, {"user/ada", "user/bo%2Fb"}),
    Fixture("zep", lambda folder: exports.write_lines(folder / "zep.jsonl", exports.zep()),
            exports.ZEP_LEFT_OUT, 3, {"user/ada", "user/bo"}),
    Fixture("letta", lambda folder: exports.write(folder / "sam.af", exports.letta()),
            exports.LETTA_LEFT_OUT, 1, {"agent/Sam"}),
    Fixture("langgraph", lambda folder: exports.write_lines(folder / "items.jsonl", exports.langgraph()),
            {}, 1, {"users/ada", "users/bo"}),
    Fixture("langgraph", lambda folder: exports.langgraph_file(folder / "store.sqlite"),
            {}, 0, {"users/ada", "users/bo"}),
]  # fmt: skip
EACH = pytest.mark.parametrize("fixture", FIXTURES, ids=lambda one: one.origin)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AIMMemory]:
    with memory_in(tmp_path_factory.mktemp("home")) as memory:
        yield memory


@pytest.fixture
def memory(shared: AIMMemory) -> Iterator[AIMMemory]:
    """Empty."""
    yield shared
    for found in shared.namespaces().items:
        shared.forget(found.namespace)


def everything(memory: AIMMemory) -> list[MemoryView]:
    return [view for one in memory.namespaces().items for view in memory.iterate(namespace=one.namespace)]


def test_every_format_has_a_fixture() -> None:
    assert {fixture.origin for fixture in FIXTURES} == set(FORMATS)


@EACH
def test_every_turn_is_kept_and_the_rest_is_reported(fixture: Fixture, tmp_path: Path) -> None:
    found = list(read(fixture.origin, fixture.make(tmp_path)))
    kept = [one for one in found if isinstance(one, Entry)]
    assert len(kept) == exports.KEPT
    assert len({entry.item.id for entry in kept}) == exports.KEPT
    assert {entry.namespace for entry in kept} == fixture.namespaces
    assert Counter(one.reason for one in found if isinstance(one, LeftOut)) == fixture.left_out
    assert sum(isinstance(one, Problem) for one in found) == fixture.rejected
    assert all(one.reason for one in found if isinstance(one, Problem))
    assert [one.line for one in found] == list(range(1, len(found) + 1))


@EACH
def test_importing_twice_adds_nothing_and_changes_nothing(fixture: Fixture, memory: AIMMemory, tmp_path: Path) -> None:
    path = fixture.make(tmp_path)
    first = import_entries(read(fixture.origin, path), memory)
    before = everything(memory)
    second = import_entries(read(fixture.origin, path), memory)
    assert (first.counts["created"], first.counts["rejected"]) == (exports.KEPT, fixture.rejected)
    assert (second.counts["created"], second.counts["unchanged"]) == (0, exports.KEPT)
    assert second.left_out == first.left_out == fixture.left_out
    assert everything(memory) == before
    said = "\n".join(view.text for view in before)
    lost = [number for number in range(exports.KEPT) if exports.words(number) not in said]
    # A message of Claude's is a picture, for which a document is kept, and a value of LangGraph's is empty.
    assert lost == {"claude": [3], "langgraph": [7]}.get(fixture.origin, [])
    assert {view.timestamp.year for view in before} <= ({2025} if fixture.origin != "letta" else {2025, 2026})


class Stopped(Exception):  # noqa: N818  no error
    """The process ends."""


class Stopping:
    """A writer that is killed after its first batch."""

    def __init__(self, memory: AIMMemory) -> None:
        self._memory, self._batches = memory, 0

    def write(self, *, namespace: str, memories: list[MemoryItem]) -> WriteReply:
        if self._batches:
            raise Stopped
        self._batches += 1
        return self._memory.write(namespace=namespace, memories=memories)


def test_an_import_that_was_stopped_goes_on(memory: AIMMemory, tmp_path: Path) -> None:
    path = exports.write(tmp_path / "mem0.json", exports.mem0())
    with pytest.raises(Stopped):
        import_entries(read("mem0", path), Stopping(memory))
    there = len(everything(memory))
    report = import_entries(read("mem0", path), memory)
    assert 0 < there == report.counts["unchanged"]
    assert report.counts["created"] == exports.KEPT - there


def items(origin: str, path: Path) -> list[MemoryItem]:
    return [one.item for one in read(origin, path) if isinstance(one, Entry)]


def test_times_roles_sessions_and_titles_of_chatgpt(tmp_path: Path) -> None:
    found = items("chatgpt", exports.write(tmp_path / "c.json", exports.chatgpt()))
    assert [item.timestamp for item in found[:2]] == [exports.at(0), exports.at(1)]
    assert [item.role for item in found[:2]] == ["user", "assistant"]
    assert len({item.session_id for item in found}) == 3
    assert found[0].metadata["chatgpt"]["title"] == "Trip 0"
    assert sum("branch" in item.metadata["chatgpt"] for item in found) == 1
    assert found[3].text == exports.words(3)  # spoken


def test_a_tree_that_is_none_is_read_all_the_same(tmp_path: Path) -> None:
    conversation = exports.chatgpt_conversation(0, turns=4)
    mapping = conversation["mapping"]
    mapping["m0-3"]["children"] = ["m0-1", "nowhere"]  # a ring
    mapping["m0-0"]["parent"] = "nowhere"
    conversation["current_node"] = "m0-3"
    assert len(items("chatgpt", exports.write(tmp_path / "c.json", [conversation]))) == 4


def test_claude_s_documents_and_own_notes_are_kept(tmp_path: Path) -> None:
    notes = [{"conversations_memory": "Ada plans a launch.", "project_memories": {"p1": "It is on 14 May."}}]
    path = exports.archive(
        tmp_path / "c.zip", {"conversations.json": exports.claude(), "memories.json": notes, "users.json": []}
    )
    found = items("claude", path)
    assert len(found) == exports.KEPT + 2
    assert "The plan: 14 May." in {item.text for item in found}
    assert {item.text for item in found if "memory" in item.metadata["claude"]} == {
        "Ada plans a launch.",
        "It is on 14 May.",
    }


@pytest.mark.parametrize("name", ["ada", "Ada Lovelace", " a/b\t50%\u3000", "阿达 洛芙莱斯", 7])
def test_mem0_s_users_are_where_its_paths_look_for_them(name: str | int) -> None:
    assert mem0.namespace({"user_id": name}) == home_of(entities_of({"user_id": name})).namespace


def test_mem0_s_owners_categories_and_expiry_are_kept(tmp_path: Path) -> None:
    found = items("mem0", exports.write(tmp_path / "m.json", exports.mem0()))
    assert found[1].metadata == {"room": "kitchen", "mem0": {"user_id": "ada", "categories": ["home"]}}
    assert found[5].expires_at is not None
    assert found[5].expires_at.year == 2999
    assert {item.source for item in found} == {"mem0"}


def test_zep_s_names_roles_and_valid_times_are_kept(tmp_path: Path) -> None:
    found = {item.id: item for item in items("zep", exports.write_lines(tmp_path / "z.jsonl", exports.zep()))}
    assert (found["zep:z1"].role, found["zep:z1"].speaker, found["zep:z1"].session_id) == ("user", "Ada", "t1")
    assert found["zep:z1"].timestamp == exports.at(1)
    assert (found["zep:z30"].role, found["zep:z30"].speaker, found["zep:z30"].session_id) == ("user", "Ada", "s1")
    assert found["zep:e50"].timestamp == exports.at(50 - 1000)
    assert found["zep:e50"].metadata["zep"]["name"] == "LIVES_AT"


def test_letta_s_packed_words_speech_and_blocks_are_kept(tmp_path: Path) -> None:
    found = items("letta", exports.write(tmp_path / "s.af", exports.letta()))
    assert [item.text for item in found[:3]] == [exports.words(0), exports.words(1), exports.words(2)]
    assert [(item.text, item.pinned) for item in found[-2:]] == [(exports.words(58), True), (exports.words(59), True)]
    newer = exports.letta()
    newer["agents"][0]["agent_type"] = "letta_v1_agent"
    spoken = {item.text for item in items("letta", exports.write(tmp_path / "v1.af", newer))}
    assert "Let me look." in spoken  # beside the call of a tool
    assert "Let me look." not in {item.text for item in found}
    old = items("letta", exports.write(tmp_path / "old.af", exports.letta_of_one()))
    assert [item.text for item in old] == [exports.words(0), exports.words(2), exports.words(1)]


def test_a_block_of_several_agents_of_letta_s_is_with_each_of_them(tmp_path: Path) -> None:
    export = exports.letta()
    export["agents"].append({"id": "agent-1", "name": "Max", "block_ids": ["block-0"], "messages": []})
    found = items("letta", exports.write(tmp_path / "s.af", export))
    assert [one.text for one in found].count(exports.words(58)) == 2
    assert len({one.id for one in found}) == len(found)


def test_langgraph_s_lifetimes_go_on(tmp_path: Path) -> None:
    row = {"prefix": "users", "key": "k", "value": {"a": "b"}, "expires_at": "2027-01-01", "ttl_minutes": 60.0}
    (item,) = items("langgraph", exports.write(tmp_path / "rows.json", [row]))
    assert item.metadata["langgraph"]["minutes"] == 60.0


def test_langgraph_s_values_are_whole(tmp_path: Path) -> None:
    rows = {row["key"]: row for row in exports.langgraph()}
    for path in (
        exports.write_lines(tmp_path / "i.jsonl", exports.langgraph()),
        exports.write(tmp_path / "i.json", {"items": exports.langgraph()}),
        exports.langgraph_file(tmp_path / "s.db"),
    ):
        found = items("langgraph", path)
        assert len(found) == exports.KEPT
        assert all(
            item.metadata["langgraph"]["value"] == rows[item.metadata["langgraph"]["key"]]["value"] for item in found
        )
        assert found[0].timestamp is not None


def test_a_long_text_becomes_several_memories_that_are_the_text(tmp_path: Path) -> None:
    text = "".join(f"Sentence number {number} of a very long paste. 这是一句话。\n\n" for number in range(2_000))
    path = exports.write(tmp_path / "m.json", [{"id": "long", "memory": text, "user_id": "ada"}])
    found = items("mem0", path)
    assert len(found) > 3
    assert "".join(item.text for item in found) == text
    assert all(len(item.text.encode()) <= PIECE_BYTES for item in found)
    assert [item.id for item in found[:2]] == ["long", "long:part2"]
    assert [item.metadata["import"]["part"] for item in found] == list(range(1, len(found) + 1))
    glued = items(
        "mem0", exports.write(tmp_path / "g.json", [{"id": "glued", "memory": "字" * 40_000, "user_id": "ada"}])
    )
    assert "".join(item.text for item in glued) == "字" * 40_000


def test_what_no_encoding_can_hold_is_replaced_and_marked(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text('[{"id": "nul", "memory": "here \\u0000 there", "user_id": "ada"}]')
    (item,) = items("mem0", path)
    assert (item.text, item.metadata["import"]) == ("here \ufffd there", {"repaired": True})


def test_what_no_encoding_can_hold_is_replaced_beside_the_words_too(memory: AIMMemory, tmp_path: Path) -> None:
    export = exports.chatgpt()[:1]
    export[0]["title"] = "A\0title"
    report = import_entries(read("chatgpt", exports.write(tmp_path / "conversations.json", export)), memory)
    assert report.problems == []
    titles = {view.metadata["chatgpt"]["title"] for view in memory.iterate(namespace="default")}
    assert titles == {"A\ufffdtitle"}


def test_a_named_namespace_goes_before_the_source_s(tmp_path: Path) -> None:
    found = [
        one
        for one in read("mem0", exports.write(tmp_path / "m.json", exports.mem0()), "mine")
        if isinstance(one, Entry)
    ]
    assert {entry.namespace for entry in found} == {"mine"}


@pytest.mark.parametrize("time", ["yesterday", "2025-13-45", 1e300, "0001-01-01T00:00:00Z"])
def test_a_time_that_is_none_is_a_problem_of_that_turn_alone(time: object, tmp_path: Path) -> None:
    memories = [
        {"id": "a", "memory": "x", "created_at": time, "user_id": "u"},
        {"id": "b", "memory": "y", "user_id": "u"},
    ]
    problem, entry = read("mem0", exports.write(tmp_path / "m.json", memories))
    assert isinstance(problem, Problem)
    assert "timestamp" in problem.reason
    assert isinstance(entry, Entry)


def test_a_refusal_of_the_store_names_where_the_turn_was(memory: AIMMemory, tmp_path: Path) -> None:
    huge = {"user_id": "u", "id": "m", "memory": "x", "metadata": {"a": "y" * 20_000}}
    report: Report = import_entries(read("mem0", exports.write(tmp_path / "m.json", [huge])), memory)
    assert [(problem.place, problem.line) for problem in report.problems] == [("memory m", 1)]
    assert "metadata" in report.problems[0].reason


def test_a_source_of_another_kind_says_so(tmp_path: Path) -> None:
    for origin in FORMATS:
        (problem,) = read(origin, exports.write(tmp_path / "x.json", [{"something": "else"}]))
        assert isinstance(problem, Problem), origin
    with pytest.raises(errors.InvalidInputError, match="no file or folder"):
        list(read("mem0", tmp_path / "nowhere.json"))


def test_a_folder_is_read_in_the_order_of_its_names(tmp_path: Path) -> None:
    for number in range(3):
        conversations = [exports.chatgpt_conversation(number, turns=4)]
        (tmp_path / f"conversations-00{number}.json").write_text(json.dumps(conversations))
    (tmp_path / "chat.html").write_text("<html>")
    found = list(read("chatgpt", tmp_path))
    assert [one.item.id[8:17] for one in found if isinstance(one, Entry)] == [
        f"{n:08}-" for n in range(3) for _ in range(4)
    ]
    assert isinstance(found[0], LeftOut)
