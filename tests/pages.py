"""The pages of the documentation: their links, and their code, taken out to be run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHOWN_URL = "http://127.0.0.1:8765"
"""Where the server of every example is."""
_FENCE = re.compile(r"^```([a-z]*)$")
_MARK = re.compile(r"^<!-- not run: (.+) -->$")
_LINK = re.compile(r"\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$")


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    language: str
    text: str
    mark: str | None
    """Why it is not run."""

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Every Markdown file that is the project's."""
    folders = ("docs", "benchmarks", "examples", "deploy")
    found = [page for folder in folders for page in (ROOT / folder).rglob("*.md")]
    own = [page for page in found if not any(part.startswith(".") for part in page.relative_to(ROOT).parts)]
    return sorted([*ROOT.glob("*.md"), *own])


def blocks(page: Path) -> Iterator[Block]:
    """Its fenced blocks, in order."""
    lines = page.read_text(encoding="utf-8").splitlines()
    start = None
    for at, line in enumerate(lines):
        fence = _FENCE.match(line)
        if start is None and fence:
            start = at
        elif start is not None and line == "```":
            mark = _MARK.match(lines[start - 1]) if start else None
            language = _FENCE.match(lines[start])
            assert language
            name = str(page.relative_to(ROOT))
            yield Block(name, start + 1, language[1], "\n".join(lines[start + 1 : at]), mark[1] if mark else None)
            start = None
    assert start is None, f"{page}: a block that begins in line {(start or 0) + 1} does not end"


def prose(page: Path) -> str:
    """A page without its blocks."""
    return re.sub(r"(?ms)^```.*?^```$", "", page.read_text(encoding="utf-8"))


def links(page: Path) -> Iterator[str]:
    yield from _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """The names that headings have, as GitHub makes them."""
    found: dict[str, int] = {}
    names = set()
    for line in prose(page).splitlines():
        if heading := _HEADING.match(line):
            name = re.sub(r"[^\w\- ]", "", heading[1].strip().lower()).replace(" ", "-")
            times = found.get(name, 0)
            found[name] = times + 1
            names.add(f"{name}-{times}" if times else name)
    return names
