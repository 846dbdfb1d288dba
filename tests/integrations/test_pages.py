"""The Python of the frameworks' pages, run where the framework is."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import io
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.pages import ROOT, SHOWN_URL, Block, blocks

FOLDER = ROOT / "docs" / "integrations"
LIBRARIES = {
    "langchain": "langchain_core",
    "langgraph": "langgraph",
    "openai-agents": "agents",
    "llama-index": "llama_index",
    "autogen": "autogen_core",
    "crewai": "crewai",
    "pydantic-ai": "pydantic_ai",
    "haystack": "haystack",
}
"""What each page's code imports."""


def python(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language == "python"]


def test_every_page_with_code_has_a_place_to_run() -> None:
    assert {page.stem for page in FOLDER.glob("*.md") if python(page)} == set(LIBRARIES)


@pytest.mark.parametrize("name", [name for name, library in LIBRARIES.items() if find_spec(library)])
def test_the_code_of_a_page_runs(name: str, url: str, root: str) -> None:
    text = "\n".join(block.text for block in python(FOLDER / f"{name}.md"))
    text = text.replace(SHOWN_URL, url).replace("user/ada", f"{root}/ada").replace("crew/research", f"{root}/crew")
    code = compile(text, f"{name}.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()):
        work = eval(code, namespace)
        if work is not None:
            asyncio.run(work)
