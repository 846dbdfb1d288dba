"""Erased means gone: no byte in any file, and nothing that was on its way brings it back."""

from __future__ import annotations

import json
import sqlite3
import threading
import zlib
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import psycopg
import pytest

from aim_memory.embedded import AIMMemory
from aim_memory.engine.receipts import receipt_digest
from aim_memory.engine.upkeep import Upkeep
from aim_memory.errors import NotFoundError, StorageError
from aim_memory.settings import DatabaseSettings, RetentionSettings
from aim_memory.types import Space
from tests import postgres
from tests.figures import figure
from tests.vaults import DATABASES, settings_of

SPACE = "user/canary"
MANY = [100, pytest.param(1000, marks=pytest.mark.deep)]


def _text(number: int) -> str:
    return f"canary{number:05d} “sings” at 鸟笼{number:05d}"


def _sing(memory: AIMMemory, count: int) -> dict[str, bytes]:
    """Writes as many canaries, among others that stay, and returns what each leaves behind."""
    store, left = memory.engine.store, {}
    for start in range(0, count, 50):
        said = [{"id": f"c{n}", "text": _text(n), "metadata": {"n": _text(n)}} for n in range(start, start + 50)]
        memory.write(namespace=SPACE, memories=said)
        for other in range(8):  # neighbours on every page and in every partition
            said = [{"text": f"other {n}"} for n in range(start, start + 10)]
            memory.write(namespace=f"user/other/{other}", memories=said)
    memory.update("c0", namespace=SPACE, text="another canary")
    memory.query(_text(1), namespace=SPACE, session_id="canary-session")
    for row in store.snapshot(Space("local", SPACE))[1]:
        number = int(row.id.removeprefix("c"))
        left[f"text {number}"] = f"canary{number:05d}".encode()
        left[f"escaped {number}"] = json.dumps(f"鸟笼{number:05d}")[1:-1].encode()
        if row.segments[0].vector is not None and number:
            left[f"vector {number}"] = row.segments[0].vector.tobytes()
            left[f"original {number}"] = zlib.compress(_text(number).encode())
    return left


def _heard(folder: Path, canaries: Mapping[str, bytes]) -> set[str]:
    """Which canaries are in any file below a folder."""
    bodies = b"\0".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())
    return _among(bodies, canaries)


