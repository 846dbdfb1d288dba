"""What the commands say, where they say it, and the codes they end with.

Results go to stdout, everything else (progress, warnings, errors) to stderr, so that ``--json`` can always be piped.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, Any

import typer

from aim_memory import errors

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


class Exit(IntEnum):
    """Stable exit codes."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    NOT_FOUND = 3
    DENIED = 4
    UNREACHABLE = 5
    CONFLICT = 6
    TRY_AGAIN = 7
    INTERRUPTED = 130


EXIT_CODES = (
    "Exit codes: 0 fine, 1 failure, 2 wrong use or setting, 3 not found, 4 key missing or not allowed, "
    "5 server not reachable, 6 conflict with what is stored, 7 busy (try again), 130 interrupted."
)

_BY_ERROR: tuple[tuple[type[errors.AIMMemoryError], Exit], ...] = (
    (errors.NotFoundError, Exit.NOT_FOUND),
    (errors.AuthenticationError, Exit.DENIED),
    (errors.PermissionDeniedError, Exit.DENIED),
    (errors.ConnectionFailedError, Exit.UNREACHABLE),
    (errors.ConflictError, Exit.CONFLICT),
    (errors.InvalidInputError, Exit.USAGE),
    (errors.ConfigurationError, Exit.USAGE),
)


def exit_code(failure: errors.AIMMemoryError) -> Exit:
    for kind, code in _BY_ERROR:
        if isinstance(failure, kind):
            return code
    return Exit.TRY_AGAIN if failure.retryable else Exit.FAILURE


@cache
def out() -> Console:
    from rich.console import Console

    return Console(highlight=False)


@cache
def err() -> Console:
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def draw(picture: RenderableType) -> None:
    out().print(picture)


def say(text: str) -> None:
    """A line for people, on stderr."""
    err().print(text, markup=False, soft_wrap=True)


def ask(question: str, *, yes: bool) -> None:
    """Goes on only after a yes. Raises InvalidInputError where nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise errors.InvalidInputError(f"{question} Say --yes to go on; nothing was changed.")
    typer.confirm(question, abort=True, err=True)


def print_json(value: Mapping[str, Any]) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


@contextmanager
def reporting(*, as_json: bool) -> Iterator[None]:
    """Turns the errors of a command into a message on stderr and an exit code."""
    try:
        yield
    except errors.AIMMemoryError as failure:
        _report(failure.message, failure.code, failure.request_id, as_json)
        raise typer.Exit(exit_code(failure)) from failure
    except BrokenPipeError:
        sys.stderr.close()  # the reader of the pipe has gone; there is nobody to tell
        raise typer.Exit(Exit.OK) from None
    except OSError as failure:
        _report(_file_trouble(failure), "file", None, as_json)
        raise typer.Exit(Exit.FAILURE) from failure
    except KeyboardInterrupt:
        say("Interrupted.")
        raise typer.Exit(Exit.INTERRUPTED) from None


def _file_trouble(failure: OSError) -> str:
    return f"{failure.filename}: {failure.strerror}." if failure.filename else str(failure)


def _report(message: str, code: str, request_id: str | None, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"error": {"code": code, "message": message, "request_id": request_id}}), err=True)
        return
    trace = f" (request {request_id})" if request_id else ""
    err().print(f"[bold red]✗[/] {_escaped(message)}{trace}", soft_wrap=True)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
