"""Rules of the house that a reader would forget to check."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import aim_memory
from aim_memory import errors

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ["api", "storage", "llm", "migrations"]
HEAVY = ["torch", "sentence_transformers", "faiss", "sqlalchemy", "fastapi", "typer", "rich", "pydantic_settings"]


def error_classes() -> list[type[errors.AIMMemoryError]]:
    return [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.AIMMemoryError)
    ]


def sources() -> list[Path]:
    """Every Python file of the project once, by its real folder."""
    folders = [ROOT / room for room in ("aim_memory", *ROOMS)]
    return [file for folder in folders for file in sorted(folder.rglob("*.py")) if file.resolve() == file]


# --- the public door ---------------------------------------------------------------------------------------------


def test_the_public_door_opens_every_name_it_lists() -> None:
    assert len(aim_memory.__all__) == len(set(aim_memory.__all__))
    for name in aim_memory.__all__:
        assert getattr(aim_memory, name) is not None
    assert set(aim_memory.__all__) <= set(dir(aim_memory))


def test_the_public_door_lists_every_error() -> None:
    assert {kind.__name__ for kind in error_classes()} <= set(aim_memory.__all__)


def test_the_http_sdk_imports_no_heavy_library() -> None:
    look = f"import sys; from aim_memory import AsyncClient, Client; print([m for m in {HEAVY} if m in sys.modules])"
    seen = subprocess.run([sys.executable, "-c", look], cwd=ROOT, check=True, capture_output=True, text=True)
    assert seen.stdout.strip() == "[]"


def test_the_version_is_the_distribution_s() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert aim_memory.__version__ == project["version"]
    assert f"## {project['version']}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


# --- errors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", error_classes(), ids=lambda kind: kind.__name__)
def test_every_error_explains_itself(kind: type[errors.AIMMemoryError]) -> None:
    assert (kind.__doc__ or "").strip().endswith(".")
    assert kind.__name__.endswith("Error")
    assert kind.code.islower()
    assert kind.__name__ in (errors.__doc__ or "")


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in error_classes()]
    assert len(codes) == len(set(codes))


# --- the tree ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_a_real_folder_linked_into_the_package(room: str) -> None:
    link = ROOT / "aim_memory" / room
    assert link.is_symlink()
    assert link.resolve() == ROOT / room


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{file.relative_to(ROOT)}:{node.lineno} {node.name}"
        for file in sources()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _body_lines(node) > 50
    ]
    assert long == []


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    documentation = ast.get_docstring(function, clean=False)
    return (function.end_lineno or 0) - function.lineno + 1 - (len(documentation.splitlines()) if documentation else 0)


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(file.relative_to(ROOT))
        for file in sources()
        if (text := file.read_text(encoding="utf-8")).strip() and not ast.get_docstring(ast.parse(text))
    ]
    assert silent == []


def test_the_documentation_lists_every_page() -> None:
    docs = ROOT / "docs"
    for index in docs.rglob("README.md"):
        listed = index.read_text(encoding="utf-8")
        own = {str(page.relative_to(index.parent)) for page in index.parent.rglob("*.md")} - {"README.md"}
        # A folder with a list of its own is listed as that.
        nested = {name for name in own if "/" in name and (index.parent / name).with_name("README.md").exists()}
        names = (own - nested) | {str(Path(name).with_name("README.md")) for name in nested}
        assert [name for name in sorted(names) if f"({name})" not in listed] == []
