"""Conversations in and out as JSON Lines: streaming, resumable, and the same file twice adds nothing.

A line is a JSON object with ``text`` and, if known, ``id``, ``namespace``, ``session_id`` (or ``session``),
``speaker``, ``role``, ``timestamp`` (ISO 8601), ``metadata``, ``pinned``, ``expires_at`` and ``source``. An export is
such a file, and importing it gives the same memories again. Its lines also name their ``format``, whose JSON Schema is
docs/export.schema.json.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol

from pydantic import ValidationError

from aim_memory.bodies import MemoryItem, MemoryView, WriteReply
from aim_memory.errors import ConflictError, InvalidInputError

FORMAT = "aim-memory/1"
"""Of an exported line. A field more is the same format; a line that an older version would misread is another."""
BATCH_ITEMS = 100
BATCH_BYTES = 64 * 1024
"""A batch is full at either, so that one request is embedded well within the time of a write."""
WAITING_ITEMS = 2000
"""Items that wait in all namespaces together, before all are sent: the memory that an import takes."""
LINE_BYTES = 256 * 1024
"""Longer lines are refused unread: the longest memory allowed, with metadata, is far below."""
KEPT_PROBLEMS = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """A line that can be written."""

    line: int
    """Counted from 1."""
    namespace: str
    item: MemoryItem
    place: str = ""
    """Where it was found, for people, if it is not by its line."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that should be a memory and cannot be one, and why."""

    line: int
    reason: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something in another program's data that is no memory: a picture, a tool's output."""

    line: int
    reason: str
    place: str = ""


@dataclass(slots=True)
class Report:
    """What became of the lines."""

    counts: Counter[str] = field(default_factory=Counter)
    """created, unchanged, rejected."""
    namespaces: Counter[str] = field(default_factory=Counter)
    """Memories created or found unchanged, by namespace."""
    problems: list[Problem] = field(default_factory=list)
    """The first thousand."""
    left_out: Counter[str] = field(default_factory=Counter)
    """What is no memory, by the reason."""

    def pass_over(self, found: Problem | LeftOut) -> None:
        if isinstance(found, Problem):
            self.reject(found)
        else:
            self.left_out[found.reason] += 1

    def reject(self, problem: Problem) -> None:
        self.counts["rejected"] += 1
        if len(self.problems) < KEPT_PROBLEMS:
            self.problems.append(problem)

    def accept(self, entry: Entry, status: str) -> None:
        self.counts[status] += 1
        self.namespaces[entry.namespace] += 1


class Writer(Protocol):
    """What an import needs of a client or of embedded use."""

    def write(self, *, namespace: str, memories: list[MemoryItem]) -> WriteReply: ...


# --- in ------------------------------------------------------------------------------------------------------------


def read_entries(lines: BinaryIO, namespace: str | None = None) -> Iterator[Entry | Problem]:
    """The lines of a file, one at a time; empty ones are skipped. ``namespace`` goes before what a line names."""
    for number, line in enumerate(_lines(lines), 1):
        if line is None:
            yield Problem(number, f"longer than {LINE_BYTES // 1024} KiB; split it into several turns")
        elif line.strip():
            yield _entry(number, line, namespace)


def import_entries(
    entries: Iterable[Entry | LeftOut | Problem], writer: Writer, advance: Callable[[int], None] | None = None
) -> Report:
    """Writes entries in batches, each namespace in the order of the file. ``advance`` hears how many lines are done.

    Ids make it resumable: what was written before comes back ``unchanged``. A line that cannot be written is
    reported and harms no other. Raises what ends the whole import: no server, no space, no permission.
    """
    report = Report()
    waiting: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if not isinstance(entry, Entry):
            report.pass_over(entry)
            _tell(advance, 1)
            continue
        batch = waiting[entry.namespace]
        batch.append(entry)
        if len(batch) >= BATCH_ITEMS or _bytes(batch) >= BATCH_BYTES:
            _send(waiting.pop(entry.namespace), writer, report, advance)
        elif sum(map(len, waiting.values())) >= WAITING_ITEMS:
            _send_all(waiting, writer, report, advance)
    _send_all(waiting, writer, report, advance)
    return report


def _lines(file: BinaryIO) -> Iterator[bytes | None]:
    """Lines; None stands for one that is too long, which is passed over without being held in memory."""
    while line := file.readline(LINE_BYTES + 1):
        if len(line) <= LINE_BYTES:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(LINE_BYTES)
        yield None


def _entry(number: int, line: bytes, namespace: str | None) -> Entry | Problem:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as failure:
        return Problem(number, f"not JSON: {failure}")
    if not isinstance(fields, dict):
        return Problem(number, "not a JSON object")
    if (written := fields.pop("format", FORMAT)) != FORMAT:
        return Problem(number, f"its format is {written!r}; this version reads {FORMAT!r}. Upgrade aim-memory")
    named = fields.pop("namespace", None)
    where = namespace or named
    if not isinstance(where, str):
        return Problem(number, "names no namespace; put one on the line, or give --namespace")
    if "session" in fields:
        fields.setdefault("session_id", fields.pop("session"))
    try:
        item = MemoryItem.model_validate({"id": line_id(number, fields), "source": "import", **_present(fields)})
    except ValidationError as failure:
        return Problem(number, complaint(failure))
    return Entry(number, where, item)


def _present(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Without an id of null: such a line has no id of its own."""
    return {name: value for name, value in fields.items() if (name, value) != ("id", None)}


