"""Backups that restore: from both databases to both, online, whole or not at all."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from aim_memory.bodies import BackupManifest
from aim_memory.embedded import AIMMemory
from aim_memory.errors import ConflictError, InvalidInputError, NotFoundError, StorageBusyError, StorageError
from aim_memory.settings import Settings
from aim_memory.storage import manifest
from tests.vaults import DATABASES, furnish, quiet, settings_of, told, vault_of


@pytest.fixture(params=DATABASES)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    home = tmp_path / "home"
    home.mkdir()
    return settings_of(request.param, home)


def elsewhere(database: str, tmp_path: Path) -> Settings:
    home = tmp_path / f"elsewhere-{database}"
    home.mkdir()
    return settings_of(database, home)


@pytest.mark.parametrize("target", DATABASES)
def test_a_backup_of_either_database_comes_back_to_either(settings: Settings, target: str, tmp_path: Path) -> None:
    furnish(settings)
    vault, before = vault_of(settings), told(settings)
    made = vault.backup(tmp_path / "backup", quiet)
    assert vault.prove(tmp_path / "backup", quiet).sound
    other = elsewhere(target, tmp_path)
    assert vault_of(other).restore(tmp_path / "backup", quiet) == made
    assert told(other) == before
    assert vault_of(other).verify(quiet).flaws == []


def test_a_manifest_says_what_is_there(settings: Settings, tmp_path: Path) -> None:
    furnish(settings)
    made = vault_of(settings).backup(tmp_path / "backup", quiet)
    assert made == BackupManifest.model_validate_json((tmp_path / "backup" / "manifest.json").read_bytes())
    assert [(space.namespace, space.memories) for space in made.namespaces] == [("user/ada", 5), ("user/bo", 3)]
    assert dict(vault_of(settings).holdings()) == {name: table.rows for name, table in made.tables.items()}
    assert made.generations == {"hashing-1|256": 8}
    assert {file.name for file in (tmp_path / "backup").iterdir()} == {"aim.db", "manifest.json"}


def test_a_restored_namespace_is_another_to_its_followers(settings: Settings, tmp_path: Path) -> None:
    furnish(settings)
    vault = vault_of(settings)
    vault.backup(tmp_path / "backup", quiet)
    with AIMMemory(settings=settings) as memory:
        memory.write("written after the backup", namespace="user/ada")
        before = {space.namespace: space.epoch for space in memory.namespaces().items}
    vault.restore(tmp_path / "backup", quiet, replace=True)
    with AIMMemory(settings=settings) as memory:
        assert all(space.epoch > max(before.values()) for space in memory.namespaces().items)
        assert all("after the backup" not in hit.text for hit in memory.query("backup", namespace="user/ada").results)
        assert memory.write("on it goes", namespace="user/ada").results[0].status == "created"
    assert vault.verify(quiet).flaws == []


def test_what_is_there_is_replaced_only_when_told_so(settings: Settings, tmp_path: Path) -> None:
    furnish(settings)
    vault, before = vault_of(settings), told(settings)
    vault.backup(tmp_path / "backup", quiet)
    with pytest.raises(ConflictError, match="8 memories in 2 namespaces"):
        vault.restore(tmp_path / "backup", quiet)
    assert told(settings) == before
    with AIMMemory(settings=settings) as memory:
        memory.engine.store.note(replace(memory.engine.store.noted()[0], action="backup"))
    vault.restore(tmp_path / "backup", quiet, replace=True)
    after = told(settings)
    assert [entry.action for entry in after.pop("audit")] == ["backup", "erase"], "the log goes on"
    assert after == {name: found for name, found in before.items() if name != "audit"}


def test_a_backup_is_of_one_moment_while_writers_write(settings: Settings, tmp_path: Path) -> None:
    furnish(settings, filler=300)
    stop, written = threading.Event(), []

    def write(memory: AIMMemory) -> None:
        while not stop.is_set():
            written.append(memory.write(f"and {len(written)}", namespace="user/ada").seq)

    with AIMMemory(settings=settings) as memory:
        writer = threading.Thread(target=write, args=[memory])
        writer.start()
        try:
            made = vault_of(settings).backup(tmp_path / "backup", quiet)
        finally:
            stop.set()
            writer.join()
    assert vault_of(settings).prove(tmp_path / "backup", quiet).sound
    ada = next(space for space in made.namespaces if space.namespace == "user/ada")
    assert ada.seq <= written[-1]


def test_no_backup_is_written_over(settings: Settings, tmp_path: Path) -> None:
    furnish(settings)
    (tmp_path / "backup").mkdir()
    vault_of(settings).backup(tmp_path / "backup", quiet)
    with pytest.raises(ConflictError, match="never written over"):
        vault_of(settings).backup(tmp_path / "backup", quiet)


def test_what_is_no_backup_is_not_restored(settings: Settings, tmp_path: Path) -> None:
    for attempt in (vault_of(settings).prove, vault_of(settings).restore):
        with pytest.raises(InvalidInputError, match=r"no manifest\.json"):
            attempt(tmp_path, quiet)


def test_a_backup_of_a_newer_version_is_refused(settings: Settings, tmp_path: Path) -> None:
    furnish(settings)
    folder = tmp_path / "backup"
    made = vault_of(settings).backup(folder, quiet)
    with closing(sqlite3.connect(folder / "aim.db")) as rows, rows:
        rows.execute("UPDATE alembic_version SET version_num = '9999'")
    (folder / "manifest.json").unlink()
    newer = {"revision": "9999", "files": {"aim.db": manifest.entry(folder / "aim.db")}}
    manifest.write(made.model_copy(update=newer), folder)
    other = elsewhere("sqlite", tmp_path)
    with pytest.raises(StorageError, match="9999"):
        vault_of(other).restore(tmp_path / "backup", quiet)


def test_the_schema_is_told_and_brought_up(settings: Settings) -> None:
    vault = vault_of(settings)
    before, head = vault.revisions()
    assert before in (None, head)
    vault.migrate()
    assert vault.revisions() == (head, head)


def test_an_open_file_is_not_replaced(tmp_path: Path) -> None:
    settings = elsewhere("sqlite", tmp_path)
    furnish(settings)
    vault_of(settings).backup(tmp_path / "backup", quiet)
    with AIMMemory(settings=settings) as memory:
        with pytest.raises(StorageBusyError, match="Stop the server"):
            vault_of(settings).restore(tmp_path / "backup", quiet, replace=True)
        assert memory.write("still here", namespace="user/ada").seq


def test_there_is_no_backup_of_nothing(tmp_path: Path) -> None:
    settings = elsewhere("sqlite", tmp_path)
    assert dict(vault_of(settings).holdings()) == {}
    for attempt in (lambda: vault_of(settings).backup(tmp_path / "b", quiet), lambda: vault_of(settings).verify(quiet)):
        with pytest.raises(NotFoundError, match="There is no store"):
            attempt()
    assert not (tmp_path / "b").exists()


def test_a_file_that_is_no_store_is_left_alone(tmp_path: Path) -> None:
    source, target = elsewhere("sqlite", tmp_path), tmp_path / "other"
    furnish(source)
    vault_of(source).backup(tmp_path / "backup", quiet)
    target.mkdir()
    (target / "aim.db").write_bytes(b"no database " * 1000)
    with pytest.raises(StorageError, match="Move it away"):
        vault_of(settings_of("sqlite", target)).restore(tmp_path / "backup", quiet, replace=True)
    assert (target / "aim.db").read_bytes().startswith(b"no database")


def test_a_server_on_postgresql_notices_by_itself(tmp_path: Path) -> None:
    settings = elsewhere("postgresql", tmp_path)
    furnish(settings)
    vault_of(settings).backup(tmp_path / "backup", quiet)
    with AIMMemory(settings=settings) as memory:
        memory.write("My cat is called Biscuit.", namespace="user/ada")
        assert "Biscuit" in memory.query("What is my cat called?", namespace="user/ada").results[0].text
        vault_of(settings).restore(tmp_path / "backup", quiet, replace=True)
        assert all("Biscuit" not in hit.text for hit in memory.query("What is my cat?", namespace="user/ada").results)
        assert len(memory.list(namespace="user/ada").items) == 5
        assert memory.write("My dog is called Crumb.", namespace="user/ada").results[0].indexing == "ready"
        assert "Crumb" in memory.query("What is my dog called?", namespace="user/ada").results[0].text
    assert vault_of(settings).verify(quiet).flaws == []
