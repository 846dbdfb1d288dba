"""Looks through a whole store: what the database says of itself, the rules between rows, and what each row holds."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from aim_memory.bodies import Flaw, VerifyReply
from aim_memory.errors import StorageError
from aim_memory.ports import Progress
from aim_memory.storage import codec
from aim_memory.storage.carrying import BATCH, Advance, meter
from aim_memory.storage.holdings import counted
from aim_memory.storage.invariants import REINDEX, RESTORE, WRITE_AGAIN, invariants
from aim_memory.storage.tables import evidence, memories, namespaces, segments, sessions
from aim_memory.types import content_digest

MOST = 100
"""Flaws of one kind that are told; a store that lost a table would have millions."""
_UNIT = 1e-3
"""How far a vector's length may be from 1."""
_N, _M, _E, _G, _S = (table.c for table in (namespaces, memories, evidence, segments, sessions))
_TEXT = sa.Text()


Dimensions = Mapping[int | None, int]
"""Bytes of a vector, by the number of its generation."""
_Look = Callable[[Any, Dimensions], str | None]
"""What is wrong with a row; None if nothing is."""


def look_through(connection: Connection, progress: Progress) -> VerifyReply:
    """Every flaw of a store, the first hundred of each kind; reads every row that holds something."""
    checked: dict[str, int] = {}
    flaws = list(_of_database(connection))
    if not flaws:
        try:
            checked = counted(connection)
            flaws += _of_rows(connection, meter(progress, "verifying", sum(checked[each.name] for each, *_ in _ROWS)))
        except StorageError as error:
            flaws.append(_unreadable(error.message))
    return VerifyReply(sound=not flaws, checked=checked, flaws=flaws)


def _of_database(connection: Connection) -> Iterator[Flaw]:
    """What SQLite finds in its file. PostgreSQL's own pages are its administrator's: checksums, pg_amcheck."""
    if connection.dialect.name != "sqlite":
        return
    try:
        said = connection.exec_driver_sql(f"PRAGMA integrity_check({MOST})").scalars().all()
    except StorageError as error:
        said = [error.message]
    for line in said:
        if line != "ok":
            yield _unreadable(line)


def _unreadable(found: str) -> Flaw:
    return Flaw(code="integrity", table="", where="the database file", found=found, remedy=RESTORE)


def _of_rows(connection: Connection, advance: Advance) -> Iterator[Flaw]:
    names = {
        number: f"{tenant} {path}" for number, tenant, path in connection.execute(sa.select(_N.id, _N.tenant, _N.path))
    }

    def flaw(code: str, table: str, remedy: str, namespace_id: int | None, about: str, found: str) -> Flaw:
        where = f"{names.get(namespace_id or 0, '')} {about}".strip()
        return Flaw(code=code, table=table, where=where, found=found, remedy=remedy)

    for rule in invariants():
        for row in connection.execute(rule.broken.limit(MOST)):
            yield flaw(rule.code, rule.table, rule.remedy, *row)
    dimensions = _dimensions(connection)
    for table, code, remedy, query, look in _ROWS:
        streamed = connection.execution_options(stream_results=True, yield_per=BATCH).execute(query)
        broken = ((row, found) for row in _counted(streamed, advance) if (found := look(row, dimensions)))
        for row, found in islice(broken, MOST):
            yield flaw(code, table.name, remedy, row[0], str(row[1]), found)


def _counted(rows: Iterable[Any], advance: Advance) -> Iterator[Any]:
    for number, row in enumerate(rows, 1):
        yield row
        if number % BATCH == 0:
            advance(BATCH)


def _dimensions(connection: Connection) -> Dimensions:
    """How long the vectors of each generation are: as most of them."""
    size = sa.func.length(_G.vector)
    query = (
        sa.select(_M.generation_id, size, sa.func.count())
        .where(_M.namespace_id == _G.namespace_id, _M.id == _G.memory_id, _G.vector.is_not(None))
        .group_by(_M.generation_id, size)
        .order_by(sa.func.count())
    )
    return {generation: length for generation, length, _ in connection.execute(query)}


# --- what a row holds ----------------------------------------------------------------------------------------------


