"""The public door of the package: what it exports, and what it says when a part is not installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

import aim_memory


@pytest.mark.parametrize("name", aim_memory.__all__)
def test_every_exported_name_is_there(name: str) -> None:
    assert getattr(aim_memory, name) is not None
    assert name in dir(aim_memory)


def test_every_error_is_exported() -> None:
    from aim_memory import errors

    public = {name for name, found in vars(errors).items() if isinstance(found, type) and issubclass(found, Exception)}
    assert public <= set(aim_memory.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Memory'"):
        _ = aim_memory.Memory


def run_without(library: str, statement: str) -> subprocess.CompletedProcess[str]:
    """Runs a statement in a fresh interpreter that does not have a library."""
    script = f"import sys; sys.modules[{library!r}] = None\n{statement}"
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("library", ["pydantic_settings", "sqlalchemy"])
def test_embedded_use_without_its_extra_names_the_install_command(library: str) -> None:
    script = (
        "import aim_memory, tempfile\n"
        "try: aim_memory.AIMMemory(tempfile.mkdtemp()).write('a', namespace='n')\n"
        "except aim_memory.MissingExtraError as failure: print(failure)"
    )
    ran = run_without(library, script)
    assert "pip install 'aim-memory[embedded]'" in ran.stdout, ran.stderr


def test_the_command_line_without_its_extra_names_the_install_command() -> None:
    ran = run_without("typer", "from aim_memory.cli.main import main\nmain()")
    assert ran.returncode == 1
    assert ran.stderr.strip() == "✗ 'typer' is not installed. Install it with: pip install 'aim-memory[embedded]'"


def test_the_http_sdk_needs_none_of_it() -> None:
    ran = run_without("numpy", "from aim_memory import Client\nprint(Client().with_options(timeout=1))")
    assert ran.returncode == 0, ran.stderr
