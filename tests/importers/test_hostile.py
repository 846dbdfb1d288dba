"""Broken, huge and hostile sources end with a clear word, keep what can be kept, and take no memory or disk for it."""

from __future__ import annotations

import json
import os
import stat
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from aim_memory.errors import InvalidInputError
from aim_memory.importers import opening, records
from aim_memory.importers.reading import read
from aim_memory.transfer import Entry, LeftOut, Problem
from tests.importers import exports

Found = Entry | LeftOut | Problem


def kept(found: list[Found]) -> list[Entry]:
    return [one for one in found if isinstance(one, Entry)]


def problems(found: list[Found]) -> list[str]:
    return [one.reason for one in found if isinstance(one, Problem)]


def mem0_text() -> bytes:
    return json.dumps({"results": exports.mem0()["results"][:-1]}, ensure_ascii=False).encode()


# --- broken --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_a_file_that_breaks_off_gives_what_came_before(share: float, tmp_path: Path) -> None:
    whole = mem0_text()
    path = tmp_path / "m.json"
    path.write_bytes(whole[: int(len(whole) * share)])
    found = list(read("mem0", path))
    assert abs(len(kept(found)) - exports.KEPT * share) < 3
    (problem,) = problems(found)
    assert "cannot be read any further" in problem


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "cannot be read"),
        (b"not json", "cannot be read"),
        (b"\x00\x01\x02\x03", "cannot be read"),
        (b"null", "is no object"),
        (b'"text"', "is no object"),
        (b"[1, 2]", "is no object"),
        (b"<html></html>", "cannot be read"),
        (b'[{"memory": NaN}]', "cannot be read"),
        (b'[{"id": "a", "memory": "x", "user_id": "u"},, ]', "cannot be read"),
        (mem0_text()[:900] + b"\xff\xfe" + mem0_text()[900:], "cannot be read"),
    ],
)
def test_what_is_no_json_is_told(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(content)
    told = problems(list(read("mem0", path)))
    assert told
    assert all(said in one for one in told)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_in_another_unicode_is_read_as_well(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    path.write_bytes(mark + mem0_text().decode().encode(encoding))
    found = list(read("mem0", path))
    assert (len(kept(found)), problems(found)) == (exports.KEPT, [])
    assert exports.words(2) in {entry.item.text for entry in kept(found)}


WRONG = [None, 1, True, "text", [], [[]], {}, {"a": {"b": []}}]


@pytest.mark.parametrize("origin", ["chatgpt", "claude", "mem0", "zep", "letta", "langgraph"])
@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.deep)])
def test_any_field_may_be_of_any_kind(origin: str, every: bool, tmp_path: Path) -> None:
    """A source ends with entries and problems, whatever stands where: never with a crash."""
    makers = {"chatgpt": exports.chatgpt, "claude": exports.claude, "mem0": exports.mem0, "letta": exports.letta,
              "zep": exports.zep, "langgraph": exports.langgraph}  # fmt: skip
    whole = json.loads(json.dumps(makers[origin]()))
    for number, (holder, name) in enumerate(_places(whole)):
        held = holder[name]
        for wrong in WRONG if every else (WRONG[number % len(WRONG)], WRONG[(number + 3) % len(WRONG)]):
            holder[name] = wrong
            assert list(read(origin, exports.write(tmp_path / "x.json", whole)))
        holder[name] = held


def _places(value: object) -> list[tuple[dict[str, object], str]]:
    """A place for each name that occurs, at the first depth where it does."""
    seen: dict[str, tuple[dict[str, object], str]] = {}
    waiting = [value]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, dict):
            for name in one:
                seen.setdefault(name, (one, name))
        waiting += one.values() if isinstance(one, dict) else one if isinstance(one, list) else []
    return list(seen.values())


# --- huge ----------------------------------------------------------------------------------------------------------


def test_nesting_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_bytes(b'[{"memory": ' + b"[" * 100_000)
    with pytest.raises(InvalidInputError, match="nested deeper"):
        list(read("mem0", path))


def test_a_record_that_is_too_large_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "RECORD_BYTES", 10_000)
    memories = [{"id": str(n), "memory": "x" * size, "user_id": "u"} for n, size in enumerate((10, 20_000, 10))]
    found = list(read("mem0", exports.write(tmp_path / "m.json", memories)))
    assert [entry.item.id for entry in kept(found)] == ["0", "2"]
    assert len(problems(found)) == 1


