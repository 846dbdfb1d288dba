"""Keeps what was typed and what came back, and writes it as a page."""

from __future__ import annotations

import contextlib
import inspect
import io
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parents[2] / "docs" / "vllm-transcript.md"
LONGEST_LINE = 160
HEAD = """# A model server behind `aimem serve`

Real calls of the official `openai` client against `aimem serve --model`, and what came back: vLLM on the CPU, in an
environment of its own, serving a tiny model of random weights. Its answers are nonsense; the ways are what is shown.
Written by `make test-vllm`, which fails where a step fails.

Measured once, on {machine}; other work ran on it at the same time.
"""


class Transcript:
    """Sections in the order in which they were made. ``hide`` replaces what differs from machine to machine."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._hidden: list[tuple[str, str]] = []

    def hide(self, text: str, shown: str) -> None:
        self._hidden.append((text, shown))

    def section(self, title: str, about: str) -> None:
        self._parts.append(f"## {title}\n\n{about}\n")

    def typed(self, command: str, said: str) -> None:
        """A command of the shell and its output."""
        self._parts.append(f"```sh\n{self._shown(command)}\n```\n\n{self._fenced(said)}")

    def ran(self, code: Callable[..., Any], *given: Any) -> Any:
        """Runs a function, shows its body and what it printed, and returns what it returned."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            result = code(*given)
        self._parts.append(f"```python\n{_body(code)}\n```\n\n{self._fenced(printed.getvalue())}")
        return result

    def write(self, machine: str) -> None:
        page = "\n".join([HEAD.format(machine=machine), *self._parts])
        TARGET.write_text(page, encoding="utf-8")

    def _shown(self, text: str) -> str:
        for own, shown in self._hidden:
            text = text.replace(own, shown)
        return text

    def _fenced(self, said: str) -> str:
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._shown(said))
        lines = [line.rstrip() for line in plain.strip().splitlines()]
        cut = (line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]} …" for line in lines)
        return f"```\n{chr(10).join(cut)}\n```\n"


def _body(code: Callable[..., Any]) -> str:
    """The lines of a function, without its head and without what it returns."""
    lines = inspect.getsource(code).splitlines()
    head = next(place for place, line in enumerate(lines) if line.rstrip().endswith(":"))
    return textwrap.dedent("\n".join(line for line in lines[head + 1 :] if not line.strip().startswith("return")))
