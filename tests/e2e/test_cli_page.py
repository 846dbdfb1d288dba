"""The page about the command line is what the command line says, and shells can complete it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs import cli

AIMEM = Path(sys.executable).with_name("aimem")


def test_the_page_is_current() -> None:
    assert cli.TARGET.read_text(encoding="utf-8") == cli.page(), "run: python docs/cli.py"


def completed(shell: str, typed: str) -> str:
    """What the command answers to a shell, in that shell's own way of asking."""
    *_, last = typed.split(" ")
    asked = {
        "bash": {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split(" ")) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": typed},
        "fish": {
            "_TYPER_COMPLETE_ARGS": typed,
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
            "_TYPER_COMPLETE_WORD_TO_COMPLETE": last,
        },
    }[shell]
    environment = {**os.environ, **asked, "_AIMEM_COMPLETE": f"complete_{shell}"}
    return subprocess.run([AIMEM], env=environment, capture_output=True, text=True).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_commands_options_and_values(shell: str) -> None:
    assert "doctor" in completed(shell, "aimem do")
    assert "revoke" in completed(shell, "aimem keys rev")
    assert "--expires" in completed(shell, "aimem keys create laptop --exp")
    roles = completed(shell, "aimem keys create laptop --role a")
    assert "admin" in roles
    assert "auditor" in roles
    assert "reader" not in roles


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_given_its_script(shell: str) -> None:
    environment = {**os.environ, "_AIMEM_COMPLETE": f"source_{shell}"}
    script = subprocess.run([AIMEM], env=environment, capture_output=True, text=True).stdout
    assert f"_AIMEM_COMPLETE=complete_{shell}" in script
    if shutil.which(shell):
        assert subprocess.run([shell, "-n"], input=script, text=True).returncode == 0


def test_bash_itself_completes(tmp_path: Path) -> None:
    script = """
        eval "$(_AIMEM_COMPLETE=source_bash aimem)"
        COMP_WORDS=(aimem keys re) COMP_CWORD=2
        _aimem_completion aimem re keys
        echo "${COMPREPLY[@]}"
    """
    environment = {**os.environ, "PATH": f"{AIMEM.parent}{os.pathsep}{os.environ['PATH']}"}
    said = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=True).stdout
    assert said.split() == ["revoke"]