def _among(body: bytes, canaries: Mapping[str, bytes]) -> set[str]:
    """Which canaries are in some bytes, found by the eight that tell them best: one by one it would take minutes."""
    by_part: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for name, canary in canaries.items():
        at = _telling(canary)
        by_part[int.from_bytes(canary[at : at + 8], "little")].append((name, at))
    parts, found = np.array(list(by_part), np.uint64), set()
    for shift in range(8):
        words = np.frombuffer(body, "<u8", (len(body) - shift) // 8, shift)
        for place in np.flatnonzero(np.isin(words, parts)).tolist():
            known = by_part[int(words[place])]
            found |= {name for name, at in known if body.startswith(canaries[name], shift + 8 * place - at)}
    return found


def _telling(canary: bytes) -> int:
    """Where its eight most different bytes begin, the later the better: it begins as others do."""
    return max(range(min(len(canary) - 7, 256)), key=lambda at: (len(set(canary[at : at + 8])), at))


@pytest.mark.parametrize("count", MANY)
def test_no_canary_is_left_in_any_file_of_a_folder(tmp_path: Path, count: int) -> None:
    home = tmp_path / "home"
    with AIMMemory(settings=settings_of("sqlite", home)) as memory:
        canaries = _sing(memory, count)
        before = len(_heard(home, canaries))
        memory.forget(SPACE)
        left = _heard(home, canaries)
    closed = _heard(home, canaries)
    figure("erased means gone", f"{count:,} memories, {len(canaries):,} canaries, SQLite", f"{len(left | closed)} left")
    assert before > count, "the canaries sang"
    assert left | closed == set()


@pytest.mark.parametrize("count", MANY)
def test_no_canary_is_left_in_any_table_or_index_of_postgresql_after_vacuum_full(tmp_path: Path, count: int) -> None:
    with AIMMemory(settings=settings_of("postgresql", tmp_path)) as memory:
        canaries = _sing(memory, count)
        before = len(_heard_in_relations(tmp_path, canaries))
        memory.forget(SPACE)
        left = _heard_in_relations(tmp_path, canaries)
    size = f"{count:,} memories, {len(canaries):,} canaries, PostgreSQL after VACUUM FULL"
    figure("erased means gone", size, f"{len(left)} left in tables and indexes")
    assert before > count
    assert left == set()


def _heard_in_relations(folder: Path, canaries: Mapping[str, bytes]) -> set[str]:
    """Which canaries are in the files of tables, indexes and long values, once they are rewritten."""
    url = postgres.server().superuser_url(folder).replace("postgresql+psycopg", "postgresql")
    files = b"SELECT pg_read_binary_file(pg_relation_filepath(oid)) FROM pg_class WHERE relkind IN ('r', 'i', 't')"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM FULL")  # a plain one may leave bytes in the free space of pages
        connection.execute("CHECKPOINT")
        bodies = b"\0".join(body for (body,) in connection.execute(files).fetchall() if body)
    return _among(bodies, canaries)


@pytest.mark.parametrize("database", DATABASES)
def test_a_write_that_races_an_erasure_brings_nothing_back(database: str, tmp_path: Path) -> None:
    """What was acknowledged before an erasure is not there after it, whoever writes meanwhile."""
    rounds, settings = 20, settings_of(database, tmp_path)
    acknowledged: list[str] = []
    stop, brought_back = threading.Event(), 0

    def write(memory: AIMMemory, who: int) -> None:
        sent = 0
        while not stop.is_set():
            sent += 1
            text = f"canary {sent} of {who}"
            try:
                memory.write(text, namespace=SPACE)
            except StorageError as error:
                assert error.retryable or "erased while" in error.message  # noqa: PT017  refused, and told so
            else:
                acknowledged.append(text)

    with AIMMemory(settings=settings) as memory:
        writers = [threading.Thread(target=write, args=[memory, who]) for who in range(3)]
        for writer in writers:
            writer.start()
        try:
            for _ in range(rounds):
                before = set(acknowledged)
                _erase(memory)
                brought_back += sum(view.text in before for view in memory.iterate(namespace=SPACE))
        finally:
            stop.set()
            for writer in writers:
                writer.join()
    assert len(acknowledged) > rounds
    figure("erased means gone", f"{rounds} erasures against 3 writers, {database}", f"{brought_back} came back")
    assert brought_back == 0


def _erase(memory: AIMMemory) -> None:
    try:
        memory.forget(SPACE)
    except NotFoundError:
        return  # nobody had written since


@pytest.mark.parametrize("database", DATABASES)
def test_what_waited_for_its_vectors_does_not_bring_a_name_back(database: str, tmp_path: Path) -> None:
    """Upkeep that had read what is pending or expired, before the namespace was erased, leaves no empty one behind."""
    with AIMMemory(settings=settings_of(database, tmp_path)) as memory:
        engine = memory.engine
        memory.write(namespace=SPACE, memories=[{"text": "soon gone", "expires_at": "2001-01-01T00:00:00Z"}])
        due = engine.store.expired(engine._parts.clock.now(), 10)
        assert len(due) == 1
        memory.forget(SPACE)
        late = type("Late", (), {"expired": lambda *_: due, "begin": engine.store.begin, "pending": lambda *_: []})()
        Upkeep(replace(engine._parts, store=late)).run()
        assert memory.namespaces().items == []


def test_a_session_of_what_was_erased_is_gone_too(tmp_path: Path) -> None:
    with AIMMemory(settings=settings_of("sqlite", tmp_path)) as memory:
        memory.write("a canary", namespace=SPACE)
        memory.query("where is the canary?", namespace=SPACE, session_id="s")
        memory.forget(SPACE)
        memory.write("another", namespace=SPACE)
        assert memory.sessions(namespace=SPACE).items == []


def test_a_receipt_proves_itself_and_says_how_long_copies_last(tmp_path: Path) -> None:
    settings = settings_of("sqlite", tmp_path).model_copy(update={"retention": RetentionSettings(backups_days=30)})
    with AIMMemory(settings=settings) as memory:
        memory.write("a canary", namespace=SPACE)
        receipt = memory.forget(SPACE)
    assert receipt.sha256 == receipt_digest(receipt)
    assert receipt_digest(receipt.model_copy(update={"by": "somebody else"})) != receipt.sha256
    assert receipt.retention["backups"] == "30 days"
    assert "no limit is set" in receipt.retention["exports"]
    assert "no byte of it" in receipt.statement
    assert SPACE not in receipt.target


def test_a_receipt_does_not_promise_what_a_reader_holds_up(tmp_path: Path) -> None:
    settings = settings_of("sqlite", tmp_path)
    with AIMMemory(settings=settings.model_copy(update={"database": DatabaseSettings(busy_timeout_s=0.2)})) as memory:
        memory.write("a canary", namespace=SPACE)
        with closing(sqlite3.connect(tmp_path / "aim.db", isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM memories").fetchone()
            assert "Somebody was reading" in memory.forget(SPACE).statement
