"""Pages with measured sections: what stands between a study's two marks is written by the study, the rest by hand."""

from __future__ import annotations

import re
from pathlib import Path


def put_section(page: Path, name: str, section: str) -> None:
    """Writes a study's section anew; puts it at the end of a page that has none, and makes a page that is not there."""
    text = page.read_text(encoding="utf-8") if page.exists() else f"# {name.capitalize()}\n"
    start, end = f"<!-- bench {name} -->", f"<!-- end of {name} -->"
    block = f"{start}\n{section}\n{end}"
    marked = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    found = marked.search(text)
    written = text[: found.start()] + block + text[found.end() :] if found else f"{text.rstrip()}\n\n{block}\n"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(written, encoding="utf-8")