@pytest.mark.parametrize("count", [3_000, pytest.param(40_000, marks=pytest.mark.deep)])
def test_memory_does_not_grow_with_the_file(count: int, tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    one = json.dumps(exports.claude()[0]["chat_messages"][0])
    with path.open("w") as file:
        file.write("[")
        for number in range(count // 20):
            lines = ",".join([one] * 20)
            file.write(f'{"," if number else ""}{{"uuid": "c{number}", "chat_messages": [{lines}]}}')
        file.write("]")
    tracemalloc.start()
    try:
        found = sum(isinstance(one, Entry) for one in read("claude", path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == count // 20 * 20
    assert peak < 2 << 20
    assert path.stat().st_size > count * 250


# --- archives ------------------------------------------------------------------------------------------------------


def refusal(path: Path) -> str:
    before = set(path.parent.rglob("*"))
    with pytest.raises(InvalidInputError) as refused:
        list(read("chatgpt", path))
    assert set(path.parent.rglob("*")) == before
    return refused.value.message


@pytest.mark.parametrize(
    "name", ["../conversations.json", "/etc/conversations.json", "a/../../x.json", "..\\x.json", "C:\\x.json", "\\x"]
)
def test_a_path_out_of_the_archive_is_refused(name: str, tmp_path: Path) -> None:
    path = exports.archive(tmp_path / "x.zip", {"conversations.json": exports.chatgpt(), name: b"x"})
    assert "outside itself" in refusal(path)


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = exports.archive(tmp_path / "x.zip", {"conversations.json": b"[" + b" " * (30 << 20) + b"]"})
    assert path.stat().st_size < 100_000
    assert "grows more than" in refusal(path)


def test_a_bomb_that_lies_about_its_size_gives_no_more_than_it_said(tmp_path: Path) -> None:
    path = exports.archive(tmp_path / "x.zip", {"conversations.json": b"[" + b" " * (30 << 20) + b"]"})
    held = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = held.index(mark) + place
        held[at : at + 4] = struct.pack("<I", 1000)
    path.write_bytes(held)
    found = list(read("chatgpt", path))
    assert kept(found) == []
    assert len(problems(found)) == 1


def test_an_archive_in_an_archive_is_not_opened(tmp_path: Path) -> None:
    inner = exports.archive_bytes({"conversations.json": json.dumps(exports.chatgpt()).encode()})
    path = exports.archive(tmp_path / "x.zip", {"conversations.json": exports.chatgpt(), "inner.zip": inner})
    found = list(read("chatgpt", path))
    assert len(kept(found)) == exports.KEPT
    assert [one.place for one in found if isinstance(one, LeftOut) and ".zip" in one.reason] == ["inner.zip"]
    assert "holds no file of this format" in refusal(exports.archive(tmp_path / "y.zip", {"inner.zip": inner}))


def test_links_doubles_and_locks_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("conversations.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as packed:
        packed.writestr(link, "/etc/passwd")
    assert "is a link" in refusal(tmp_path / "link.zip")
    with zipfile.ZipFile(tmp_path / "double.zip", "w") as packed:
        packed.writestr("conversations.json", "[]")
        with pytest.warns(UserWarning, match="Duplicate"):
            packed.writestr("conversations.json", "[1]")
    assert "twice" in refusal(tmp_path / "double.zip")
    locked = exports.archive(tmp_path / "locked.zip", {"conversations.json": exports.chatgpt()})
    held = bytearray(locked.read_bytes())
    held[held.index(b"PK\x01\x02") + 8] |= 1
    locked.write_bytes(held)
    assert "encrypted" in refusal(locked)


def test_an_archive_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MOST_FILES", 5)
    files = {f"{number}.json": b"{}" for number in range(6)}
    assert "holds 6 files" in refusal(exports.archive(tmp_path / "x.zip", files))


@pytest.mark.parametrize("place", [0.3, 0.6])
def test_a_damaged_archive_gives_what_came_before_and_says_so(place: float, tmp_path: Path) -> None:
    conversations = [exports.chatgpt_conversation(number) for number in range(60)]
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as packed:
        packed.writestr("conversations.json", json.dumps(conversations))
    held = bytearray(path.read_bytes())
    at = int(len(held) * place)
    held[at : at + 40] = os.urandom(40)
    path.write_bytes(held)
    found = list(read("chatgpt", path))
    assert problems(found)
    assert len(kept(found)) > 100
    path.write_bytes(held[: len(held) // 2])
    assert problems(list(read("chatgpt", path)))  # without its table it is no archive, and no JSON either


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    secret = exports.write(tmp_path / "secret.json", exports.mem0())
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link.json").symlink_to(secret)
    with pytest.raises(InvalidInputError, match="holds no file"):
        list(read("mem0", folder))


def test_a_sqlite_file_of_another_kind_is_told(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "x.sqlite"
    with sqlite3.connect(path) as store:
        store.execute("CREATE TABLE other (x)")
    store.close()
    assert "no such table" in problems(list(read("langgraph", path)))[0]
    damaged = exports.langgraph_file(tmp_path / "d.sqlite")
    damaged.write_bytes(damaged.read_bytes()[:5000])
    assert problems(list(read("langgraph", damaged)))
