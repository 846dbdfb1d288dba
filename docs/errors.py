"""Writes docs/errors/: a page for each code that a reply, an exception or the command line can carry.

    python docs/errors.py

What a code is called, its status, its class and its place in the tree come from the code itself; why it happens and
what to do about it is in errors.toml. A test runs this again and compares, so no code is without its page.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

from aim_memory import errors
from aim_memory.api.problems import HTTP_CODES, KINDS
from aim_memory.cli.output import EXIT_CODES
from aim_memory.errors import AIMMemoryError

TARGET = Path(__file__).with_name("errors")
HELP = Path(__file__).with_name("errors.toml")

OF_HTTP = {
    "method_not_allowed": "The path exists and does not take this method.",
    "unsupported_media_type": "The request body is not of a type that the route reads.",
    "http_error": "HTTP itself refused the request.",
}
"""What no class of ours stands for."""


def main() -> None:
    TARGET.mkdir(exist_ok=True)
    for page in TARGET.glob("*.md"):
        page.unlink()
    for name, text in pages().items():
        (TARGET / name).write_text(text, encoding="utf-8")
    print(f"wrote {len(pages())} pages to {TARGET}")


def pages() -> dict[str, str]:
    """The text of each page by its file's name."""
    written = tomllib.loads(HELP.read_text(encoding="utf-8"))
    kinds = {kind.code: kind for kind in _tree(AIMMemoryError)}
    made = {f"{code}.md": _page(code, kinds.get(code), written[code]) for code in (*kinds, *OF_HTTP)}
    return {**made, "README.md": _index([*kinds, *OF_HTTP], kinds)}


def _tree(root: type[AIMMemoryError]) -> Iterator[type[AIMMemoryError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield from _tree(child)


def _page(code: str, kind: type[AIMMemoryError] | None, about: dict[str, list[str]]) -> str:
    causes = "\n".join(f"- {cause}" for cause in about["causes"])
    steps = "\n".join(f"{at}. {step}" for at, step in enumerate(about["steps"], 1))
    parts = (f"# `{code}`", _meaning(code, kind), _facts(code, kind), "## Why", causes, "## What to do", f"{steps}\n")
    return "\n\n".join(parts)


def _meaning(code: str, kind: type[AIMMemoryError] | None) -> str:
    if kind is errors.MissingExtraError:
        return "An optional dependency is not installed."
    return OF_HTTP[code] if kind is None else (kind.__doc__ or "").strip()


def _facts(code: str, kind: type[AIMMemoryError] | None) -> str:
    statuses = sorted({*_statuses(code), *([KINDS[kind].status] if kind else [])})
    shown = " or ".join(map(str, statuses)) or "that of HTTP"
    rows = [("HTTP status", shown), ("`type`", f"`urn:aim-memory:{code}`")]
    if kind is not None:
        rows.append(("exception", f"`aim_memory.{kind.__name__}`"))
        rows.append(("the same call may succeed later", "yes" if kind.retryable else "no"))
    return "| | |\n|---|---|\n" + "\n".join(f"| {name} | {value} |" for name, value in rows)


def _statuses(code: str) -> list[int]:
    return [status for status, named in HTTP_CODES.items() if named == code]


def _index(codes: list[str], kinds: dict[str, type[AIMMemoryError]]) -> str:
    rows = "\n".join(f"| [`{code}`]({code}.md) | {_meaning(code, kinds.get(code))} |" for code in codes)
    return f"""# Errors

A page for each code: why it happens, and what to do. Over HTTP the code is the field `code` of the reply and the end of
its `type` (RFC 9457); in Python it is `error.code`; the command line
puts it into what `--json` prints, and has [exit codes](#exit-codes) of its own. Written by
`python docs/errors.py` from the error tree.

| code | what it means |
|---|---|
{rows}

## Exit codes

{EXIT_CODES.removeprefix("Exit codes: ").capitalize()}
"""


if __name__ == "__main__":
    main()
