"""``aimem bot``: what it says without a token or a library, and how it stops."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import textwrap
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from aim_memory.cli.bots import Platform, _until_stopped
from aim_memory.cli.commands import app
from aim_memory.cli.output import Exit

PAGE = Path(__file__).resolve().parents[2] / "docs" / "chatbots.md"
TOKENS = {f"AIM_BOTS__{name}": "x" for name in ("SLACK_TOKEN", "SLACK_APP_TOKEN", "DISCORD_TOKEN", "TELEGRAM_TOKEN")}


@pytest.mark.parametrize("platform", list(Platform))
def test_a_missing_token_is_named(platform: Platform, tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["bot", platform.value], env={"AIM_HOME": str(tmp_path)})
    assert ended.exit_code == Exit.USAGE
    assert f"AIM_BOTS__{platform.value.upper()}_TOKEN" in ended.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("platform", "library"), [("slack", "slack_bolt"), ("discord", "discord"), ("telegram", "telegram")]
)
def test_a_missing_library_is_named_with_the_command_that_installs_it(
    platform: str, library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delitem(sys.modules, f"aim_memory.chatbots.{platform}", raising=False)
    ended = CliRunner().invoke(app, ["bot", platform], env={"AIM_HOME": str(tmp_path), **TOKENS})
    assert ended.exit_code == Exit.USAGE
    assert f"pip install 'aim-memory[{platform}]'" in ended.stderr


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_and_what_it_holds_open_is_closed(sign: signal.Signals) -> None:
    closed: list[bool] = []

    async def serve() -> None:
        try:
            asyncio.get_running_loop().call_soon(os.kill, os.getpid(), sign)
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    asyncio.run(_until_stopped(serve()))
    assert closed == [True]


def test_the_manifest_on_the_page_is_one_and_has_every_command() -> None:
    shown = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert shown is not None
    manifest = yaml.safe_load(textwrap.dedent(shown[1]))
    commands = {one["command"].removeprefix("/") for one in manifest["features"]["slash_commands"]}
    source = (PAGE.parents[1] / "aim_memory" / "chatbots" / "slack.py").read_text(encoding="utf-8")
    assert commands == set(re.findall(r'"(\w+)"', re.search(r"^COMMANDS = (.*)$", source, re.MULTILINE)[1]))  # type: ignore[index]
    assert {"chat:write", "commands", "files:write", "im:write"} <= set(manifest["oauth_config"]["scopes"]["bot"])
