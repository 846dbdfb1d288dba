"""The data folder: may we write there, is there space, what was left lying, are the indexes whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from aim_memory.cli.checks.findings import Finding
from aim_memory.clock import SystemClock
from aim_memory.extras import needs

if TYPE_CHECKING:
    from aim_memory.settings import Settings

FREE_BYTES = 1 << 30
LEFT_AFTER = timedelta(hours=1)
"""Nothing that is still being written is untouched for so long."""
LEFT = ("*.part", "restoring", "indexes/*.unfinished")
AHEAD = timedelta(minutes=2)


def folder_findings(settings: Settings) -> Iterator[Finding]:
    home = settings.home
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryFile(dir=home):
            pass
    except OSError as failure:
        fix = "Give yourself the right to write there, or choose another folder with AIM_HOME."
        yield Finding("data folder", "failed", f"{home}: {failure.strerror}", fix)
        return
    yield _space(home)
    now = SystemClock().now()
    yield from _left_behind(home, now)
    yield from _clock(home, now)
    yield from _indexes(settings)


def _space(home: Path) -> Finding:
    free = shutil.disk_usage(home).free
    if free < FREE_BYTES:
        fix = "Free some disk space: writes are refused when there is none; reads and deletes go on."
        return Finding("data folder", "warning", f"{home}, only {free / 1e6:,.0f} MB free", fix)
    if home.stat().st_mode & 0o077:
        fix = f"Others on this machine may look inside: chmod 700 {home}"
        return Finding("data folder", "warning", f"{home} is open to others", fix)
    return Finding("data folder", "ok", f"{home}, {free / 1e9:,.0f} GB free")


def _left_behind(home: Path, now: datetime) -> Iterator[Finding]:
    left = [path for pattern in LEFT for path in sorted(home.glob(pattern)) if now - _touched(path) > LEFT_AFTER]
    if left:
        names = " ".join(map(str, left))
        yield Finding("leftovers", "warning", f"of work that was cut off: {names}", f"Nobody needs them: rm -r {names}")


def _clock(home: Path, now: datetime) -> Iterator[Finding]:
    """Files cannot have been written later than now, unless a clock has jumped."""
    newest = max((_touched(path) for path in home.glob("aim.db*")), default=now)
    if newest - now > AHEAD:
        fix = "Set the clock by a time server; new memories would count as older than the last ones."
        yield Finding(
            "clock", "warning", f"it says {now:%Y-%m-%d %H:%M}Z, the store was written at {newest:%Y-%m-%d %H:%M}Z", fix
        )


def _indexes(settings: Settings) -> Iterator[Finding]:
    with needs("embedded"):
        from aim_memory.assemble import damaged_snapshots
    damaged = " ".join(map(str, damaged_snapshots(settings)))
    if damaged:
        fix = f"It is not used, and made again from the store by the next question; to be rid of it now: rm {damaged}"
        yield Finding("indexes", "warning", f"damaged on disk: {damaged}", fix)


def _touched(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
