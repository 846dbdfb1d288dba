"""A folder as a tar archive, sent while it is read."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

MEDIA_TYPE = "application/x-tar"
_PIECE = 1 << 18


def size_of(files: list[Path]) -> int:
    return sum(tarfile.BLOCKSIZE + _padded(file.stat().st_size) for file in files) + 2 * tarfile.BLOCKSIZE


def archive(files: list[Path]) -> Iterator[bytes]:
    for file in files:
        entry = tarfile.TarInfo(file.name)
        entry.size, entry.mode = file.stat().st_size, 0o600
        yield entry.tobuf(tarfile.GNU_FORMAT)
        with file.open("rb") as body:
            while piece := body.read(_PIECE):
                yield piece
        yield bytes(_padded(entry.size) - entry.size)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _padded(size: int) -> int:
    return -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
