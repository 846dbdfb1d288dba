"""A real browser for the tests: Debian's Chromium, driven by Playwright; installed first where that is allowed."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
_BARE = ("--no-sandbox", "--disable-gpu", "--disable-quic", *_QUIET)


@functools.cache
def program() -> str | None:
    """Path of a browser; None where there is none and none can be installed."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        for command in (["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q", "chromium"]):
            subprocess.run(command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, capture_output=True)
        found = shutil.which("chromium")
    return found


@contextmanager
def browser(**more: Any) -> Iterator[Browser]:
    """A headless browser. Skips the test where there is none."""
    path = program()
    if path is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=list(_BARE), **more)
        yield opened
        opened.close()
