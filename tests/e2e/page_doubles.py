"""Stands for a program in the shell blocks of a page: checks what it is asked, and does nothing.

Called by its name, as pip, make or aimem are: a command that installs, builds or does not end.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENDLESS = {"serve", "demo", "mcp", "bot", "chat", "model"}
"""Commands of aimem that serve, talk or download."""


def main() -> None:
    name, arguments = Path(sys.argv[1]).name, sys.argv[2:]
    {"pip": pip, "make": make, "aimem": aimem, "opentelemetry-instrument": instrument}[name](arguments)


def pip(arguments: Sequence[str]) -> None:
    """Are these extras of ours?"""
    assert arguments[0] == "install", arguments
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extras in re.findall(r"aim-memory\[([^\]]+)\]", " ".join(arguments)):
        unknown = set(extras.split(",")) - set(project["optional-dependencies"])
        assert not unknown, f"pip install aim-memory[{extras}]: there is no extra {unknown}"


def make(arguments: Sequence[str]) -> None:
    """Is this a verb of the Makefile?"""
    verbs = re.findall(r"(?m)^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert arguments[0] in verbs, f"make {arguments[0]}: the Makefile has no such verb"


def aimem(arguments: Sequence[str]) -> None:
    """The command itself; of one that does not end, whether it takes these options."""
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if not own or own[0] not in ENDLESS:
        os.execv(sys.executable, [sys.executable, "-m", "aim_memory.cli.main", *arguments])
    verbs = [own[0], *([own[1]] if own[0] in ("model", "bot") else [])]
    wide = {**os.environ, "COLUMNS": "400", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "aim_memory.cli.main", *verbs, "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, env=wide).stdout
    for option in own:
        assert not option.startswith("--") or option in shown, f"aimem {verbs}: there is no {option}"


def instrument(arguments: Sequence[str]) -> None:
    os.execvp(arguments[0], list(arguments))


if __name__ == "__main__":
    main()
