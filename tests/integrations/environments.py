"""Every integration in an environment of its own, at the lowest and the newest version it supports.

    python -m tests.integrations.environments [NAME ...]                # make test-integrations
    python -m tests.integrations.environments --as-noted NAME ...       # make test-langgraph, which CI runs

An environment lies in .integrations, is brought up to date rather than made anew, and holds the SDK's own dependencies
and one extra. Our tests, the framework's own suite and the example
run in it against one live server of this environment; the figures go to docs/integrations.md. The frameworks' suites
are fetched from PyPI beside the installed version, and are not changed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path

from aim_memory.cli.local_server import LocalServer

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".integrations"
PAGE = ROOT / "docs" / "integrations.md"
FIGURES = ROOT / "docs" / "integrations.json"
PAGES = "tests/integrations/test_pages.py"
EDGES = ("lowest", "newest")
NOTED = "noted"
"""The newest versions that were tested, as the page names them: the same tomorrow, whatever is released tonight."""
QUIET = {"CREWAI_DISABLE_TELEMETRY": "true", "HAYSTACK_TELEMETRY_ENABLED": "False", "OTEL_SDK_DISABLED": "true"}
"""Frameworks that report to their makers do not from here."""
Row = dict[str, str | int]
HEAD = """# Integrations

What works with AIM-Memory out of the box. An adapter takes a `Client` (a server) or an `AIMMemory` (a folder).

- [MCP](integrations/mcp.md): desktop clients and agents, over stdio and HTTP.
- [LangGraph](integrations/langgraph.md): a `BaseStore`, so that graphs remember across threads.
- [LangChain](integrations/langchain.md): a retriever and a chat history.
- [OpenAI Agents](integrations/openai-agents.md): a `Session`.
- [Slack, Discord, Telegram](chatbots.md): chatbots that remember.
- [LlamaIndex](integrations/llama-index.md): a memory block for agents, and a retriever.
- [AutoGen](integrations/autogen.md): a `Memory` for agents.
- [CrewAI](integrations/crewai.md): a storage for a crew's memory.
- [PydanticAI](integrations/pydantic-ai.md): a capability that recalls and remembers, and a history.
- [Haystack](integrations/haystack.md): a document store and a retriever.

## Tested versions

Written by `make test-integrations`: each framework in an environment of its own, against a live server. A framework's
own suite is fetched from PyPI with the version tested and runs unmodified; what is skipped of it, and why, is in
`tests/integrations/suites`.

| integration | with | suite | passed | skipped | failed |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Suite:
    """A framework's own tests: the distribution whose source holds them, their file in it, and our plugin for them."""

    distribution: str
    file: str
    plugin: str


@dataclass(frozen=True)
class Integration:
    name: str
    """Of the extra."""
    tests: str
    example: str | None
    """Run besides the tests, where there is one that needs no account anywhere."""
    shown: tuple[str, ...]
    """Distributions whose versions the page names."""
    tools: tuple[str, ...] = ()
    """What the tests need besides."""
    options: tuple[str, ...] = ()
    suite: Suite | None = None
    whole: bool = False
    """Its tests also open the engine, so the libraries of this environment stand behind its own."""


INTEGRATIONS = (
    Integration("mcp", "test_mcp.py", "mcp_client.py", ("mcp",), whole=True),
    Integration(
        "langgraph",
        "test_langgraph.py",
        "langgraph_agent.py",
        ("langgraph", "langgraph-checkpoint"),
        ("pytest-asyncio", "pytest-mock"),
        suite=Suite("langgraph-checkpoint", "tests/test_store.py", "langgraph_store"),
    ),
    Integration(
        "langchain",
        "test_langchain.py",
        "langchain_chat.py",
        ("langchain-core", "langchain-tests"),
        ("langchain-tests",),
        ("-o", "asyncio_mode=auto"),
    ),
    Integration(
        "openai-agents",
        "test_openai_agents.py",
        "openai_agents_session.py",
        ("openai-agents",),
        ("pytest-asyncio", "inline-snapshot"),
        suite=Suite("openai-agents", "tests/memory/test_session.py", "agents_session"),
    ),
    Integration("slack", "test_slack.py", None, ("slack-bolt", "slack-sdk"), whole=True),
    Integration("discord", "test_discord.py", None, ("discord.py",), whole=True),
    Integration("telegram", "test_telegram.py", None, ("python-telegram-bot",), whole=True),
    Integration("llama-index", "test_llama_index.py", "llama_index_chat.py", ("llama-index-core",), whole=True),
    Integration(
        "autogen",
        "test_autogen.py",
        "autogen_agent.py",
        ("autogen-core", "autogen-agentchat"),
        ("autogen-agentchat", "autogen-ext"),
        whole=True,
    ),
    Integration("crewai", "test_crewai.py", "crewai_crew.py", ("crewai",), whole=True),
    Integration("pydantic-ai", "test_pydantic_ai.py", "pydantic_ai_agent.py", ("pydantic-ai-slim",), whole=True),
    Integration("haystack", "test_haystack.py", "haystack_pipeline.py", ("haystack-ai",), whole=True),
)


@dataclass
class Place:
    """A virtual environment and what is in it."""

    folder: Path
    url: str
    versions: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str, cwd: Path = ROOT, path: Sequence[Path] = ()) -> int:
        found = {**os.environ, **QUIET, "AIM_TEST_SERVER": self.url, "AIM_EMBEDDER__KIND": "hashing"}
        found["PYTHONPATH"] = os.pathsep.join(map(str, (*path, ROOT)))
        return subprocess.run([str(self.folder / "bin" / "python"), *command], cwd=cwd, env=found).returncode

    def pip(self, *arguments: str) -> None:
        quiet = ("--quiet", "--disable-pip-version-check")
        if self.run("-m", "pip", *arguments[:1], *quiet, *arguments[1:]):
            raise SystemExit(f"pip {' '.join(arguments)} failed in {self.folder}")


