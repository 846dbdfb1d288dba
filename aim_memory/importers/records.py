"""JSON a record at a time, whatever its size: an array, an object with arrays in it, or objects one after the other."""

from __future__ import annotations

import codecs
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from typing import Any, BinaryIO, cast

from aim_memory.errors import InvalidInputError
from aim_memory.extras import needs
from aim_memory.importers.opening import Document
from aim_memory.importers.turns import Record, refused
from aim_memory.transfer import Problem

with needs("embedded"):
    import ijson

RECORD_BYTES = 64 << 20
"""About; a longer record is passed over without being held in memory."""
MOST_DEPTH = 100
SQLITE = b"SQLite format 3\x00"
_WIDE = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def records(document: Document, lists: tuple[str, ...]) -> Iterator[Record | Problem]:
    """The records of a document, in its order.

    Objects in a top-level array, or in one of the ``lists`` of a top-level object, come one by one; what is left of
    a top-level object comes after them. A document that breaks off gives what came before, and a problem.
    """
    stream = None
    try:
        with document.open() as file:
            stream = _Rewound(file)
            if stream.head == SQLITE:
                yield from _rows(document)
            else:
                yield from _objects(_decoded(stream), document.name, lists)
    except (ijson.JSONError, zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError) as failure:
        done = f"{stream.done:,} bytes" if stream else "its beginning"
        yield refused(f"{document.name} cannot be read any further after {done}: {_why(failure)}")


class _Rewound:
    """A file whose first bytes were looked at."""

    def __init__(self, file: BinaryIO) -> None:
        self.head = file.read(len(SQLITE))
        self.done = 0
        self._waiting, self._file = self.head, file

    def read(self, size: int = -1) -> bytes:
        if size == 0:  # the parser asks whether it gets bytes
            return b""
        piece, self._waiting = self._waiting or self._file.read(size), b""
        self.done += len(piece)
        return piece


def _decoded(stream: _Rewound) -> Any:
    """The stream as UTF-8 without a mark."""
    for mark, name in _WIDE:
        if stream.head.startswith(mark):
            return codecs.EncodedFile(cast(BinaryIO, stream), "utf-8", name)
    return stream


class _Built:
    """A record as it is read."""

    def __init__(self, found_in: str) -> None:
        self.found_in = found_in
        self._builder: Any = ijson.ObjectBuilder()
        self._bytes = 0

    def take(self, event: str, value: Any) -> None:
        self._bytes += 16 + (len(value) if isinstance(value, str) else 0)
        if self._bytes > RECORD_BYTES:
            self._builder = None
        if self._builder is not None:
            self._builder.event(event, value)

    def record(self, number: int) -> Record | Problem:
        if self._builder is None:
            return refused(f"record {number} has more than {RECORD_BYTES >> 20} MiB", f"record {number}")
        return self.found_in, self._builder.value


class _Objects:
    """Events of the parser, put together to records: ``inner`` is one in a list, ``outer`` the object around it."""

    def __init__(self, name: str, lists: tuple[str, ...]) -> None:
        self._name, self._lists = name, lists
        self._outer: _Built | None = None
        self._inner: _Built | None = None
        self._list: str | None = None
        self._key = ""
        self._depth = self._number = 0

    def take(self, event: str, value: Any) -> Iterator[Record | Problem]:
        self._depth += _STEPS.get(event, 0)
        if self._depth > MOST_DEPTH:
            raise InvalidInputError(
                f"{self._name} is nested deeper than {MOST_DEPTH} levels; this is no export.", field="FILE"
            )
        if self._inner is None:
            self._begin(event, value)
        building = self._inner or self._outer
        if building is not None:
            building.take(event, value)
            yield from self._end(event, building)
        elif self._depth == _STEPS.get(event, 0) + 1 and event not in ("end_array", "end_map"):
            yield refused(f"{event if value is None else repr(value)[:40]} is no object", self._name)
        elif self._depth == 0 and event not in _STEPS:
            yield refused(f"{repr(value)[:40]} is no object", self._name)

    def _begin(self, event: str, value: Any) -> None:
        inside = 1 if self._outer else 0
        if event == "start_map" and self._list is not None and self._depth == inside + 2:
            self._inner = _Built(self._list)
        elif event == "start_map" and self._depth == 1:
            self._outer = _Built("")
        elif event == "map_key" and self._depth == 1:
            self._key = value
        elif event == "start_array" and self._depth == inside + 1:
            self._list = "" if self._outer is None else self._key if self._key in self._lists else None
        elif event == "end_array" and self._depth == inside:
            self._list = None

    def _end(self, event: str, building: _Built) -> Iterator[Record | Problem]:
        around = 0 if building is self._outer else 2 if self._outer else 1
        if event == "end_map" and self._depth == around:
            self._number += 1
            yield building.record(self._number)
            if building is self._inner:
                self._inner = None
            else:
                self._outer = None


_STEPS = {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}


def _objects(stream: Any, name: str, lists: tuple[str, ...]) -> Iterator[Record | Problem]:
    found = _Objects(name, lists)
    for event, value in ijson.basic_parse(stream, multiple_values=True, use_float=True):
        yield from found.take(event, value)


def _rows(document: Document) -> Iterator[Record | Problem]:
    """The items of a LangGraph store in a SQLite file."""
    if document.path is None:
        raise InvalidInputError(f"{document.name} is a SQLite file inside an archive; unpack it first.", field="FILE")
    with closing(sqlite3.connect(f"{document.path.absolute().as_uri()}?mode=ro", uri=True)) as store:
        store.row_factory = sqlite3.Row
        try:
            for row in store.execute("SELECT * FROM store ORDER BY prefix, key"):
                yield "store", dict(row)
        except sqlite3.DatabaseError as failure:
            yield refused(f"{document.name} cannot be read any further: {failure}")


def _why(failure: Exception) -> str:
    return " ".join(str(failure).split())[:200] or type(failure).__name__
