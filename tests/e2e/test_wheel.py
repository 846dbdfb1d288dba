"""The wheel holds the package and nothing beside it, whether built from the tree or from the sdist."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ["pyproject.toml", "README.md", "LICENSE", "aim_memory", "api", "storage", "llm", "migrations", "examples"]
LINKED = ["api", "storage", "llm", "migrations"]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources, so that nothing built earlier leaks into the wheel and nothing is left in the tree."""
    copy = tmp_path_factory.mktemp("tree")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree(source, copy / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy(source, copy)
    return copy


def build(what: str, place: Path, out: Path) -> Path:
    """Calls the build backend as pip does; returns the file it made."""
    call = f"import setuptools.build_meta as backend; print(backend.build_{what}({str(out)!r}))"
    made = subprocess.run([sys.executable, "-c", call], cwd=place, check=True, capture_output=True, text=True)
    return out / made.stdout.split()[-1]


def holdings(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


@pytest.fixture(scope="module")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tree, tmp_path_factory.mktemp("wheel"))


def test_the_wheel_holds_only_the_package(wheel: Path) -> None:
    assert {name.split("/")[0] for name in holdings(wheel)} == {"aim_memory"}


def test_the_wheel_holds_every_module_of_every_room(wheel: Path) -> None:
    modules = {path.relative_to(ROOT / "aim_memory") for path in (ROOT / "aim_memory").rglob("*.py")}
    for room in LINKED:
        modules |= {room / path.relative_to(ROOT / room) for path in (ROOT / room).rglob("*.py")}
    assert {f"aim_memory/{module.as_posix()}" for module in modules} <= holdings(wheel)


def test_the_wheel_holds_what_is_not_python(wheel: Path) -> None:
    assert {"aim_memory/py.typed", "aim_memory/migrations/script.py.mako"} <= holdings(wheel)


def test_the_sdist_builds_the_same_wheel(wheel: Path, tree: Path, tmp_path: Path) -> None:
    with tarfile.open(build("sdist", tree, tmp_path)) as archive:
        archive.extractall(tmp_path / "sdist", filter="data")
    [unpacked] = (tmp_path / "sdist").iterdir()
    assert holdings(build("wheel", unpacked, tmp_path)) == holdings(wheel)