def _original(row: Any, _: Dimensions) -> str | None:
    try:
        text = codec.decompress(row.body)
    except (zlib.error, UnicodeDecodeError):
        return "the original cannot be read"
    if codec.evidence_id(text) != row.id:
        return "the original is not the text that it was filed as"
    return None if len(text) == row.chars else f"the original has {len(text)} characters, not {row.chars}"


def _memory(row: Any, _: Dimensions) -> str | None:
    try:
        original, about = codec.decompress(row.body), json.loads(row.metadata)
        anchors = codec.anchors_from_text(row.anchors)
    except (zlib.error, ValueError, TypeError) as error:
        return f"it cannot be read: {error}"
    if not 0 <= row.start < row.end <= len(original):
        return f"it is [{row.start}:{row.end}] of an original of {len(original)} characters"
    text = original[row.start : row.end]
    if not isinstance(about, dict):
        return "its metadata is no object"
    if any(text[anchor.start : anchor.end] != anchor.text for anchor in anchors):
        return "its anchors are not where they say"
    known = (row.speaker, row.role, row.session_id, row.source)
    digests = (content_digest(text, *known, said, about) for said in (None, row.timestamp))
    return None if row.digest in digests else "its digest is that of another content"


def _segment(row: Any, dimensions: Dimensions) -> str | None:
    try:
        terms = json.loads(row.terms)
    except ValueError as error:
        return f"its terms cannot be read: {error}"
    if not isinstance(terms, dict) or not all(isinstance(count, int) and count > 0 for count in terms.values()):
        return "its terms are no counts"
    if not 0 <= row.start < row.end <= row.length:
        return f"it is [{row.start}:{row.end}] of a text of {row.length} characters"
    return None


def _vector(row: Any, dimensions: Dimensions) -> str | None:
    if row.vector is None:
        return None if row.tokens is None else "token signs without a vector"
    size = dimensions.get(row.generation_id, len(row.vector))
    if len(row.vector) != size or size % 4:
        return f"a vector of {len(row.vector)} bytes among those of {size}"
    length = float(np.linalg.norm(codec.vector_from_bytes(row.vector)))  # type: ignore[arg-type]
    if not abs(length - 1) <= _UNIT:
        return f"a vector of length {length:.4f}, not 1"
    if row.tokens is not None and len(row.tokens) % -(-size // 32):
        return f"token signs of {len(row.tokens)} bytes for {size // 4} dimensions"
    return None


def _session(row: Any, _: Dimensions) -> str | None:
    try:
        recent = json.loads(row.recent)
    except ValueError as error:
        return f"its questions cannot be read: {error}"
    if not isinstance(recent, list):
        return "its questions are no list"
    course = [part for part in (row.direction, row.drift) if part is not None]
    if any(len(part) % 4 or not np.isfinite(np.frombuffer(part, "<f4")).all() for part in course):
        return "its course is no vector of numbers"
    return None


_IN_MEMORY = sa.and_(_G.namespace_id == _M.namespace_id, _G.memory_id == _M.id)
_SEGMENTS = sa.select(
    *(_G.namespace_id, _G.memory_id, _G.start, _G.end, _G.terms, (_M.end - _M.start).label("length")),
    *(_M.generation_id, _G.vector, _G.tokens),
).where(_IN_MEMORY)
_ROWS: tuple[tuple[sa.Table, str, str, sa.Select[Any], _Look], ...] = (
    (evidence, "original", RESTORE, sa.select(_E.namespace_id, sa.literal("an original"), *evidence.c), _original),
    (
        memories,
        "content",
        RESTORE,
        sa.select(
            *(_M.namespace_id, _M.id, _E.body, _M.start, _M.end, sa.type_coerce(_M.metadata, _TEXT).label("metadata")),
            *(_M.anchors, _M.digest, _M.speaker, _M.role, _M.session_id, _M.source, _M.timestamp),
        ).where(_E.namespace_id == _M.namespace_id, _E.id == _M.evidence_id),
        _memory,
    ),
    (segments, "segment", WRITE_AGAIN, _SEGMENTS, _segment),
    (segments, "vector", REINDEX, _SEGMENTS, _vector),
    (
        sessions,
        "session",
        "Put the conversation at rest: 'aimem sessions reset'.",
        sa.select(
            *(_S.namespace_id, _S.id, _S.direction, _S.drift),
            sa.type_coerce(_S.recent, _TEXT).label("recent"),
        ),
        _session,
    ),
)
