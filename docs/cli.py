"""Writes docs/cli.md: every command, as the command line itself describes it.

python docs/cli.py
python docs/cli.py --time       # how much CPU time a start takes, instead
"""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from typer.main import get_command

from aim_memory.cli.command import WHERE
from aim_memory.cli.commands import app
from aim_memory.cli.output import Exit

TARGET = Path(__file__).with_name("cli.md")
MEANINGS = {
    Exit.OK: "fine",
    Exit.FAILURE: "failure; or something was found that must not be",
    Exit.USAGE: "wrong use, or a wrong setting",
    Exit.NOT_FOUND: "not found",
    Exit.DENIED: "the key is missing, or may not",
    Exit.UNREACHABLE: "the server cannot be reached",
    Exit.CONFLICT: "in conflict with what is stored",
    Exit.TRY_AGAIN: "busy: try again",
    Exit.INTERRUPTED: "interrupted",
}
HEAD = """# The command line

Written by `python docs/cli.py` from the commands themselves; `aimem COMMAND --help` says the same. A test holds this
page to them.

Every command works on the data folder of this machine, or with `--url` on a server, but for those that say otherwise:

| option | environment | |
|---|---|---|
| `--home PATH` | `AIM_HOME` | The data folder; `~/.aim-memory` if left out. |
| `--url URL` | `AIM_URL` | A server to talk to, instead. |
| `--key KEY` | `AIM_API_KEY` | The key for it. |
| `--json` | | The reply as JSON. Progress and errors go to standard error, an error as one JSON object. |

`--dry-run` says what would be erased or written, and `--yes` goes on without asking. There are no colours where the
output is no terminal, or with `NO_COLOR`.

## Exit codes

| code | means |
|---|---|
{codes}

## Completion

`aimem --install-completion` teaches the shell that runs it, bash, zsh or fish, to complete commands, options and
their values; `--show-completion` prints the script instead.

## How long a start takes

A command loads what it needs and no more; `tests/e2e/test_cli.py` names what each may load. What a start costs, in CPU
seconds, is measured by `python docs/cli.py --time`. On two cores under a load of nine, the least of five runs each, on
a folder:

| | s |
|---|---|
| python alone | 0.02 |
| python with SQLAlchemy | 0.23 |
| `aimem --version` | 0.16 |
| `aimem --help` | 0.26 |
| `aimem config show` | 0.35 |
| `aimem keys list` | 0.72 |
| `aimem stats` | 0.70 |
| `aimem list` | 1.16 |

SQLAlchemy alone is .21 of each of the last three. `aimem list` also loads the engine and FAISS: a memory is listed with
what it still weighs, which is read from the namespace's index.

## Commands
"""


def page() -> str:
    codes = "\n".join(f"| {code.value} | {MEANINGS[code]} |" for code in Exit)
    return HEAD.replace("{codes}", codes) + "".join(map(_described, commands(get_command(app))))


def commands(group: Any, path: tuple[str, ...] = ("aimem",)) -> Iterator[tuple[str, Any]]:
    """(what is typed, the command), those of a group after one another."""
    for name, found in group.commands.items():
        if hasattr(found, "commands"):
            yield from commands(found, (*path, name))
        else:
            yield " ".join((*path, name)), found


def _described(entry: tuple[str, Any]) -> str:
    typed, found = entry
    said, _, example = (found.help or "").partition("Example: ")
    shown = "\n".join(part.strip() for part in re.sub(r"\[/?bold\]", "", example).split("    ") if part.strip())
    own = [one for one in found.params if one.name not in ("as_json", "help") and _panel(one) != WHERE]
    arguments = "".join(f" {_spelled(one)}" for one in own if not _is_option(one))
    parts = [f"\n### {typed}{arguments}\n\n{_flowing(said)}\n"]
    if shown:
        parts.append(f"\n```\n{shown}\n```\n")
    if own:
        rows = "".join(f"| `{_spelled(one)}` | {_told(one)} |\n" for one in own)
        parts.append(f"\n| | |\n|---|---|\n{rows}")
    return "".join(parts)


def _spelled(one: Any) -> str:
    if _is_option(one):
        return ", ".join((*one.opts, *one.secondary_opts))
    name = one.metavar or one.name.upper()
    return name if one.required else f"[{name}]"


def _told(one: Any) -> str:
    chosen = getattr(getattr(one, "type_descriptor", None), "annotation", None)
    told = _flowing(one.help or "").replace("|", "\\|")
    if isinstance(chosen, type) and issubclass(chosen, Enum):
        told += f" One of {', '.join(f'`{each.value}`' for each in chosen)}."
    default = one.default.value if isinstance(one.default, Enum) else one.default
    return told if default in (None, False, True) else f"{told} Default: `{default}`."


def _is_option(one: Any) -> bool:
    return bool(one.opts) and one.opts[0].startswith("-")


def _panel(one: Any) -> object:
    return getattr(one, "rich_help_panel", None)


def _flowing(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.strip().split("\n\n"))


def seconds(command: list[str], times: int = 5) -> float:
    """CPU seconds of a command, the least of some runs."""

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return min(once() for _ in range(times))


def show_times() -> None:
    aimem = [sys.executable, "-m", "aim_memory.cli.main"]
    print(f"{seconds([sys.executable, '-c', 'pass']):.2f} python alone")
    print(f"{seconds([sys.executable, '-c', 'import sqlalchemy']):.2f} python with SQLAlchemy")
    with tempfile.TemporaryDirectory() as home:
        for typed in ("--version", "--help", "config show", "keys list", "stats", "list"):
            where = [] if typed.startswith("--") else ["--home", home]
            print(f"{seconds([*aimem, *typed.split(), *where]):.2f} aimem {typed}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--time"]:
        show_times()
    else:
        TARGET.write_text(page(), encoding="utf-8")
