"""Reading evaluation sets, and what studies make of them before anything is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from aim_memory.bodies import QueryReply
from aim_memory.cli.bench.abstention import foreign
from aim_memory.cli.bench.ageing import aged
from aim_memory.cli.bench.evidence import answering, plain_texts, wanted
from aim_memory.cli.bench.page import put_section
from aim_memory.cli.bench.sets import EvaluationSet, Question, StoredTurn, read_sets
from aim_memory.cli.bench.study import table
from aim_memory.cli.bench.switch import others
from aim_memory.errors import InvalidInputError
from aim_memory.evidence import count_tokens

MEMORIES = """{"namespace": "n", "id": 7, "session": 1, "text": "one", "speaker": "user"}
{"namespace": "unused", "id": "8", "text": "two"}
"""
QUERIES = """{"namespace": "n", "id": "q1", "text": "?", "category": 2, "gold": [7]}
{"namespace": "n", "id": "q2", "text": "nothing to find", "gold": []}
"""


def make_set(folder: Path, memories: str = MEMORIES, queries: str = QUERIES) -> Path:
    (folder / "small").mkdir()
    (folder / "small" / "memories.jsonl").write_text(memories, encoding="utf-8")
    (folder / "small" / "queries.jsonl").write_text(queries, encoding="utf-8")
    return folder


def test_a_set_keeps_the_memories_of_the_namespaces_asked_about(tmp_path: Path) -> None:
    [small] = read_sets([make_set(tmp_path)])
    [question] = small.questions
    assert (question.id, question.category, question.gold) == ("q1", "2", frozenset({"7"}))
    assert [one.id for one in small.unanswerable] == ["q2"]
    assert [(turn.id, turn.session) for turn in small.memories] == [("7", "1")]


def test_a_set_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"named large.*it has: small"):
        read_sets([make_set(tmp_path)], ["large"])


def test_a_line_that_is_not_in_the_form_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"queries.jsonl, line 2: text"):
        read_sets([make_set(tmp_path, queries=QUERIES.replace('"text": "nothing to find", ', ""))])


# --- ageing ------------------------------------------------------------------------------------------------------


def turn(namespace: str, number: int, session: str | None) -> StoredTurn:
    return StoredTurn(namespace=namespace, id=str(number), text=f"{namespace} {number}", session=session)


def test_a_namespace_ages_by_the_later_sessions_of_the_others() -> None:
    sessions = ("1", "1", "2", "2")
    turns = [turn(name, number, session) for name in "abc" for number, session in enumerate(sessions)]
    old = aged(EvaluationSet("s", turns, []))
    assert [one.text for one in old.memories if one.namespace == "b"] == [
        *("b 0", "b 1", "b 2", "b 3"),
        *("c 2", "c 3", "a 2", "a 3"),
    ]
    assert len({(one.namespace, one.id) for one in old.memories}) == len(old.memories)


def test_without_sessions_the_later_half_of_the_turns_is_appended() -> None:
    turns = [turn(name, number, None) for name in "ab" for number in range(4)]
    old = aged(EvaluationSet("s", turns, []))
    assert [one.text for one in old.memories if one.namespace == "a"][4:] == ["b 2", "b 3"]


# --- questions of others -----------------------------------------------------------------------------------------


def question(text: str, history: tuple[str, ...] = (), namespace: str = "n") -> Question:
    return Question(namespace=namespace, id=text, text=text, gold=frozenset({"1"}), history=history)


def test_a_forced_switch_comes_from_another_conversation() -> None:
    first = [question("b", ("a",)), question("c", ("a", "b"))]
    second = [question("y", ("x",)), question("z", ("x", "y"))]
    detours = others([*first, *second])
    assert {one.text for one in detours[:2]} <= {"y", "z"}
    assert {one.text for one in detours[2:]} <= {"b", "c"}


def test_a_question_is_asked_of_another_namespace() -> None:
    turns = [turn(name, 1, None) for name in "abc"]
    asked = [question(str(number), namespace="b") for number in range(20)]
    assert set(foreign(EvaluationSet("s", turns, asked))) == {"a", "c"}
    assert foreign(EvaluationSet("s", turns[:1], asked)) == []


# --- evidence ----------------------------------------------------------------------------------------------------

LONG = "We talked for hours. I moved to Lisbon in May. The weather is fine."


def test_the_answering_sentence_holds_most_of_the_answer() -> None:
    assert answering(LONG, frozenset({"lisbon"}), frozenset()) == "I moved to Lisbon in May."
    assert answering(LONG, frozenset({"talk", "fine"}), frozenset({"weather"})) == "The weather is fine."


def test_what_is_wanted_is_the_answer_and_the_sentence_that_gives_it() -> None:
    asked = Question(
        namespace="n", id="q", text="Where did she move?", gold=frozenset({"1"}), answer="To Lisbon, in May"
    )
    looked_for = wanted(EvaluationSet("s", [StoredTurn(namespace="n", id="1", text=LONG)], [asked]), asked)
    assert looked_for.terms == {"lisbon", "may"}
    assert looked_for.shares("She moved to Porto in May.") == {"answer": 0.0, "answer terms": 0.5, "evidence": 0.0}
    assert looked_for.shares("So she did move to LISBON in May, as: I moved to Lisbon in May!") == {
        "answer": 1.0,
        "answer terms": 1.0,
        "evidence": 1.0,
    }


def reply(*texts: str) -> QueryReply:
    hits = [
        {
            "id": str(rank),
            "text": text,
            "summary": text,
            "score": -rank,
            "timestamp": "2025-03-06T00:00:00Z",
            "speaker": "Ada",
            "role": None,
            "session_id": None,
            "current": True,
            "metadata": {},
        }
        for rank, text in enumerate(texts)
    ]
    return QueryReply.model_validate(
        {
            "results": hits,
            "mode": "fast",
            "context": "",
            "evidence": [],
            "coverage": {"anchors": [], "missing": []},
            "confidence": 1.0,
            "tokens": {"context": 0, "full_text": 0},
            "work": {"scanned": 0, "stored": 0},
            "timings_ms": {},
        }
    )


def test_plain_texts_are_cut_where_the_budget_ends() -> None:
    whole = plain_texts(reply(LONG, "Short."), 100, dated=False)
    assert whole == f"Ada: {LONG}\nAda: Short."
    assert plain_texts(reply("Short."), 100, dated=True) == "2025-03-06 Ada: Short."
    cut = plain_texts(reply(LONG, LONG), 30, dated=False)
    assert cut.startswith(f"Ada: {LONG}\nAda: We")
    assert count_tokens(cut) <= 30 < count_tokens(f"{cut} more words")


# --- pages -------------------------------------------------------------------------------------------------------


def test_a_section_is_written_anew_and_the_rest_stays(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    put_section(page, "ageing", "one")
    page.write_text(page.read_text(encoding="utf-8") + "\nBy hand.\n", encoding="utf-8")
    put_section(page, "ageing", "two \\1")
    put_section(page, "strict", "three")
    text = page.read_text(encoding="utf-8")
    assert "one" not in text.replace("tokens", "")
    assert text.index("# Ageing") < text.index("two \\1") < text.index("By hand.") < text.index("three")


def test_columns_line_up() -> None:
    assert table(["set", "n"], [["a", "1,000"], ["longer", "2"]]).splitlines() == [
        "| set    |     n |",
        "| ------ | ----: |",
        "| a      | 1,000 |",
        "| longer |     2 |",
    ]
