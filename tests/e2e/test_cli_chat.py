"""``aimem chat``, on a folder and on a server: lines in, answers with quotes out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from typer.testing import CliRunner, Result

from aim_memory import AIMMemory
from aim_memory.bodies import AnswerEvent
from aim_memory.chatbots import phrases
from aim_memory.cli import chat
from aim_memory.cli.commands import app
from aim_memory.cli.local_server import LocalServer
from tests.chatbots.doubles import Away, memory_in

DOUBLE = {"AIM_EMBEDDER__KIND": "hashing"}
Talk = Callable[..., Result]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIM_EMBEDDER__KIND", "hashing")
        running = LocalServer(tmp_path_factory.mktemp("server"))
    with running:
        running.wait_until_ready()
        yield running


@pytest.fixture(params=["folder", "server"])
def talk(request: pytest.FixtureRequest, tmp_path: Path) -> Talk:
    env = {**DOUBLE, "AIM_HOME": str(tmp_path / "home")}
    if request.param == "server":
        env["AIM_URL"] = request.getfixturevalue("server").url

    def say(*lines: str, options: tuple[str, ...] = ()) -> Result:
        ended = CliRunner().invoke(app, ["chat", "-n", "test/ada", *options], env=env, input="\n".join(lines) + "\n")
        assert ended.exit_code == 0, ended.output
        return ended

    say("/forget everything")
    return say


def test_what_is_said_is_kept_and_what_is_asked_is_answered_with_quotes(talk: Talk) -> None:
    said = talk("My dentist is Dr. Okafor.", "", "The launch is on 14 May.", "Who is my dentist?", "/used")
    assert said.stdout.count(phrases.NOTED) == 2
    assert "[1]" in said.stdout
    assert "“My dentist is Dr. Okafor.”" in re.sub(r"\s+", " ", said.stdout)
    assert "The launch is on 14 May." in said.stdout  # found, not quoted
    assert "1 of 2 memories found are quoted" in said.stderr
    later = talk("/ask who is my dentist")
    assert "Okafor" in later.stdout


def test_secrets_are_left_out(talk: Talk) -> None:
    said = talk("My card is 4111 1111 1111 1111.", "/mydata")
    assert "card number" in said.stdout
    assert "4111" not in said.stdout


def test_commands(talk: Talk) -> None:
    said = talk("/remember My dentist is Dr. Okafor.", "/forget dentist", "/used", "/dance", "/quit", "not heard")
    name = re.findall(r"#(\w{8}) ", said.stdout)[0]
    assert "/used" in said.stdout  # the help
    assert "Nothing was asked yet." in said.stderr
    assert f"Erased: #{name}." in talk(f"/forget #{name}").stdout
    assert phrases.NOTHING_KEPT in talk("/mydata").stdout


def test_replies_as_json_come_one_a_line(talk: Talk) -> None:
    said = talk("My dentist is Dr. Okafor.", "Who is my dentist?", "/used", "/mydata", options=("--json",))
    lines = [json.loads(line) for line in said.stdout.splitlines()]
    assert lines[0] == {"said": phrases.NOTED}
    assert lines[1]["citations"][0]["quote"] == "My dentist is Dr. Okafor."
    assert lines[2]["results"][0]["text"] == "My dentist is Dr. Okafor."
    assert [line["text"] for line in lines[4:]] == ["My dentist is Dr. Okafor.", "Who is my dentist?"]


def test_all_of_a_large_memory_is_not_poured_out(talk: Talk) -> None:
    said = talk(*(f"Number {number} is kept." for number in range(chat.MOST_SHOWN + 5)), "/mydata")
    assert said.stdout.count('"text": "Number') == chat.MOST_SHOWN
    assert "aimem export" in said.stderr


class Interrupted:
    """A memory whose answer is stopped by the person in its middle."""

    def __init__(self, memory: AIMMemory) -> None:
        self._memory = memory
        self.closed = False

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._memory, verb)

    def stream_answer(self, *_: object, **__: object) -> Iterator[AnswerEvent]:
        try:
            yield AnswerEvent(event="delta", body={"text": "The answer"})
            raise KeyboardInterrupt
        finally:
            self.closed = True


def test_ctrl_c_stops_an_answer_and_not_the_conversation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with memory_in(tmp_path) as real:
        memory = Interrupted(real)
        talk = chat.Conversation(cast(AIMMemory, memory), "test/ada", "s", None)
        talk.hear("Who is my dentist?")
        talk.hear("My dentist is Dr. Okafor.")
        kept = [view.text for view in real.iterate(namespace="test/ada")]
    assert memory.closed
    assert kept == ["Who is my dentist?", "My dentist is Dr. Okafor."]
    assert "The answer" in capsys.readouterr().out


def test_a_memory_that_is_away_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    talk = chat.Conversation(cast(AIMMemory, Away()), "test/ada", "s", None)
    talk.hear("My dentist is Dr. Okafor.")
    printed = capsys.readouterr()
    assert "✗ away" in printed.err
    assert printed.out == ""
