"""``aimem import --from``, on a folder and on a server, as a user would."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aim_memory.cli.commands import app
from aim_memory.cli.local_server import LocalServer
from aim_memory.cli.output import Exit
from aim_memory.cli.transferring import Origin
from aim_memory.importers.reading import FORMATS
from tests.importers import exports

DOUBLE = {"AIM_EMBEDDER__KIND": "hashing"}
PAGE = Path(__file__).resolve().parents[2] / "docs" / "import.md"
LEFT_OUT = {
    "chatgpt": exports.CHATGPT_LEFT_OUT,
    "claude": exports.CLAUDE_LEFT_OUT,
    "letta": exports.LETTA_LEFT_OUT,
    "mem0": exports.MEM0_LEFT_OUT,
    "zep": exports.ZEP_LEFT_OUT,
}
Aimem = Callable[..., Result]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIM_EMBEDDER__KIND", "hashing")
        running = LocalServer(tmp_path_factory.mktemp("server"))
    with running:
        running.wait_until_ready()
        yield running


@pytest.fixture(params=["folder", "server"])
def aimem(request: pytest.FixtureRequest, tmp_path: Path) -> Aimem:
    env = {**DOUBLE, "AIM_HOME": str(tmp_path / "home")}
    if request.param == "server":
        env["AIM_URL"] = request.getfixturevalue("server").url
    return lambda *arguments: CliRunner().invoke(app, list(arguments), env=env)


def source(folder: Path) -> dict[str, Path]:
    """An export of each program."""
    folder.mkdir(exist_ok=True)
    return {
        "mem0": exports.write(folder / "mem0.json", exports.mem0()),
        "zep": exports.write_lines(folder / "zep.jsonl", exports.zep()),
        "letta": exports.write(folder / "sam.af", exports.letta()),
        "langgraph": exports.langgraph_file(folder / "store.sqlite"),
        "chatgpt": exports.archive(folder / "chatgpt.zip", {"conversations.json": exports.chatgpt()}),
        "claude": exports.archive(folder / "claude.zip", {"conversations.json": exports.claude()}),
    }


def test_the_command_knows_every_format() -> None:
    assert {origin.value for origin in Origin} == set(FORMATS)


def test_every_export_is_imported_once(aimem: Aimem, tmp_path: Path) -> None:
    for origin, path in source(tmp_path / "exports").items():
        where = ("import", "--from", origin, str(path), "--namespace", f"test/{origin}", "--json")
        for arguments, created in (((*where, "--dry-run"), 0), (where, exports.KEPT), (where, 0)):
            ended = aimem(*arguments)
            said: dict[str, Any] = json.loads(ended.stdout)
            assert said["created"] == created, said
            assert ended.exit_code == (Exit.FAILURE if said["rejected"] else Exit.OK)
            assert len(said["problems"]) == said["rejected"]
            assert said.get("left_out", {}) == LEFT_OUT.get(origin, {})


def test_people_are_told_what_was_not_taken(aimem: Aimem, tmp_path: Path) -> None:
    ended = aimem("import", "--from", "chatgpt", str(source(tmp_path)["chatgpt"]), "-n", "test/told")
    assert ended.exit_code == Exit.FAILURE
    assert "not taken: a call of a tool" in ended.stdout
    assert "conversation 'Broken'" in ended.stdout


def test_a_trap_is_refused_in_a_line(aimem: Aimem, tmp_path: Path) -> None:
    path = exports.archive(tmp_path / "x.zip", {"conversations.json": b"[" + b" " * (30 << 20) + b"]"})
    ended = aimem("import", "--from", "chatgpt", str(path))
    assert ended.exit_code == Exit.USAGE
    assert "grows more than" in ended.stderr
    assert aimem("import", "--from", "nobody", str(path)).exit_code == Exit.USAGE


def test_every_command_of_the_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source(tmp_path)
    shown = [
        line
        for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
        for line in block.splitlines()
    ]
    commands = [line for line in shown if line.startswith("aimem ") and "--url" not in line]
    assert len(commands) >= 8
    for command in commands:
        ended = CliRunner().invoke(app, shlex.split(command)[1:], env={**DOUBLE, "AIM_HOME": str(tmp_path / "home")})
        assert ended.exit_code in {Exit.OK, Exit.FAILURE}, (command, ended.output)
        assert "✗" not in ended.output, (command, ended.output)
