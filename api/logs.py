"""How the server's log looks: a line per event, as text or JSON, without what anybody said.

Of an error there is its class, where it happened, and its message if the message is one of ours: those of other
libraries quote what they were given.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from aim_memory.errors import AIMMemoryError
from aim_memory.settings import LogSettings

_DIGEST_CHARS = 12


def digest(tenant: str) -> str:
    """Stands for a tenant: the same each time, and not its name."""
    return hashlib.sha256(tenant.encode()).hexdigest()[:_DIGEST_CHARS]


def install(settings: LogSettings) -> None:
    """Makes this the log of the whole process: our events from INFO on, everybody else's warnings, on stderr."""
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(JsonLines() if settings.format == "json" else TextLines())
    logging.basicConfig(level=logging.WARNING, handlers=[lines], force=True)
    logging.getLogger("aim_memory").setLevel(logging.INFO)


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _moment(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            **fields_of(record),
        }
        if error := _error(record):
            line["error"] = list(_told(error))
            line["stack"] = _stack(error)
        return json.dumps(line, ensure_ascii=False)


class TextLines(logging.Formatter):
    """For people."""

    def format(self, record: logging.LogRecord) -> str:
        moment, level = _moment(record).strftime("%H:%M:%S"), record.levelname.lower()
        fields = " ".join(f"{name}={value}" for name, value in fields_of(record).items() if value is not None)
        line = f"{moment} {level} {_message(record)} {fields}".rstrip()
        if error := _error(record):
            return "\n  ".join([line, *_told(error), *_stack(error)])
        return line


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What an event has beside its message."""
    fields: dict[str, Any] = getattr(record, "fields", {})
    return fields


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _message(record: logging.LogRecord) -> str:
    """On one line, whatever is in it."""
    return " ".join(record.getMessage().split())


def _error(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _told(error: BaseException) -> Iterator[str]:
    """An error and what it came from, the last first."""
    told: BaseException | None = error
    while told is not None:
        ours = isinstance(told, AIMMemoryError) and type(told) is not AIMMemoryError
        yield f"{type(told).__name__}: {told}" if ours else type(told).__name__
        told = told.__cause__ or (None if told.__suppress_context__ else told.__context__)


def _stack(error: BaseException) -> list[str]:
    """Where it was raised, the innermost last."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
