"""Writes llms.txt, the documentation's list of contents for language models, from docs/README.md.

python docs/llms.py
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "llms.txt"
_LINK = re.compile(r"\]\(([^)#:]+)(#[^)]*)?\)")


def main() -> None:
    TARGET.write_text(text(), encoding="utf-8")
    print(f"wrote {TARGET}")


def text() -> str:
    """Title, a paragraph of what it is, and the sections, their links from the root."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    title, about = readme.split("\n\n")[:2]
    contents = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    sections = contents[contents.index("\n## ") :].strip()
    listed = _LINK.sub(lambda found: f"]({posixpath.normpath('docs/' + found[1])}{found[2] or ''})", sections)
    start = "- [README](README.md): what it is, ten lines of code, figures, what to install"
    return f"{title}\n\n> {' '.join(about.split())}\n\n{start}\n\n{listed}\n"


if __name__ == "__main__":
    main()
