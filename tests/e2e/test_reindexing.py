"""``aimem reindex`` and ``aimem jobs`` on a data folder, from one hashing embedder to another and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from aim_memory.cli.commands import app
from aim_memory.cli.local_server import LocalServer
from aim_memory.cli.output import Exit

Aimem = Callable[..., Result]
FIRST, SMALL = "hashing-1|256", "hashing-1|64"


@pytest.fixture
def aimem(tmp_path: Path) -> Aimem:
    """Runs a command in a folder that was moved to the first hashing embedder, and whose settings name none."""
    env = {"AIM_HOME": str(tmp_path / "home")}
    runner = CliRunner()
    for arguments in (["write", "My dentist is Dr. Okafor.", "--id", "m"], ["reindex", "--to", "hashing"]):
        result = runner.invoke(app, arguments, env={**env, "AIM_EMBEDDER__KIND": "hashing"})
        assert result.exit_code == 0, result.output
    return lambda *arguments: runner.invoke(app, list(arguments), env=env)


def run(aimem: Aimem, *arguments: str) -> Any:
    """The JSON that a command prints."""
    result = aimem(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_folder_is_moved_to_another_embedder_and_back(aimem: Aimem) -> None:
    assert run(aimem, "reindex", "--dry-run") == {"generation": FIRST, "waiting": 0, "prunable": 0}
    outlook = run(aimem, "reindex", "--to", "hashing:64", "--dry-run")
    assert outlook == {"generation": SMALL, "waiting": 1, "prunable": 0}

    moved = run(aimem, "reindex", "--to", "hashing:64")
    assert (moved["generation"], moved["embedded"]) == (SMALL, 1)
    assert run(aimem, "reindex", "--dry-run") == {"generation": SMALL, "waiting": 0, "prunable": 1}
    assert run(aimem, "query", "Who is my dentist?")["results"][0]["id"] == "m"

    back = {"former": SMALL, "generation": FIRST, "waiting": 0, "prunable": 1}
    assert run(aimem, "reindex", "--rollback", "--dry-run") == back
    assert run(aimem, "reindex", "--rollback") == back
    assert run(aimem, "reindex", "--dry-run")["generation"] == FIRST
    assert not run(aimem, "query", "Who is my dentist?")["degraded"]

    assert run(aimem, "reindex", "--prune")["pruned"] == 1
    assert run(aimem, "reindex", "--to", "hashing:64", "--dry-run")["waiting"] == 1


def test_jobs_are_listed_shown_and_not_ended_twice(aimem: Aimem) -> None:
    job = run(aimem, "reindex", "--to", "hashing:64")["job"]
    listed = run(aimem, "jobs", "list")["items"]
    assert [item["state"] for item in listed] == ["done", "done"]
    shown = run(aimem, "jobs", "show", job)
    assert shown == listed[0]
    assert (shown["kind"], shown["done"], shown["result"]["generation"]) == ("reindex", 1, SMALL)
    assert aimem("jobs", "cancel", job).exit_code == Exit.CONFLICT
    assert aimem("jobs", "show", "ghost").exit_code == Exit.NOT_FOUND
    assert "reindex" in aimem("jobs", "list").stdout


def test_what_settings_name_goes_first_and_that_is_said(aimem: Aimem, monkeypatch: pytest.MonkeyPatch) -> None:
    run(aimem, "reindex", "--to", "hashing:64")
    monkeypatch.setenv("AIM_EMBEDDER__KIND", "hashing")
    assert run(aimem, "reindex", "--dry-run")["generation"] == FIRST
    said = aimem("reindex", "--to", "hashing:32")
    assert said.exit_code == 0
    assert "AIM_EMBEDDER__KIND" in said.stderr


@pytest.mark.parametrize(
    "arguments",
    [("--to", "hashing:many"), ("--to", "hashing:0"), ("--to", ""), ("--rollback", "--prune"), ("--to", "openai:")],
)
def test_wrong_use_is_told_and_changes_nothing(aimem: Aimem, arguments: tuple[str, ...]) -> None:
    result = aimem("reindex", *arguments)
    assert result.exit_code == Exit.USAGE, result.output
    assert run(aimem, "reindex", "--dry-run")["generation"] == FIRST


def test_there_may_be_nothing_to_go_back_from(aimem: Aimem) -> None:
    run(aimem, "reindex", "--rollback")
    result = aimem("reindex", "--rollback")
    assert result.exit_code == Exit.NOT_FOUND, result.output


def test_a_server_is_moved_to_another_embedder_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIM_EMBEDDER__KIND", "hashing")
    runner = CliRunner()
    with LocalServer(tmp_path / "home") as server:
        server.wait_until_ready()

        def aimem(*arguments: str) -> Result:
            return runner.invoke(app, list(arguments), env={"AIM_URL": server.url})

        run(aimem, "write", "My dentist is Dr. Okafor.", "--id", "m")
        assert run(aimem, "reindex", "--dry-run") == {"generation": FIRST, "waiting": 0, "prunable": 0}
        assert run(aimem, "reindex", "--to", "hashing:64", "--dry-run")["waiting"] == 1
        moved = run(aimem, "reindex", "--to", "hashing:64")
        assert (moved["generation"], moved["embedded"]) == (SMALL, 1)
        assert run(aimem, "reindex", "--dry-run") == {"generation": FIRST, "waiting": 0, "prunable": 1}
        assert run(aimem, "reindex", "--prune")["pruned"] == 1
        assert run(aimem, "reindex", "--rollback", "--dry-run")["former"] == SMALL
        assert run(aimem, "reindex", "--rollback")["former"] == SMALL
        assert aimem("reindex", "--rollback").exit_code == Exit.NOT_FOUND
        listed = run(aimem, "jobs", "list")["items"]
        assert [job["kind"] for job in listed] == ["prune", "reindex"]
        assert run(aimem, "jobs", "list", "--limit", "1")["items"] == listed[:1]
        assert run(aimem, "jobs", "show", moved["job"]) == listed[1]
        assert aimem("jobs", "cancel", moved["job"]).exit_code == Exit.CONFLICT
        assert aimem("jobs", "show", "ghost").exit_code == Exit.NOT_FOUND
        assert aimem("reindex", "--to", "no such model", "--dry-run").exit_code == Exit.USAGE
