"""The demo: a real server, the example conversations, five questions."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

from aim_memory.bodies import AnswerReply
from aim_memory.cli.commands import app
from aim_memory.cli.demo import TOUR
from aim_memory.cli.output import Exit
from aim_memory.examples import Question, find_examples, read_questions


def test_the_demo_runs_judges_and_stops_its_server(tmp_path: Path) -> None:
    env = {"AIM_HOME": str(tmp_path), "AIM_EMBEDDER__KIND": "hashing"}
    first = CliRunner().invoke(app, ["demo", "--json"], env=env)
    report = json.loads(first.stdout)
    turns = len((find_examples() / "conversations.jsonl").read_text().splitlines())
    assert report["imported"] == {"created": turns}
    assert [answer["id"] for answer in report["answers"]] == [name for _, name in TOUR]
    right = [answer.pop("right") for answer in report["answers"]]
    assert first.exit_code == (Exit.OK if all(right) else Exit.FAILURE)
    assert all(AnswerReply(**answer).results for answer in report["answers"])
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(report["url"], trust_env=False)

    again = CliRunner().invoke(app, ["demo", "--once"], env=env)
    assert again.exit_code == first.exit_code
    assert f"{turns} were there already" in again.stdout
    for _, name in TOUR:
        assert read_questions(find_examples() / "questions.jsonl")[name].question in again.stdout
    # A long path is wrapped inside its frame.
    assert str(tmp_path / "demo") in "".join(sign for sign in again.stdout if sign not in "│ \n")


@pytest.mark.real_embedder
def test_the_demo_answers_are_right(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["demo", "--once"], env={"AIM_HOME": str(tmp_path)})
    assert result.exit_code == Exit.OK, result.output


def test_without_the_examples_it_says_where_they_are(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["demo", "--examples", str(tmp_path)], env={"AIM_HOME": str(tmp_path)})
    assert result.exit_code == Exit.USAGE
    assert "--examples" in result.stderr


@pytest.mark.parametrize(
    ("expect", "answer", "abstained", "right"),
    [
        ((("1,840",),), "It was 1840 euros.", False, True),
        ((("1840",),), "It was 1,840 euros.", False, True),
        ((("QX 4417",), ("qx4417",)), "Flight QX4417", False, True),
        ((("Thursdays", "6:30"),), "On Thursdays.", False, False),
        ((("25 mg",),), "25 mg", True, False),
        ((), "I do not know.", True, True),
        ((), "Blood group A.", False, False),
    ],
)
def test_answers_are_judged_as_the_examples_say(
    expect: tuple[tuple[str, ...], ...], answer: str, abstained: bool, right: bool
) -> None:
    question = Question("q", "n", "?", expect, "exact")
    assert question.is_answered_by(answer, abstained=abstained) is right