def line_id(number: int, fields: Mapping[str, Any]) -> str:
    """The id of a line that brings none: from its place in the file and its content, so it is the same every time."""
    canonical = json.dumps([number, fields], ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return f"line-{hashlib.sha256(canonical.encode()).hexdigest()[:32]}"


def complaint(failure: ValidationError) -> str:
    """What is wrong with an item, in a line."""
    first = failure.errors(include_url=False)[0]
    name = ".".join(map(str, first["loc"]))
    return f"unknown field {name!r}" if first["type"] == "extra_forbidden" else f"{name}: {first['msg']}"


def _bytes(batch: list[Entry]) -> int:
    return sum(len(entry.item.text.encode(errors="replace")) for entry in batch)


def _send_all(
    waiting: dict[str, list[Entry]], writer: Writer, report: Report, advance: Callable[[int], None] | None
) -> None:
    for batch in waiting.values():
        _send(batch, writer, report, advance)
    waiting.clear()


def _send(batch: list[Entry], writer: Writer, report: Report, advance: Callable[[int], None] | None) -> None:
    """Writes a batch; if it is refused as a whole, line by line, to find those to blame."""
    try:
        reply = writer.write(namespace=batch[0].namespace, memories=[entry.item for entry in batch])
    except (ConflictError, InvalidInputError) as refusal:
        if len(batch) == 1:
            report.reject(Problem(batch[0].line, refusal.message, batch[0].place))
            _tell(advance, 1)
            return
        for entry in batch:
            _send([entry], writer, report, advance)
        return
    for entry, result in zip(batch, reply.results, strict=True):
        if result.status == "rejected":
            report.reject(Problem(entry.line, result.reason or "rejected", entry.place))
        else:
            report.accept(entry, result.status)
    _tell(advance, len(batch))


def _tell(advance: Callable[[int], None] | None, count: int) -> None:
    if advance is not None:
        advance(count)


# --- out -----------------------------------------------------------------------------------------------------------


def export_lines(memories: Iterable[MemoryView]) -> Iterator[str]:
    """A line for each memory but those that a model made of others: they are made again where those are imported."""
    return (export_line(memory) for memory in memories if memory.trust != "derived")


def export_line(memory: MemoryView) -> str:
    """A memory as a line that reads back as the same memory. Versions before the present one are not exported."""
    item = MemoryItem(
        id=memory.id,
        text=memory.text,
        session_id=memory.session_id,
        speaker=memory.speaker,
        role=memory.role,
        timestamp=memory.timestamp,
        metadata=memory.metadata,
        pinned=memory.pinned,
        expires_at=memory.expires_at,
        source=memory.source,
    )
    fields = {"format": FORMAT, "namespace": memory.namespace, **item.model_dump(mode="json")}
    kept = {name: value for name, value in fields.items() if name == "source" or value not in (None, {}, False)}
    return json.dumps(kept, ensure_ascii=False) + "\n"


def line_schema() -> dict[str, Any]:
    """The JSON Schema of an exported line."""
    fields = {name: _said(name, held) for name, held in MemoryItem.model_json_schema()["properties"].items()}
    about = {
        "format": {"const": FORMAT},
        "namespace": {"type": "string", "minLength": 1, "maxLength": 256, "description": "Whose memory: user/ada."},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A memory, as a line of an export",
        "description": "UTF-8 JSON Lines, each namespace in its order. Fields without a value are left out.",
        "type": "object",
        "properties": {**about, **fields},
        "required": ["format", "namespace", "id", "text", "timestamp", "source"],
        "additionalProperties": False,
    }


def _said(name: str, field: dict[str, Any]) -> dict[str, Any]:
    """A field's schema as exports have it: null is left out, but for the source, which would be ``import`` without."""
    kinds = [kind for kind in field.get("anyOf", [field]) if kind != {"type": "null"} or name == "source"]
    kept = {"anyOf": kinds} if len(kinds) > 1 else {**kinds[0]}
    about = {"description": field["description"]} if "description" in field else {}
    return {key: value for key, value in {**kept, **about}.items() if key not in {"default", "title"}}
