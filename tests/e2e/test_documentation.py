"""The documentation holds: its links lead somewhere, its code runs, what is generated is current."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from aim_memory.cli.local_server import LocalServer
from docs import errors, llms, reference
from tests.chat_server import ChatServer
from tests.pages import ROOT, SHOWN_URL, Block, anchors, blocks, links, pages, prose

RUN = ("python", "sh", "bash")
ELSEWHERE = {
    "docs/administration.md": "tests/e2e/test_administration.py",
    "docs/import.md": "tests/e2e/test_importing.py",
    "docs/transcript.md": "tests/e2e/test_transcript.py",
    "docs/vllm-transcript.md": "tests/vllm/transcript.py",
}
"""Pages whose blocks another test runs, or wrote when it ran."""
FRAMEWORKS = "docs/integrations/"
"""Pages whose Python runs in the environment of the framework: tests/integrations/test_pages.py."""
SPEAKING = ("docs/openai.md",)
"""Pages whose server has a language model."""
NEEDS = re.compile(r"needs (vllm|psql|node)")
"""A reason not to run a block that is looked into: a program that this machine does not have."""
NEVER = ("needs an account of mem0", "needs Docker; deploy/build.sh builds without", "changes the machine")
"""Those that hold everywhere."""
PAGES = pages()


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


# --- links -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = [link for link in links(page) if not _leads(page, link)]
    assert broken == []


def _leads(page: Path, link: str) -> bool:
    if re.match(r"[a-z]+:", link):
        return link.startswith(("https://", "mailto:"))
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists() or ROOT not in (target, *target.parents):
        return False
    return not anchor or anchor in anchors(target)


def test_every_page_is_reached_from_the_first() -> None:
    seen, found = set(), {ROOT / "README.md"}
    while found:
        page = found.pop()
        seen.add(page)
        ahead = {(page.parent / link.partition("#")[0]).resolve() for link in links(page) if ":" not in link}
        found |= {target for target in ahead if target.suffix == ".md"} - seen
    assert [name_of(page) for page in PAGES if page not in seen] == []


# --- blocks ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def quoting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A reader's place with a server that quotes."""
    with _place(tmp_path_factory.mktemp("reader")) as place:
        yield place


@pytest.fixture(scope="module")
def speaking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """One with a language model behind its server."""
    said = "On 14 May."
    with ChatServer() as model:
        model.respond = lambda body: ChatServer.streamed(said) if body.get("stream") else ChatServer.whole(said)
        settings = {"AIM_GENERATOR__KIND": "openai", "AIM_GENERATOR__URL": model.url, "AIM_GENERATOR__MODEL": "small"}
        with _place(tmp_path_factory.mktemp("reader"), **settings) as place:
            yield place


