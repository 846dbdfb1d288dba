"""Damage is found: in a live store by ``verify``, whatever it hit; in a backup at every byte."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import psycopg
import pytest

from aim_memory.embedded import AIMMemory
from aim_memory.errors import StorageError
from aim_memory.settings import Settings
from aim_memory.storage.carrying import Tally, tally
from aim_memory.storage.database import Database
from tests import postgres
from tests.figures import figure
from tests.vaults import furnish, quiet, settings_of, vault_of

# What is done to a store, and which flaw tells of it.
DAMAGES = {
    "a change is lost": ("DELETE FROM changes WHERE seq = 2 AND namespace_id = 1", "log"),
    "the counter runs ahead": ("UPDATE namespaces SET seq = seq + 1 WHERE id = 1", "log"),
    "the counter falls behind": ("UPDATE namespaces SET seq = seq - 1 WHERE id = 1", "log"),
    "the count of writes falls behind": ("UPDATE namespaces SET ordinal = 1 WHERE id = 1", "ordinal"),
    "a memory is lost": ("DELETE FROM memories WHERE id = 'b1'", "lost"),
    "a deleted memory is back": ("UPDATE changes SET kind = 'delete' WHERE memory_id = 'b1'", "undead"),
    "a memory nobody was told of": ("UPDATE changes SET memory_id = 'x' WHERE memory_id = 'b1'", "unlogged"),
    "an unknown kind of change": ("UPDATE changes SET kind = 'wave' WHERE memory_id = 'b1'", "value"),
    "an unknown trust": ("UPDATE memories SET trust = 'blind' WHERE id = 'b1'", "value"),
    "a lost original": ("DELETE FROM evidence WHERE namespace_id = 2", "link"),
    "an original that is garbled": ("UPDATE evidence SET body = X'00' WHERE namespace_id = 2", "original"),
    "an original of another text": (
        "UPDATE evidence SET body = (SELECT max(body) FROM evidence) WHERE namespace_id = 2",
        "original",
    ),
    "an original of another length": ("UPDATE evidence SET chars = chars + 1", "original"),
    "an original that belongs to nothing": (
        "UPDATE memories SET evidence_id = (SELECT evidence_id FROM memories WHERE id = 'b2') WHERE id = 'b1'",
        "orphan",
    ),
    "a stretch beyond its original": ('UPDATE memories SET "end" = "end" + 1 WHERE id = \'b1\'', "content"),
    "another digest": ("UPDATE memories SET digest = 'f' WHERE id = 'b1'", "content"),
    "another speaker": ("UPDATE memories SET speaker = 'Bo' WHERE id = 'm0'", "content"),
    "metadata that is no JSON": ("UPDATE memories SET metadata = '{' WHERE id = 'b1'", "content"),
    "an anchor that moved": ("UPDATE memories SET anchors = replace(anchors, '1 euros', '7 euros')", "content"),
    "superseded by nobody": ("UPDATE memories SET superseded_by = 'x' WHERE id = 'm0'", "superseded"),
    "superseded without an end": ("UPDATE memories SET valid_until = NULL WHERE id = 'm0'", "validity"),
    "valid from another time": ("UPDATE memories SET valid_from = 7 WHERE id = 'b1'", "validity"),
    "closed by nobody": ("UPDATE statements SET closed_by = 'x' WHERE memory_id = 'm0'", "closing"),
    "closed by itself": ("UPDATE statements SET closed_by = 'm0' WHERE memory_id = 'm0'", "closing"),
    "closed, and current": (
        "UPDATE memories SET superseded_by = NULL, valid_until = NULL WHERE id = 'm0'",
        "closed",
    ),
    "a statement of another time": ("UPDATE statements SET event_time = 7 WHERE memory_id = 'm0'", "statement"),
    "a lost segment": ("DELETE FROM segments WHERE memory_id = 'b1'", "parts"),
    "a segment in another place": ("UPDATE segments SET position = 3 WHERE memory_id = 'b1'", "parts"),
    "terms that are no counts": ("UPDATE segments SET terms = '{\"a\": -1}' WHERE memory_id = 'b1'", "segment"),
    "a segment beyond its text": ("UPDATE segments SET \"end\" = 9999 WHERE memory_id = 'b1'", "segment"),
    "a lost vector": ("UPDATE segments SET vector = NULL WHERE memory_id = 'b1'", "pending"),
    "a vector of another dimension": ("UPDATE segments SET vector = X'0000803F' WHERE memory_id = 'b1'", "vector"),
    "a vector that is not unit": ("UPDATE segments SET vector = zeroblob(1024) WHERE memory_id = 'b1'", "vector"),
    "a lost version": ("DELETE FROM versions WHERE memory_id = 'b0'", "parts"),
    "a version beyond its original": ('UPDATE versions SET "end" = 9999', "stretch"),
    "a memory of a lost namespace": ("DELETE FROM namespaces WHERE id = 2", "link"),
    "a key of no role": ("UPDATE api_keys SET role = 'god'", "key"),
    "a session of no course": ("UPDATE sessions SET direction = X'00'", "session"),
}
FLIPS = 100


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = settings_of("sqlite", tmp_path_factory.mktemp("sound"))
    furnish(settings)
    assert vault_of(settings).verify(quiet).flaws == []
    return settings


@pytest.fixture
def store(sound: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(sound.home, tmp_path / "home")
    return settings_of("sqlite", tmp_path / "home")


@pytest.fixture
def backup(sound: Settings, tmp_path: Path) -> Path:
    vault_of(sound).backup(tmp_path / "backup", quiet)
    return tmp_path / "backup"


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_and_named(store: Settings, damage: str) -> None:
    statement, code = DAMAGES[damage]
    with closing(sqlite3.connect(store.home / "aim.db")) as connection, connection:
        assert connection.execute(statement).rowcount > 0
    found = vault_of(store).verify(quiet)
    assert not found.sound
    assert code in {flaw.code for flaw in found.flaws}, found.flaws
    assert all(flaw.remedy and flaw.found and flaw.where for flaw in found.flaws)


@pytest.mark.parametrize("damage", ["a change is lost", "superseded by nobody", "a lost vector", "another digest"])
def test_damage_is_found_on_postgresql_too(damage: str, tmp_path: Path) -> None:
    settings = settings_of("postgresql", tmp_path)
    furnish(settings)
    assert vault_of(settings).verify(quiet).flaws == []
    statement, code = DAMAGES[damage]
    url = postgres.server().superuser_url(tmp_path).replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url) as connection:
        first = "SELECT min(id) FROM namespaces"
        changed = connection.execute(statement.replace("namespace_id = 1", f"namespace_id = ({first})").encode())
        assert changed.rowcount > 0
    assert code in {flaw.code for flaw in vault_of(settings).verify(quiet).flaws}


def test_a_page_that_was_overwritten_is_found(store: Settings) -> None:
    file = store.home / "aim.db"
    size = file.stat().st_size
    with file.open("r+b") as pages:
        pages.seek(size // 2)
        pages.write(b"\xff" * 4096)
    try:
        flaws = [flaw.code for flaw in vault_of(store).verify(quiet).flaws]
    except StorageError:
        flaws = ["unopened"]
    assert flaws


def test_every_flipped_bit_of_a_backup_is_noticed(backup: Path) -> None:
    chance, noticed = np.random.default_rng(7), 0
    files = [backup / "aim.db", backup / "manifest.json"]
    for number in range(FLIPS):
        file = files[number % 2]
        with file.open("r+b") as body:
            place = int(chance.integers(file.stat().st_size))
            body.seek(place)
            before = body.read(1)[0]
            for byte in (before ^ (1 << int(chance.integers(8))), before):
                body.seek(place)
                body.write(bytes([byte]))
                body.flush()
                if byte != before:
                    with pytest.raises(StorageError, match="damaged"):
                        vault_of(settings_of("sqlite", backup.parent / "elsewhere")).prove(backup, quiet)
                    noticed += 1
    assert vault_of(settings_of("sqlite", backup.parent / "elsewhere")).prove(backup, quiet).sound
    figure("a backup that restores", f"{FLIPS} single-bit flips in its two files", f"{noticed} noticed")


def _killed_at(step: int, settings: Settings, backup: Path) -> bool:
    """Whether a restore, in a process of its own that is ended at a step without a word, was ended there."""
    child = os.fork()
    if child == 0:
        left = iter(range(step))

        def end(*_: object) -> None:
            if next(left, None) is None:
                os._exit(9)

        vault_of(settings).restore(backup, end, replace=True)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def _steps(settings: Settings, backup: Path) -> Iterator[int]:
    step = 0
    while _killed_at(step, settings, backup):
        yield step
        step += 1


def test_a_restore_that_is_killed_leaves_the_old_store_or_the_new(
    sound: Settings, store: Settings, tmp_path: Path
) -> None:
    vault_of(sound).backup(tmp_path / "backup", quiet)
    with AIMMemory(settings=store) as memory:
        memory.write("only in the old store", namespace="user/ada")
    old, new, switched = _rows(store), _rows(sound), 0
    for step in _steps(store, tmp_path / "backup"):
        found = _rows(store)
        switched += found == new
        assert found == (new if switched else old), step
    assert switched == 1, "killed between the switch and the end"
    assert _rows(store) == new
    assert not (store.home / "restoring").exists()
    figure("a backup that restores", f"killed at each of {step + 1} steps", "the old store, whole, or the new, whole")


def _rows(settings: Settings) -> dict[str, Tally]:
    """A digest of all rows, but of the log that no restore replaces."""
    with closing(Database(settings.database_url)) as database, database.reading() as connection:
        return {name: found for name, found in tally(connection, lambda _: None).items() if name != "audit"}
