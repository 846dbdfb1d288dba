"""The command line, on a data folder and on a running server: the same commands, the same replies, the same codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from aim_memory import errors
from aim_memory.bodies import AnswerReply, MemoryPage, MemoryView, NamespacePage, QueryReply, WriteReply
from aim_memory.cli.commands import app
from aim_memory.cli.local_server import LocalServer
from aim_memory.cli.output import Exit, exit_code
from aim_memory.transfer import FORMAT

DOUBLE = {"AIM_EMBEDDER__KIND": "hashing"}
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
    """Runs a command; each test on the server has a namespace of its own by the name of the test."""
    env = {**DOUBLE, "AIM_HOME": str(tmp_path / "home")}
    if request.param == "server":
        env["AIM_URL"] = request.getfixturevalue("server").url
    return lambda *arguments, stdin=None: CliRunner().invoke(app, list(arguments), env=env, input=stdin)


@pytest.fixture
def space(request: pytest.FixtureRequest) -> str:
    return f"test/{request.node.name}".replace("[", "-").replace("]", "")


def run(aimem: Aimem, *arguments: str) -> Any:
    """The JSON that a command prints."""
    result = aimem(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def error(result: Result) -> Any:
    return json.loads(result.stderr.strip().splitlines()[-1])["error"]


# --- writing, reading, asking --------------------------------------------------------------------------------------


def test_what_is_written_is_found_answered_shown_edited_and_forgotten(aimem: Aimem, space: str) -> None:
    where = ("-n", space)
    wrote = WriteReply(
        **run(aimem, "write", "My dentist is Dr. Okafor.", *where, "--speaker", "Ada", "--at", "2025-05-01")
    )
    id = wrote.results[0].id
    assert wrote.results[0].status == "created"

    found = QueryReply(**run(aimem, "query", "Who is my dentist?", *where, "--explain"))
    assert [hit.id for hit in found.results] == [id]
    assert found.results[0].scores is not None
    answered = AnswerReply(**run(aimem, "answer", "Who is my dentist?", *where))
    assert "Okafor" in answered.answer
    assert answered.citations[0].memory_id == id

    shown = MemoryView(**run(aimem, "show", id))
    assert (shown.text, shown.speaker, shown.timestamp.isoformat()) == (
        "My dentist is Dr. Okafor.", "Ada", "2025-05-01T00:00:00+00:00",
    )  # fmt: skip
    edited = MemoryView(**run(aimem, "edit", id, "--text", "My dentist is Dr. Lindqvist.", "--pin", "--version", "1"))
    assert (edited.text, edited.pinned, edited.version) == ("My dentist is Dr. Lindqvist.", True, 2)
    assert [version["text"][-10:] for version in run(aimem, "show", id, "--history")["versions"]] == [
        "r. Okafor.", "Lindqvist.",
    ]  # fmt: skip
    assert run(aimem, "show", id, "--evidence")["original"] == "My dentist is Dr. Lindqvist."

    assert run(aimem, "forget", id, "--yes") == {"deleted": 1}
    assert aimem("show", id).exit_code == Exit.NOT_FOUND


def test_people_are_shown_pictures(aimem: Aimem, space: str) -> None:
    where = ("-n", space)
    id = run(aimem, "write", "我的牙医是王医生。", *where, "--speaker", "小王")["results"][0]["id"]
    for arguments in (
        ("list", *where),
        ("query", "我的牙医是谁？", *where, "--explain"),
        ("answer", "我的牙医是谁？", *where),
        ("show", id),
        ("show", id, "--history"),
        ("show", id, "--evidence"),
        ("namespaces",),
    ):
        result = aimem(*arguments)
        assert result.exit_code == 0, result.output
        wanted = space if arguments == ("namespaces",) else "我的牙医是王医生"
        assert wanted in result.stdout.replace("\n", "")


def test_text_can_come_from_stdin(aimem: Aimem, space: str) -> None:
    assert aimem("write", "-", "-n", space, stdin="A line of poetry.").exit_code == 0
    assert run(aimem, "list", "-n", space)["items"][0]["text"] == "A line of poetry."


def test_lists_come_in_pages_and_filtered(aimem: Aimem, space: str) -> None:
    for number in range(3):
        run(aimem, "write", f"Turn {number}.", "-n", space, "--at", f"2025-05-0{number + 1}", "--speaker", f"S{number}")
    first = MemoryPage(**run(aimem, "list", "-n", space, "--limit", "2"))
    assert first.next_cursor
    rest = MemoryPage(**run(aimem, "list", "-n", space, "--limit", "2", "--cursor", first.next_cursor))
    assert [memory.text for memory in (*first.items, *rest.items)] == ["Turn 0.", "Turn 1.", "Turn 2."]
    assert rest.next_cursor is None
    for options in (("--since", "2025-05-02", "--until", "2025-05-03"), ("--filter", '{"speaker": {"eq": "S1"}}')):
        page = MemoryPage(**run(aimem, "list", "-n", space, *options))
        assert [memory.text for memory in page.items] == ["Turn 1."]


def test_sessions_are_listed_shown_and_reset(aimem: Aimem, space: str) -> None:
    run(aimem, "write", "The bicycle cost 1,840.", "-n", space)
    run(aimem, "query", "Which bicycle?", "-n", space, "--session", "s1")
    assert [found["id"] for found in run(aimem, "sessions", "list", "-n", space)["items"]] == ["s1"]
    assert run(aimem, "sessions", "show", "s1", "-n", space)["turns"] == 1
    assert run(aimem, "sessions", "reset", "s1", "-n", space) == {"reset": True}
    assert run(aimem, "sessions", "reset", "s1", "-n", space) == {"reset": False}


# --- erasing -------------------------------------------------------------------------------------------------------


def test_erasing_asks_first_and_can_be_rehearsed(aimem: Aimem, space: str) -> None:
    id = run(aimem, "write", "Keep me.", "-n", space)["results"][0]["id"]
    for arguments in (("forget", id), ("forget", "--all", "-n", space)):
        refused = aimem(*arguments)
        assert refused.exit_code == Exit.USAGE
        assert "--yes" in refused.stderr
    assert MemoryPage(**run(aimem, "forget", id, "--dry-run")).items[0].id == id
    assert run(aimem, "forget", "--all", "-n", space, "--dry-run") == {"namespace": space, "would_erase": 1}
    assert len(run(aimem, "list", "-n", space)["items"]) == 1

    receipt = run(aimem, "forget", "--all", "-n", space, "--yes")
    assert receipt["namespace"] == space
    assert receipt["erased"]["memories"] == 1
    assert space not in [found.namespace for found in NamespacePage(**run(aimem, "namespaces")).items]


# --- in and out ----------------------------------------------------------------------------------------------------


def test_a_file_is_imported_once_and_comes_out_as_it_went_in(aimem: Aimem, space: str, tmp_path: Path) -> None:
    turns = [
        {"id": f"t{number}", "namespace": space, "session_id": "s", "speaker": "Ada", "role": "user",
         "timestamp": f"2025-05-01T12:{number:02}:00Z", "text": f"Turn {number}: 你好", "source": "chat"}
        for number in range(30)
    ]  # fmt: skip
    file = tmp_path / "in.jsonl"
    file.write_text("".join(json.dumps(turn) + "\n" for turn in turns))
    assert run(aimem, "import", str(file), "--dry-run")["valid"] == 30
    assert run(aimem, "import", str(file))["created"] == 30
    again = run(aimem, "import", str(file))
    assert (again["created"], again["unchanged"], again["rejected"]) == (0, 30, 0)

    out = tmp_path / "out.jsonl"
    assert run(aimem, "export", str(out), "-n", space)["exported"] == 30
    assert [json.loads(line) for line in out.read_text().splitlines()] == [{"format": FORMAT, **turn} for turn in turns]
    assert out.stat().st_mode & 0o077 == 0
    assert run(aimem, "import", str(out))["unchanged"] == 30
    piped = aimem("export", "-n", space)
    assert piped.stdout == out.read_text()


def test_broken_lines_are_named_and_the_rest_is_imported(aimem: Aimem, space: str, tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text('{"text": "one"}\n{"txt": "two"}\nthree\n{"text": "four"}\n')
    result = aimem("import", str(file), "-n", space, "--json")
    assert result.exit_code == Exit.FAILURE
    report = json.loads(result.stdout)
    assert report["created"] == 2
    assert [problem["line"] for problem in report["problems"]] == [2, 3]
    assert "Field required" in aimem("import", str(file), "-n", space).stdout


# --- errors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "name"),
    [
        (("show", "01900000-0000-7000-8000-000000000000"), Exit.NOT_FOUND, "not_found"),
        (("query", "q", "--top-k", "0"), Exit.USAGE, "invalid_input"),
        (("query", "q", "--filter", "{"), Exit.USAGE, "invalid_input"),
        (("list", "--since", "yesterday"), Exit.USAGE, "invalid_input"),
        (("write", "x", "-n", "a//b"), Exit.USAGE, "invalid_input"),
        (("import", "/no/such/file"), Exit.USAGE, "invalid_input"),
        (("forget",), Exit.USAGE, "invalid_input"),
        (("edit", "some-id"), Exit.USAGE, "invalid_input"),
    ],
)
def test_errors_are_one_line_with_a_code(aimem: Aimem, arguments: tuple[str, ...], code: Exit, name: str) -> None:
    result = aimem(*arguments, "--json")
    assert result.exit_code == code, result.output
    assert error(result)["code"] == name
    assert result.stdout == ""
    spoken = aimem(*arguments)
    assert spoken.exit_code == code
    assert spoken.stderr.startswith("✗ ")
    assert "Traceback" not in spoken.output


def test_a_conflict_has_its_code(aimem: Aimem, space: str) -> None:
    run(aimem, "write", "a", "-n", space, "--id", "mine")
    assert run(aimem, "write", "a", "-n", space, "--id", "mine")["results"][0]["status"] == "unchanged"
    assert aimem("write", "b", "-n", space, "--id", "mine").exit_code == Exit.CONFLICT
    assert aimem("edit", "mine", "-n", space, "--text", "c", "--version", "7").exit_code == Exit.CONFLICT


def test_an_unreachable_server_has_its_code(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["list", "--url", "http://127.0.0.1:1"], env={"AIM_HOME": str(tmp_path)})
    assert result.exit_code == Exit.UNREACHABLE
    assert "aimem serve" in result.stderr


def test_a_wrong_setting_names_itself(tmp_path: Path) -> None:
    env = {**DOUBLE, "AIM_HOME": str(tmp_path), "AIM_SERVER__PORT": "99999"}
    result = CliRunner().invoke(app, ["list"], env=env)
    assert result.exit_code == Exit.USAGE
    assert "AIM_SERVER__PORT" in result.stderr


@pytest.mark.parametrize("kind", [errors.AIMMemoryError, *errors.AIMMemoryError.__subclasses__()])
def test_every_error_has_an_exit_code(kind: type[errors.AIMMemoryError]) -> None:
    failure = kind("x", "y") if kind is errors.MissingExtraError else kind("x")  # type: ignore[call-arg]
    assert exit_code(failure) not in {Exit.OK, Exit.INTERRUPTED}


# --- the service ---------------------------------------------------------------------------------------------------


def test_a_key_may_end_by_itself(tmp_path: Path) -> None:
    def aimem(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments), env={**DOUBLE, "AIM_HOME": str(tmp_path)})

    made = run(aimem, "keys", "create", "metrics", "--role", "auditor", "--expires", "30d")
    lasts = datetime.fromisoformat(made["expires_at"]) - datetime.fromisoformat(made["created_at"])
    assert (made["role"], round(lasts / timedelta(hours=1))) == ("auditor", 30 * 24)
    until = run(aimem, "keys", "create", "guest", "--expires", "2999-01-01")
    assert until["expires_at"] == "2999-01-01T00:00:00+00:00"
    for wrong in ("soon", "0d", "30", "2020-01-01", "999999w"):
        assert aimem("keys", "create", "guest", "--expires", wrong).exit_code == Exit.USAGE, wrong


def test_keys_open_the_server_and_a_revoked_one_does_not(tmp_path: Path) -> None:
    env = {**DOUBLE, "AIM_HOME": str(tmp_path)}

    def aimem(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments), env=env)

    key = run(aimem, "keys", "create", "laptop", "--role", "writer")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIM_EMBEDDER__KIND", "hashing")
        server = LocalServer(tmp_path)
    with server:
        server.wait_until_ready()
        assert aimem("list", "--url", server.url).exit_code == Exit.DENIED
        assert aimem("write", "a", "--url", server.url, "--key", key["key"]).exit_code == 0
        assert aimem(
            "forget", "--all", "-n", "default", "--yes", "--url", server.url, "--key", key["key"]
        ).exit_code == (Exit.DENIED)
        assert run(aimem, "keys", "revoke", key["id"], "--yes") == {"id": key["id"], "revoked": True}
        assert aimem("list", "--url", server.url, "--key", key["key"]).exit_code == Exit.DENIED
        assert aimem("keys", "list", "--url", server.url).exit_code == Exit.DENIED
        admin = run(aimem, "keys", "create", "ops", "--role", "admin")
        there = ("--url", server.url, "--key", admin["key"])
        made = run(aimem, "keys", "create", "guest", "--role", "reader", *there)
        assert (made["tenant"], made["role"]) == ("local", "reader")
        assert aimem("keys", "create", "boss", "--role", "operator", *there).exit_code == Exit.DENIED
        assert run(aimem, "keys", "revoke", made["id"], "--yes", *there) == {"id": made["id"], "revoked": True}
        assert [found["name"] for found in run(aimem, "keys", "list", *there)["items"]] == ["laptop", "ops", "guest"]
    listed = run(aimem, "keys", "list")["items"]
    revoked = [(found["name"], found["revoked_at"] is not None) for found in listed]
    assert revoked == [("laptop", True), ("ops", False), ("guest", True)]
    assert key["key"] not in json.dumps(listed)
    assert aimem("keys", "revoke", key["id"], "--yes").exit_code == Exit.NOT_FOUND


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    env = {"AIM_HOME": str(tmp_path), "AIM_API_KEY": "s3cret", "AIM_GENERATOR__API_KEY": "s3cret"}
    for arguments in (["config", "show"], ["config", "show", "--json"]):
        result = CliRunner().invoke(app, arguments, env=env)
        assert result.exit_code == 0
        assert "s3cret" not in result.output
        assert "AIM_HOME" in result.output or json.loads(result.stdout)["home"] == str(tmp_path)


# --- the door itself -----------------------------------------------------------------------------------------------


def _commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, found in group.commands.items():
        if hasattr(found, "commands"):
            yield from _commands(found, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", list(_commands(get_command(app))), ids=" ".join)
def test_every_command_explains_itself_with_an_example(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*path, "--help"])
    assert result.exit_code == 0
    assert "Example" in result.stdout or path == ("bench",)
    if path != ("bench",):
        assert "--json" in result.stdout


def _loaded_by(statement: str) -> set[str]:
    script = f"import sys\n{statement}\nprint(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={**os.environ, **DOUBLE}
    )
    return {name.partition(".")[0] for name in ran.stdout.split()}


def test_the_http_sdk_loads_no_heavy_library() -> None:
    loaded = _loaded_by("from aim_memory import Client, AsyncClient, NotFoundError")
    assert not loaded & {"numpy", "torch", "faiss", "fastapi", "sqlalchemy", "typer", "rich", "pydantic_settings"}


CORE = {"torch", "transformers", "sentence_transformers", "faiss", "alembic", "fastapi", "uvicorn", "snowballstemmer"}
"""What takes longest to load; the stemmer stands for the engine, which alone loads it."""


def _loaded_to(*arguments: str) -> set[str]:
    """By a command, with what it shows drawn."""
    return _loaded_by(f"from aim_memory.cli.commands import app; app({list(arguments)}, standalone_mode=False)")


@pytest.mark.parametrize(
    ("arguments", "more"),
    [
        (("keys", "list"), set()),
        (("jobs", "list"), {"snowballstemmer"}),
        (("audit",), set()),
        (("stats",), set()),
        (("list",), {"snowballstemmer", "faiss"}),
        (("namespaces",), {"snowballstemmer"}),
        (("config", "show"), set()),
    ],
)
def test_a_command_on_a_folder_loads_what_it_needs_and_no_model(
    arguments: tuple[str, ...], more: set[str], tmp_path: Path
) -> None:
    CliRunner().invoke(app, ["write", "a", "--home", str(tmp_path)], env=DOUBLE)
    assert _loaded_to(*arguments, "--home", str(tmp_path)) & CORE <= more


def test_a_command_on_a_server_loads_what_the_client_needs(server: LocalServer) -> None:
    assert not _loaded_to("namespaces", "--url", server.url) & (CORE | {"numpy", "sqlalchemy"})


def test_starting_the_command_line_loads_none_either() -> None:
    loaded = _loaded_by("import aim_memory.cli.commands")
    assert not loaded & {"numpy", "torch", "faiss", "fastapi", "sqlalchemy", "httpx2", "pydantic", "asyncio"}