@contextmanager
def _place(folder: Path, **settings: str) -> Iterator[tuple[Path, str]]:
    """A folder to be at home in, with the examples in it, and the server that keeps its memories there."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"AIM_EMBEDDER__KIND": "hashing", **settings}.items():
            patch.setenv(name, value)
        running = LocalServer(folder / ".aim-memory")
    (folder / "examples").symlink_to(ROOT / "examples")
    _put_doubles(folder / "bin")
    with running:
        running.wait_until_ready()
        yield folder, running.url


def _put_doubles(folder: Path) -> None:
    folder.mkdir()
    for name in ("pip", "make", "aimem", "opentelemetry-instrument"):
        double = folder / name
        double.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT}/tests/e2e/page_doubles.py {name} "$@"\n')
        double.chmod(double.stat().st_mode | stat.S_IXUSR)


def runnable(page: Path) -> list[Block]:
    name = name_of(page)
    if name in ELSEWHERE:
        return []
    framework = name.startswith(FRAMEWORKS)
    found = [block for block in blocks(page) if block.language in RUN and not _is_excused(block)]
    return [block for block in found if not (framework and block.language == "python")]


def _is_excused(block: Block) -> bool:
    """Whether it is marked, and what it needs is indeed not here."""
    if block.mark is None or block.mark in NEVER:
        return block.mark is not None
    needed = NEEDS.fullmatch(block.mark)
    assert needed, f"{block}: '{block.mark}' is no reason that can be checked"
    return shutil.which(needed[1]) is None and find_spec(needed[1]) is None


@pytest.mark.skipif(shutil.which("curl") is None, reason="the pages call curl")
@pytest.mark.parametrize("page", [page for page in PAGES if runnable(page)], ids=name_of)
def test_every_block_runs(page: Path, request: pytest.FixtureRequest) -> None:
    folder, url = request.getfixturevalue("speaking" if name_of(page) in SPEAKING else "quoting")
    given = runnable(page)
    sent = [{"line": one.line, "language": one.language, "text": one.text.replace(SHOWN_URL, url)} for one in given]
    env = {**os.environ, "HOME": str(folder), "AIM_EMBEDDER__KIND": "hashing", "PYTHONPATH": str(ROOT)}
    # A page's own folder: one that makes a key shuts no other's server.
    env["AIM_HOME"] = str(folder / page.stem)
    env |= {"PATH": f"{folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}", "NO_PROXY": "127.0.0.1"}
    command = [sys.executable, str(ROOT / "tests/e2e/run_page.py")]
    done = subprocess.run(
        command, input=json.dumps(sent), capture_output=True, text=True, cwd=folder, env=env, timeout=240
    )
    assert done.returncode == 0, f"{page}: {done.stdout[-500:]}{done.stderr[-3000:]}"
    said = {line["line"]: line["said"] for line in map(json.loads, done.stdout.splitlines())}
    assert list(said) == [block.line for block in given]
    for block, shown in _shown(page):
        _compare(shown, said[block.line].replace(url, SHOWN_URL))


def _shown(page: Path) -> Iterator[tuple[Block, Block]]:
    """Blocks that run, each with the ``text`` right after it: what it prints."""
    found = list(blocks(page))
    ran = runnable(page)
    for before, after in pairwise(found):
        if before in ran and after.language == "text":
            yield before, after


def _compare(shown: Block, said: str) -> None:
    """Each line that a page shows was printed, in order; … stands for anything."""
    rest = said
    for line in filter(str.strip, shown.text.splitlines()):
        pattern = ".*".join(map(re.escape, line.strip().split("…")))
        found = re.search(pattern, rest)
        assert found, f"{shown}: was not printed: {line}\n---\n{rest}"
        rest = rest[found.end() :]


def test_other_blocks_are_what_they_say() -> None:
    parse = {"json": json.loads, "yaml": yaml.safe_load, "toml": tomllib.loads}
    for page in PAGES:
        for block in blocks(page):
            if page.name in ("transcript.md", "vllm-transcript.md"):
                continue  # cut to fit a page
            assert block.language in (*RUN, *parse, "", "text", "http", "ini"), block
            if block.language in parse:
                parse[block.language](block.text)


@pytest.mark.parametrize(("page", "test"), ELSEWHERE.items())
def test_what_runs_elsewhere_is_named_there(page: str, test: str) -> None:
    assert Path(page).stem in (ROOT / test).read_text(encoding="utf-8")


# --- the README in Chinese ---------------------------------------------------------------------------------------

ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh.md"


def test_the_chinese_readme_has_the_same_code_and_links() -> None:
    assert [block.text for block in blocks(CHINESE)] == [block.text for block in blocks(ENGLISH)]
    assert {*links(CHINESE)} - {ENGLISH.name} == {*links(ENGLISH)} - {CHINESE.name}


def test_the_chinese_readme_has_the_same_sections_with_the_same_figures() -> None:
    english, chinese = (re.split(r"(?m)^## ", prose(page)) for page in (ENGLISH, CHINESE))
    assert len(english) == len(chinese)
    for here, there in zip(english, chinese, strict=True):
        assert _figures(there) == _figures(here), here.splitlines()[0]
        assert _outline(there) == _outline(here), here.splitlines()[0]


def _figures(section: str) -> list[str]:
    """Its numbers, whatever their order in a sentence."""
    return sorted(re.findall(r"\.?\d(?:[\d.,]*\d)?", re.sub(r"\]\([^)]*\)", "]", section)))


def _outline(section: str) -> list[str]:
    """What kind of block each of its lines begins."""
    kinds = ("|", "- ")
    return [kind for line in section.splitlines() for kind in kinds if line.startswith(kind)]


# --- what is generated -------------------------------------------------------------------------------------------


def test_each_error_has_its_page() -> None:
    kept = {page.name: page.read_text(encoding="utf-8") for page in errors.TARGET.glob("*.md")}
    assert kept == errors.pages(), "run: python docs/errors.py"


def test_the_reference_is_current(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AIM_HOME", str(tmp_path))
    kept = {name: (reference.DOCS / name).read_text(encoding="utf-8") for name in reference.pages()}
    assert kept == reference.pages(), "run: python docs/reference.py"


def test_llms_txt_is_current() -> None:
    assert llms.TARGET.read_text(encoding="utf-8") == llms.text(), "run: python docs/llms.py"
