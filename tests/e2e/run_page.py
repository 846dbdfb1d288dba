"""Runs the blocks of a page in order: Python in one namespace, each shell block in a bash of its own.

Reads them as JSON from standard input, and prints what each printed as a line of JSON.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from typing import Any


def main() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in json.load(sys.stdin):
        run = in_python if block["language"] == "python" else in_bash
        sys.stdout.write(json.dumps({"line": block["line"], "said": run(block["text"], namespace)}) + "\n")


def in_python(text: str, namespace: dict[str, Any]) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(text, "the page", "exec"), namespace)
    return said.getvalue()


def in_bash(text: str, _: dict[str, Any]) -> str:
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", text], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise SystemExit(f"{text}\nended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