def main() -> None:
    if sys.argv[1:2] == ["--as-noted"]:
        rows = list(_run(set(sys.argv[2:]), (NOTED,)))
    else:
        rows = _noted(set(sys.argv[1:]) or {one.name for one in INTEGRATIONS})
    if any(row["failed"] for row in rows):
        raise SystemExit("Something failed; see above.")


def _run(wanted: Set[str], edges: Sequence[str]) -> Iterator[Row]:
    os.environ["AIM_EMBEDDER__KIND"] = "hashing"
    with tempfile.TemporaryDirectory() as folder, LocalServer(Path(folder)) as server:
        server.wait_until_ready()
        for integration in INTEGRATIONS:
            for edge in edges if integration.name in wanted else ():
                yield from _tested(integration, edge, server.url)


def _noted(wanted: Set[str]) -> list[Row]:
    """Runs them at both edges, and notes what came out beside what is known of the others."""
    rows = [row for row in _known() if row["integration"] not in wanted]
    rows += _run(wanted, EDGES)
    rows.sort(key=lambda row: [one.name for one in INTEGRATIONS].index(str(row["integration"])))
    FIGURES.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(HEAD + "".join(map(_line, rows)), encoding="utf-8")
    return rows


def _known() -> list[Row]:
    """The rows of earlier runs."""
    rows: list[Row] = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else []
    return rows


def _tested(integration: Integration, edge: str, url: str) -> Iterator[Row]:
    place = _built(integration, edge, url)
    about = {"integration": integration.name, "with": _versions(integration, place)}
    pages = [PAGES] if (PAGE.parent / "integrations" / f"{integration.name}.md").exists() else []
    ours = ("--confcutdir=tests/integrations", *integration.options, f"tests/integrations/{integration.tests}", *pages)
    yield _row(about, "ours", _pytest(place, ours, ROOT))
    if integration.suite is not None:
        suite = integration.suite
        source = _source(place, suite.distribution)
        arguments = ("-p", suite.plugin, "-o", "asyncio_mode=auto", suite.file)
        counts = _pytest(place, arguments, source, [ROOT / "tests" / "integrations" / "suites"])
        yield _row(about, f"its own, `{suite.file}`", counts)
    if integration.example is None:
        return
    address = f"{url}/mcp" if integration.name == "mcp" else url
    failed = int(place.run(f"examples/{integration.example}", address) != 0)
    yield _row(about, f"`examples/{integration.example}`", {"passed": 1 - failed, "failed": failed})


def _built(integration: Integration, edge: str, url: str) -> Place:
    place = Place(HOME / f"{integration.name}-{edge}", url)
    if not (place.folder / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(place.folder)], check=True)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extra = project["optional-dependencies"][integration.name]
    pinned = _pins(integration, extra, edge)
    place.pip("install", "--upgrade", *project["dependencies"], *pinned, *integration.tools, "pytest", "anyio")
    if integration.whole:
        purelib = next((place.folder / "lib").glob("python*/site-packages"))
        (purelib / "behind.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    return place


def _pins(integration: Integration, extra: list[str], edge: str) -> list[str]:
    if edge == NOTED:
        *_, newest = (str(row["with"]) for row in _known() if row["integration"] == integration.name)
        return [one.replace(" ", "==") for one in newest.split(", ")]
    return [re.sub(r">=([\d.]+).*", r"==\1", one) for one in extra] if edge == "lowest" else extra


def _versions(integration: Integration, place: Place) -> str:
    look = (
        f"from importlib.metadata import version; print(*(n + ' ' + version(n) for n in {integration.shown}), sep=', ')"
    )
    command = [str(place.folder / "bin" / "python"), "-c", look]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    place.versions = dict(one.split() for one in said.split(", "))
    return said


def _source(place: Place, distribution: str) -> Path:
    """The unpacked source of the version that is installed."""
    folder = place.folder / "source"
    shutil.rmtree(folder, ignore_errors=True)
    pin = f"{distribution}=={place.versions[distribution]}"
    place.pip("download", "--no-deps", "--no-binary", distribution, "--dest", str(folder), pin)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return next(path for path in folder.iterdir() if path.is_dir())


def _pytest(place: Place, arguments: Sequence[str], cwd: Path, path: Sequence[Path] = ()) -> dict[str, int]:
    """Counts of a run, which must not come to nothing."""
    report = place.folder / "report.xml"
    report.unlink(missing_ok=True)
    # A framework's warnings about itself are its own affair.
    options = ("-q", "-p", "no:cacheprovider", "-o", "filterwarnings=default", f"--junitxml={report}")
    status = place.run("-m", "pytest", *options, *arguments, cwd=cwd, path=path)
    if not report.exists():
        return {"failed": 1}
    found = next(ET.parse(report).getroot().iter("testsuite")).attrib
    skipped, failed = int(found["skipped"]), int(found["failures"]) + int(found["errors"])
    passed = int(found["tests"]) - skipped - failed
    return {"passed": passed, "skipped": skipped, "failed": failed or int(status != 0)}


def _row(about: Mapping[str, str], suite: str, counts: Mapping[str, int]) -> Row:
    return {**about, "suite": suite, "passed": 0, "skipped": 0, "failed": 0, **counts}


def _line(row: Row) -> str:
    names = ("integration", "with", "suite", "passed", "skipped", "failed")
    return f"| {' | '.join(str(row[name]) for name in names)} |\n"


if __name__ == "__main__":
    main()
