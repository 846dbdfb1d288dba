"""An adapter whose framework is missing names the command that installs it; and adapters agree on what a memory is."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from aim_memory import AsyncClient, Client
from aim_memory.integrations.memory import AsyncMemory, Memory

ROOT = Path(__file__).resolve().parents[2]
ADAPTERS = {
    "mcp": ("mcp", "mcp"),
    "langgraph": ("langgraph", "langgraph"),
    "langchain": ("langchain_core", "langchain"),
    "openai_agents": ("agents", "openai-agents"),
    "llama_index": ("llama_index", "llama-index"),
    "autogen": ("autogen_core", "autogen"),
    "crewai": ("crewai", "crewai"),
    "pydantic_ai": ("pydantic_ai", "pydantic-ai"),
    "haystack": ("haystack", "haystack"),
}
LOOK = """
import sys
from importlib import import_module
from aim_memory.errors import MissingExtraError
for module, library in {libraries}.items():
    sys.modules[library] = None
    try:
        import_module("aim_memory.integrations." + module)
    except MissingExtraError as missing:
        print(missing.message)
"""


def test_a_missing_framework_is_named_with_the_command_that_installs_it() -> None:
    look = LOOK.format(libraries={module: library for module, (library, _) in ADAPTERS.items()})
    said = subprocess.run([sys.executable, "-c", look], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert said.splitlines() == [
        f"'{library}' is not installed. Install it with: pip install 'aim-memory[{extra}]'"
        for library, extra in ADAPTERS.values()
    ]


def test_every_adapter_has_an_extra() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert {extra for _, extra in ADAPTERS.values()} <= set(extras)


@pytest.mark.parametrize(("protocol", "door"), [(Memory, Client), (AsyncMemory, AsyncClient)])
def test_the_clients_have_every_verb_that_adapters_use(protocol: type, door: type) -> None:
    verbs = {name for name in vars(protocol) if not name.startswith("_")}
    assert len(verbs) >= 7
    assert verbs <= set(dir(door))
