"""The files of a source: one file, a folder, or a ZIP archive, which is read and never unpacked.

An archive that looks like a trap is refused as a whole, before anything of it is read.
"""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from aim_memory.errors import InvalidInputError
from aim_memory.importers.turns import left_out
from aim_memory.transfer import LeftOut

MOST_FILES = 100_000
MOST_RATIO = 200
"""How many times larger than packed a file may be; JSON of conversations is about ten times."""
SMALL = 1 << 20
"""Below it the ratio does not matter."""
MOST_BYTES = 64 << 30


@dataclass(frozen=True, slots=True)
class Document:
    """A file of the source."""

    name: str
    open: Callable[[], BinaryIO]
    path: Path | None = None
    """Where it lies, if it is a file by itself."""


def documents(path: Path, wanted: re.Pattern[str]) -> Iterator[Document | LeftOut]:
    """The files to read, in the order of their names, and what else is there. Raises InvalidInputError.

    ``wanted`` chooses by the name in folders and archives; a file that is named itself is always read.
    """
    if path.is_dir():
        yield from _in_folder(path, wanted)
    elif not path.is_file():
        raise InvalidInputError(f"There is no file or folder {path}.", field="FILE")
    elif zipfile.is_zipfile(path):
        yield from _in_archive(path, wanted)
    else:
        yield Document(path.name, partial(_file, path), path)


def _in_folder(folder: Path, wanted: re.Pattern[str]) -> Iterator[Document | LeftOut]:
    found = False
    for file in sorted(folder.rglob("*")):
        if file.is_symlink() or not file.is_file():
            continue
        name = str(file.relative_to(folder))
        if wanted.fullmatch(file.name):
            found = True
            yield Document(name, partial(_file, file), file)
        else:
            yield _other(name)
    if not found:
        raise InvalidInputError(f"The folder {folder} holds no file of this format: {_said(wanted)}.", field="FILE")


def _in_archive(path: Path, wanted: re.Pattern[str]) -> Iterator[Document | LeftOut]:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError) as failure:
        raise InvalidInputError(f"The archive {path} is damaged: {failure}.", field="FILE") from failure
    with archive:
        files = sorted((one for one in archive.infolist() if not one.is_dir()), key=lambda one: one.filename)
        chosen = [one for one in files if wanted.fullmatch(PurePosixPath(one.filename).name)]
        _distrust(files, chosen)
        if not chosen:
            raise InvalidInputError(f"The archive {path} holds no file of this format: {_said(wanted)}.", field="FILE")
        for one in files:
            if one in chosen:
                yield Document(one.filename, partial(_unpacked, archive, one))
            else:
                yield _other(one.filename)


def _file(path: Path) -> BinaryIO:
    return path.open("rb")


def _unpacked(archive: zipfile.ZipFile, file: zipfile.ZipInfo) -> BinaryIO:
    return cast(BinaryIO, archive.open(file))


def _distrust(files: list[zipfile.ZipInfo], chosen: list[zipfile.ZipInfo]) -> None:
    """Raises InvalidInputError for an archive that no honest program makes."""
    if len(files) > MOST_FILES:
        raise _trap(f"it holds {len(files):,} files; at most {MOST_FILES:,}")
    for file in files:
        parts = re.split(r"[/\\]", file.filename)
        if ".." in parts or parts[0] == "" or ":" in parts[0]:
            raise _trap(f"it names a path outside itself, {file.filename!r}")
        if stat.S_ISLNK(file.external_attr >> 16):
            raise _trap(f"{file.filename!r} is a link")
    names = [file.filename for file in chosen]
    if len(set(names)) < len(names):
        raise _trap("it holds the same file twice")
    for file in chosen:
        if file.flag_bits & 1:
            raise _trap(f"{file.filename!r} is encrypted; unpack it first")
        if file.file_size > SMALL and file.file_size > MOST_RATIO * max(file.compress_size, 1):
            raise _trap(f"{file.filename!r} grows more than {MOST_RATIO} times when unpacked")
    if sum(file.file_size for file in chosen) > MOST_BYTES:
        raise _trap(f"its files have more than {MOST_BYTES >> 30} GiB")


def _trap(reason: str) -> InvalidInputError:
    return InvalidInputError(f"The archive was not read: {reason}.", field="FILE")


def _other(name: str) -> LeftOut:
    suffix = PurePosixPath(name).suffix.lower()
    return left_out(f"a {suffix} file, not read" if suffix else "a file, not read", name)


def _said(wanted: re.Pattern[str]) -> str:
    return wanted.pattern.replace("\\", "")
