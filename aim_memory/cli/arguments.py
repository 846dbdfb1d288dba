"""Arguments that several commands share."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from aim_memory.errors import InvalidInputError

DEFAULT_NAMESPACE = "default"
Namespace = Annotated[str, typer.Option("--namespace", "-n", help="Whose memories: a path such as user/ada.")]
Whose = Annotated[str | None, typer.Option("--namespace", "-n", help="Needed for ids of your own making.")]
MemoryId = Annotated[str, typer.Argument(metavar="ID", help="The memory.")]
Session = Annotated[str | None, typer.Option("--session", "-s", help="The conversation.")]
Filters = Annotated[str | None, typer.Option("--filter", help='JSON, e.g. {"speaker": {"eq": "Ada"}}.')]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")]


def moment(text: str | None, option: str) -> datetime | None:
    """A moment from the command line; naive means UTC. Raises InvalidInputError."""
    if text is None:
        return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError as failure:
        raise InvalidInputError(f"{option} must be ISO 8601, such as 2025-05-01T09:30.", field=option) from failure
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def ahead(text: str | None, option: str) -> datetime | None:
    """The end of a time from now, such as 30d, 12h or 90m, or a moment. Raises InvalidInputError."""
    from aim_memory.clock import SystemClock

    found = re.fullmatch(r"([1-9][0-9]{0,5})([mhdw])", text or "")
    if found is None:
        return moment(text, option)
    unit = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[found[2]]
    try:
        return SystemClock().now() + timedelta(**{unit: int(found[1])})
    except OverflowError as failure:
        raise InvalidInputError(f"{option} lies beyond the year 9999.", field=option) from failure


def json_object(text: str | None, option: str) -> dict[str, Any] | None:
    """A JSON object from the command line. Raises InvalidInputError."""
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError as failure:
        raise InvalidInputError(f"{option} is not JSON: {failure}.", field=option) from failure
    if not isinstance(value, dict):
        raise InvalidInputError(f'{option} must be a JSON object, such as {{"name": "value"}}.', field=option)
    return value
