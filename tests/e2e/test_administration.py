"""Administration by hand, on a folder and on a running server; and every command that docs/administration.md shows."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aim_memory import Client
from aim_memory.bodies import BackupManifest, EraseReceipt
from aim_memory.cli.commands import app
from aim_memory.cli.local_server import LocalServer
from aim_memory.cli.output import Exit
from aim_memory.engine.receipts import receipt_digest
from aim_memory.errors import ConflictError
from tests import postgres

DOUBLE = {"AIM_EMBEDDER__KIND": "hashing"}
PAGE = Path(__file__).resolve().parents[2] / "docs" / "administration.md"
Aimem = Callable[..., Result]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIM_EMBEDDER__KIND", "hashing")
        running = LocalServer(tmp_path_factory.mktemp("server"))
    with running:
        running.wait_until_ready()
        yield running


def aimem_on(home: Path, **env: str) -> Aimem:
    known = {**DOUBLE, "AIM_HOME": str(home), **env}
    return lambda *arguments: CliRunner().invoke(app, list(arguments), env=known)


@pytest.fixture
def folder(tmp_path: Path) -> Aimem:
    return aimem_on(tmp_path / "home")


@pytest.fixture(params=["folder", "server"])
def aimem(request: pytest.FixtureRequest, tmp_path: Path) -> Aimem:
    env = {"AIM_URL": request.getfixturevalue("server").url} if request.param == "server" else {}
    return aimem_on(tmp_path / "home", **env)


def run(aimem: Aimem, *arguments: str) -> Any:
    """The JSON that a command prints."""
    result = aimem(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_backup_is_made_proved_and_restored(aimem: Aimem, folder: Aimem, tmp_path: Path) -> None:
    run(aimem, "write", "My dentist is Dr. Okafor.", "-n", "user/ada")
    backup, elsewhere = str(tmp_path / "backup"), str(tmp_path / "elsewhere")
    made = BackupManifest(**run(aimem, "backup", backup))
    assert made.tables["memories"].rows >= 1
    assert run(folder, "backup", "verify", backup)["sound"]
    assert aimem("backup", backup).exit_code == Exit.CONFLICT
    assert run(folder, "restore", backup, "--into", elsewhere, "--dry-run")["would_replace"] == "nothing"
    assert not Path(elsewhere).exists()
    assert run(folder, "restore", backup, "--into", elsewhere)["restored"] == made.tables["memories"].rows
    assert folder("restore", backup, "--into", elsewhere).exit_code == Exit.CONFLICT
    assert folder("restore", backup, "--into", elsewhere, "--replace").exit_code == Exit.USAGE, "nobody can be asked"
    assert run(folder, "restore", backup, "--into", elsewhere, "--replace", "--yes")
    found = run(aimem_on(Path(elsewhere)), "query", "dentist", "-n", "user/ada")
    assert "Okafor" in found["results"][0]["text"]


def test_a_damaged_backup_ends_with_1(folder: Aimem, tmp_path: Path) -> None:
    run(folder, "write", "hello")
    backup = tmp_path / "backup"
    run(folder, "backup", str(backup))
    with (backup / "aim.db").open("r+b") as rows:
        rows.seek(5000)
        rows.write(b"!")
    for command in (("backup", "verify", str(backup)), ("restore", str(backup), "--into", str(tmp_path / "x"))):
        ended = folder(*command)
        assert (ended.exit_code, "damaged" in ended.stderr) == (Exit.FAILURE, True)
    assert folder("backup", "verify", str(tmp_path)).exit_code == Exit.USAGE
    assert not (tmp_path / "x" / "aim.db").exists()


def test_verify_ends_with_1_when_something_is_wrong(folder: Aimem, tmp_path: Path) -> None:
    import sqlite3
    from contextlib import closing

    assert folder("verify").exit_code == Exit.NOT_FOUND
    run(folder, "write", "hello")
    assert run(folder, "verify")["flaws"] == []
    with closing(sqlite3.connect(tmp_path / "home" / "aim.db")) as store, store:
        store.execute("UPDATE namespaces SET seq = 7")
    ended = folder("verify", "--json")
    assert ended.exit_code == Exit.FAILURE
    assert json.loads(ended.stdout)["flaws"][0]["code"] == "log"
    assert "seq 7" in folder("verify").stdout


def test_verify_on_a_server(server: LocalServer, tmp_path: Path) -> None:
    assert run(aimem_on(tmp_path, AIM_URL=server.url), "verify")["sound"]


def test_a_namespace_is_counted_erased_and_noted(aimem: Aimem) -> None:
    run(aimem, "write", "My dentist is Dr. Okafor.", "-n", "user/erased")
    assert run(aimem, "stats", "-n", "user/erased")["memories"] == 1
    assert run(aimem, "erase", "user/erased", "--dry-run")["would_erase"]["memories"] == 1
    assert aimem("erase", "user/erased").exit_code == Exit.USAGE
    receipt = EraseReceipt(**run(aimem, "erase", "user/erased", "--yes"))
    assert (receipt.by, receipt.erased["memories"]) == ("local", 1)
    assert receipt.sha256 == receipt_digest(receipt)
    assert aimem("erase", "user/erased", "--yes").exit_code == Exit.NOT_FOUND
    assert isinstance(run(aimem, "audit")["items"], list)


def test_the_schema_is_told_and_brought_up(folder: Aimem) -> None:
    before = run(folder, "migrate", "--dry-run")
    assert (before["schema"], before["migrated"]) == ("none", False)
    assert run(folder, "migrate")["migrated"]
    assert run(folder, "migrate") == {
        "schema": before["of this version"],
        "of this version": before["of this version"],
        "migrated": False,
    }


def test_the_sdk_administers(server: LocalServer, tmp_path: Path) -> None:
    with Client(server.url) as memory:
        memory.write("a line\u2028in two", namespace="user/sdk")
        lines = list(memory.admin.export(namespace="user/sdk"))
        assert [json.loads(line)["text"] for line in lines] == ["a line\u2028in two"]
        assert memory.admin.stats(namespace="user/sdk").rows["memories"] == 1
        job = memory.admin.reindex()
        assert job.id in {each.id for each in memory.admin.jobs().items}
        assert memory.admin.job(job.id).kind == "reindex"
        heard: list[int] = []
        memory.admin.backup(tmp_path / "backup", heard.append)
        assert sum(heard) > 10_000
        with pytest.raises(ConflictError):
            memory.admin.backup(tmp_path / "backup")
        assert memory.admin.verify().sound
        assert memory.admin.audit(limit=1).items[0].action == "verify"
        assert memory.admin.keys().items == []


def test_every_command_of_the_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From top to bottom, as written, in an empty folder; what needs a server is shown with --url or curl."""
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8").replace("postgresql+psycopg://aim@db/memory", postgres.url(tmp_path))
    shown = [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    commands = [line for line in shown if line.startswith("aimem ") and "--url" not in line]
    assert len(commands) >= 12
    for command in commands:
        words = shlex.split(command.partition(" > ")[0].partition(" # ")[0])
        ended = CliRunner().invoke(app, words[1:], env={**DOUBLE, "AIM_HOME": str(tmp_path / "home")})
        assert ended.exit_code == 0, (command, ended.output)
